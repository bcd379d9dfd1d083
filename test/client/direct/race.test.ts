import { describe, expect, test } from 'bun:test'
import type { Candidate } from '../../../src/client/direct/candidates.ts'
import { inTurn, race, type RaceOptions, type Runner } from '../../../src/client/direct/race.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { ManualClock, settle } from '../../support/manual-clock.ts'

const startedAt = 1_000_000

describe('inTurn', () => {
  test('puts IPv6 and IPv4 in turn, IPv6 first, each in its order', () => {
    expect(hosts(inTurn(at('10.0.0.1', '10.0.0.2', 'fd00::1', '10.0.0.3', 'fd00::2')))).toEqual([
      'fd00::1',
      '10.0.0.1',
      'fd00::2',
      '10.0.0.2',
      '10.0.0.3',
    ])
    expect(hosts(inTurn(at('fd00::1', 'fd00::2')))).toEqual(['fd00::1', 'fd00::2'])
    expect(inTurn([])).toEqual([])
  })

  test('takes eight, of both families where there are both, and nothing that would have to be looked up', () => {
    const many = at(...Array.from({ length: 20 }, (_, each) => `10.0.0.${each + 1}`), 'fd00::1', 'example.org')
    expect(hosts(inTurn(many))).toEqual(['fd00::1', ...Array.from({ length: 7 }, (_, each) => `10.0.0.${each + 1}`)])
  })
})

describe('race', () => {
  test('dials the next one 250 ms after the one before, and takes the first that succeeds', async () => {
    const course = new Course('fd00::1', '10.0.0.1', 'fd00::2')
    await course.clock.move(600)
    expect(course.starts).toEqual(['fd00::1 0', '10.0.0.1 250', 'fd00::2 500'])
    course.succeed('10.0.0.1')
    expect((await course.result).host).toBe('10.0.0.1')
    expect([course.cut, course.signalled, course.clock.timers]).toEqual([[], ['fd00::1', 'fd00::2'], 0])
  })

  test('dials the next one at once when the one before has failed, and 250 ms later the one after', async () => {
    const course = new Course('fd00::1', '10.0.0.1', '10.0.0.2', '10.0.0.3')
    await course.clock.move(100)
    await course.fail('fd00::1')
    await course.clock.move(249)
    expect(course.starts).toEqual(['fd00::1 0', '10.0.0.1 100'])
    await course.clock.move(1)
    expect(course.starts).toEqual(['fd00::1 0', '10.0.0.1 100', '10.0.0.2 350'])
    // One that is not the last to have been started changes nothing.
    await course.fail('10.0.0.1')
    expect(course.starts.length).toBe(3)
    await course.clock.move(250)
    expect(course.starts.at(-1)).toBe('10.0.0.3 600')
    course.succeed('10.0.0.3')
    expect((await course.result).host).toBe('10.0.0.3')
  })

  test('dials nobody any more when one has succeeded', async () => {
    const course = new Course('fd00::1', '10.0.0.1')
    course.succeed('fd00::1')
    await course.result
    await course.clock.move(10_000)
    expect([course.starts, course.clock.timers]).toEqual([['fd00::1 0'], 0])
  })

  test('cuts those that succeed after it, at the same moment or later', async () => {
    const course = new Course('fd00::1', '10.0.0.1', '10.0.0.2')
    await course.clock.move(500)
    course.succeed('10.0.0.1')
    course.succeed('fd00::1')
    expect((await course.result).host).toBe('10.0.0.1')
    await settle()
    expect(course.cut).toEqual(['fd00::1'])
    course.succeed('10.0.0.2')
    await settle()
    expect(course.cut).toEqual(['fd00::1', '10.0.0.2'])
  })

  test('is lost when all have failed: at once, and with the reason of one', async () => {
    const course = new Course('fd00::1', '10.0.0.1')
    await course.clock.move(250)
    await course.fail('fd00::1')
    await course.fail('10.0.0.1')
    const reason = await course.refusal()
    expect([reason.code, reason.sentence]).toEqual(['unreachable', 'no address of the other device leads there'])
    expect([SealwireError.from(reason.cause).sentence, course.clock.timers]).toEqual(['10.0.0.1 is not there', 0])
  })

  test('tells that somebody else was there, rather than that nobody was', async () => {
    const course = new Course('fd00::1', '10.0.0.1')
    await course.fail('fd00::1', new SealwireError('untrusted', 'somebody else'))
    await course.fail('10.0.0.1')
    expect((await course.refusal()).message).toBe('[untrusted] somebody else')
  })

  test('takes the device where it is, whoever else is elsewhere', async () => {
    const course = new Course('fd00::1', '10.0.0.1')
    await course.fail('fd00::1', new SealwireError('untrusted', 'somebody else'))
    course.succeed('10.0.0.1')
    expect((await course.result).host).toBe('10.0.0.1')
  })

  test('ends after three seconds, whatever is under way, and cuts what succeeds then', async () => {
    const course = new Course('fd00::1', '10.0.0.1')
    await course.clock.move(2999)
    expect(course.signalled).toEqual([])
    await course.clock.move(1)
    const reason = await course.refusal()
    expect([reason.code, reason.sentence]).toEqual(['unreachable', 'nobody answered within 3 s'])
    expect([course.signalled, course.clock.timers]).toEqual([['fd00::1', '10.0.0.1'], 0])
    course.succeed('fd00::1')
    await settle()
    expect(course.cut).toEqual(['fd00::1'])
  })

  test('is given up by its caller, before it or in the middle of it', async () => {
    const controller = new AbortController()
    const course = new Course({ signal: controller.signal }, 'fd00::1', '10.0.0.1')
    await course.clock.move(250)
    controller.abort()
    expect((await course.refusal()).sentence).toBe('the direct link was given up')
    expect([course.signalled, course.clock.timers]).toEqual([['fd00::1', '10.0.0.1'], 0])
    const late = new Course({ signal: controller.signal }, 'fd00::1')
    expect([(await late.refusal()).code, late.starts, late.clock.timers]).toEqual(['unreachable', [], 0])
  })

  test('is lost at once where there is nobody to dial', async () => {
    const course = new Course()
    expect([(await course.refusal()).code, course.clock.timers]).toEqual(['unreachable', 0])
  })

  test('takes the times that it is told, and fails with a dial that throws at once', async () => {
    const course = new Course({ staggerMs: 10, totalMs: 50 }, 'fd00::1', '10.0.0.1')
    await course.clock.move(49)
    expect(course.starts).toEqual(['fd00::1 0', '10.0.0.1 10'])
    await course.clock.move(1)
    expect((await course.refusal()).sentence).toBe('nobody answered within 0.05 s')
    const clock = new ManualClock()
    const broken = (): never => {
      throw new TypeError('a bug')
    }
    const reason = await caught(race(at('fd00::1'), broken, { clock }))
    expect([reason.code, SealwireError.from(reason.cause).code, clock.timers]).toEqual(['unreachable', 'internal', 0])
  })
})

interface TestRunner extends Runner {
  readonly host: string
}

/** A race whose dials the test lets succeed and fail. */
class Course {
  readonly clock = new ManualClock(startedAt)
  readonly starts: string[] = []
  /** Those that had succeeded and were cut. */
  readonly cut: string[] = []
  /** Those that were told to give up. */
  readonly signalled: string[] = []
  readonly result: Promise<TestRunner>
  readonly #dials = new Map<string, PromiseWithResolvers<TestRunner>>()

  constructor(...parts: readonly (string | Partial<RaceOptions>)[]) {
    const options = parts.find((each) => typeof each === 'object') ?? {}
    const dialled = parts.filter((each) => typeof each === 'string')
    this.result = race(at(...dialled), (candidate, { signal }) => this.#dial(candidate, signal), { clock: this.clock, ...options })
    this.result.catch(() => {})
  }

  succeed(host: string): void {
    this.#dials.get(host)?.resolve({ host, terminate: () => void this.cut.push(host) })
  }

  async fail(host: string, reason: Error = new SealwireError('unreachable', `${host} is not there`)): Promise<void> {
    this.#dials.get(host)?.reject(reason)
    await settle()
  }

  refusal(): Promise<SealwireError> {
    return caught(this.result)
  }

  #dial({ host }: Candidate, signal: AbortSignal): Promise<TestRunner> {
    this.starts.push(`${host} ${this.clock.monotonic() - startedAt}`)
    const dial = Promise.withResolvers<TestRunner>()
    this.#dials.set(host, dial)
    // One that has won is left alone.
    void dial.promise.then(
      () => this.#dials.delete(host),
      () => this.#dials.delete(host),
    )
    signal.addEventListener('abort', () => this.#dials.has(host) && this.signalled.push(host))
    return dial.promise
  }
}

async function caught(promise: Promise<unknown>): Promise<SealwireError> {
  return promise.then(
    () => new SealwireError('internal', 'it was won'),
    (reason: unknown) => SealwireError.from(reason),
  )
}

function at(...all: readonly string[]): readonly Candidate[] {
  return all.map((host) => ({ host, port: 4000 }))
}

function hosts(candidates: readonly Candidate[]): readonly string[] {
  return candidates.map(({ host }) => host)
}

// What meetings are made of, each by itself.

import { describe, expect, test } from 'bun:test'
import { Attempt, type AttemptParts } from '../../../src/client/direct/attempt.ts'
import { Attempts } from '../../../src/client/direct/attempts.ts'
import type { Candidate } from '../../../src/client/direct/candidates.ts'
import { Doorway } from '../../../src/client/direct/doorway.ts'
import { OfferRate } from '../../../src/client/direct/offer-rate.ts'
import { Partner } from '../../../src/client/direct/partner.ts'
import type { PeerListenOptions } from '../../../src/link/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { ManualClock, settle } from '../../support/manual-clock.ts'
import { someAnswers } from '../../support/peer-says.ts'
import { rejectionOf } from '../../support/refusal.ts'

const limits = resolveLimits()
const token = new Uint8Array(16)
const there: readonly Candidate[] = [{ host: '10.0.0.1', port: 1 }]

class TestLink {
  end: string | undefined
  terminate({ code }: SealwireError): void {
    this.end = code
  }
}

/** One attempt whose dials the test answers. */
class Course {
  readonly clock = new ManualClock()
  readonly told: string[] = []
  readonly dials: { readonly signal: AbortSignal; readonly answer: PromiseWithResolvers<TestLink> }[] = []
  readonly attempt: Attempt<TestLink>

  constructor(side: 'smaller' | 'larger') {
    const parts: AttemptParts<TestLink> = {
      clock: this.clock,
      limits,
      greet: (_, signal) => {
        const answer = Promise.withResolvers<TestLink>()
        signal.addEventListener('abort', () => answer.reject(new SealwireError('unreachable', 'given up')))
        this.dials.push({ signal, answer })
        return answer.promise
      },
      linked: (link) => this.told.push(`linked${link.end ?? ''}`),
      ended: (why) => this.told.push(`ended ${why}`),
    }
    const [ours, theirs] = side === 'smaller' ? ['a', 'b'] : ['b', 'a']
    this.attempt = new Attempt({ token, ours, theirs, lifeMs: 10_000 }, parts)
  }

  async answer(link: TestLink): Promise<void> {
    this.dials.at(-1)?.answer.resolve(link)
    await settle()
  }

  async fail(code: 'unreachable' | 'untrusted' = 'unreachable'): Promise<void> {
    this.dials.at(-1)?.answer.reject(new SealwireError(code, 'as the test says'))
    await settle()
  }
}

describe('an attempt', () => {
  test('that dials is linked by the first answer, and lets nobody in after it', async () => {
    const { attempt, told, clock, ...course } = new Course('smaller')
    attempt.dial(there)
    course.dials.at(-1)?.answer.resolve(new TestLink())
    await settle()
    expect([told, clock.timers, attempt.isOver]).toEqual([['linked', 'ended undefined'], 0, true])
    expect(await rejectionOf(attempt.admit())).toBe('not_permitted')
  })

  test('of the smaller one holds a hello until its own dials have failed', async () => {
    const course = new Course('smaller')
    const { attempt, told } = course
    attempt.dial(there)
    let isAdmitted = false
    const admitted = attempt.admit().then(() => (isAdmitted = true))
    await course.clock.move(2_000)
    expect([isAdmitted, course.dials[0]?.signal.aborted]).toEqual([false, false])
    expect(await rejectionOf(attempt.admit())).toBe('conflict')
    await course.fail()
    await admitted
    attempt.accepted(new TestLink())
    expect([told, course.clock.timers]).toEqual([['linked', 'ended undefined'], 0])
  })

  test('of the smaller one refuses the hello that it holds when it has a link', async () => {
    const course = new Course('smaller')
    course.attempt.dial(there)
    const refused = rejectionOf(course.attempt.admit())
    await course.answer(new TestLink())
    expect([await refused, course.told]).toEqual(['conflict', ['linked', 'ended undefined']])
  })

  test('of the larger one answers a hello at once, and cuts its own dials', async () => {
    const course = new Course('larger')
    const { attempt } = course
    attempt.dial(there)
    await attempt.admit()
    await settle()
    expect(course.dials[0]?.signal.aborted).toBe(true)
    attempt.accepted(new TestLink())
    expect(course.told).toEqual(['linked', 'ended undefined'])
    // A link too many is cut.
    const late = new TestLink()
    attempt.accepted(late)
    expect([late.end, course.told.length]).toEqual(['conflict', 2])
  })

  test('of the larger one dials for twice as long', async () => {
    for (const [side, totalMs] of [
      ['smaller', 3_000],
      ['larger', 6_000],
    ] as const) {
      const course = new Course(side)
      course.attempt.dial(there)
      await course.clock.move(totalMs - 1)
      expect([side, course.dials[0]?.signal.aborted]).toEqual([side, false])
      await course.clock.move(1)
      expect([side, course.dials[0]?.signal.aborted]).toEqual([side, true])
    }
  })

  test('takes another hello when the connection of the first one has ended before its answer', async () => {
    const course = new Course('larger')
    await course.attempt.admit()
    expect(await rejectionOf(course.attempt.admit())).toBe('conflict')
    course.attempt.acceptFailed()
    await course.attempt.admit()
    // Whoever was told hello does not dial any more.
    course.attempt.dial(there)
    expect(course.dials.length).toBe(0)
    course.attempt.accepted(new TestLink())
    expect(course.told).toEqual(['linked', 'ended undefined'])
  })

  test('ends with its token, and says that somebody else was there if that is so', async () => {
    for (const [code, why] of [
      ['unreachable', 'ended unreachable'],
      ['untrusted', 'ended untrusted'],
    ] as const) {
      const course = new Course('smaller')
      course.attempt.dial(there)
      await course.fail(code)
      await course.clock.move(9_999)
      expect(course.told).toEqual([])
      await course.clock.move(1)
      expect([course.told, course.clock.timers]).toEqual([[why], 0])
    }
  })

  test('that is given up cuts its dials, refuses the hello that it holds, and keeps no link', async () => {
    const course = new Course('smaller')
    const { attempt, dials } = course
    attempt.dial(there)
    const refused = rejectionOf(attempt.admit())
    attempt.end('lost')
    attempt.end('lost')
    expect([await refused, dials[0]?.signal.aborted, course.told, course.clock.timers]).toEqual(['conflict', true, ['ended lost'], 0])
  })
})

describe('attempts', () => {
  test('are 16 at once, and one a device: one more ends the oldest, another one with a device the one before', () => {
    const clock = new ManualClock()
    const ended: string[] = []
    const attempts = new Attempts({
      peer: { clock, limits, answers: someAnswers },
      identity: () => ({ certificate: { chain: '', key: '' }, spki: '' }),
      dial: () => Promise.reject(new SealwireError('unreachable', 'nobody is there')),
      verify() {},
      assure: async () => {},
      linked() {},
      ended: ({ peer }, _, why) => ended.push(`${peer.device} ${why}`),
    })
    const partner = new Partner('bob')
    const start = (device: string) => attempts.start({ partner, peer: { name: 'bob', device, spki: device }, token, lifeMs: 10_000 })
    for (let at = 0; at < 16; at++) start(`device${at}`)
    expect([attempts.size, ended]).toEqual([16, []])
    start('device16')
    const again = start('device1')
    expect([attempts.size, partner.underWay.size, ended]).toEqual([16, 16, ['device0 connecting', 'device1 undefined']])
    expect([attempts.find('device1', token) === again, attempts.find('device1', new Uint8Array(16).fill(1))]).toEqual([true, undefined])
    attempts.close()
    expect([attempts.size, partner.underWay.size, clock.timers]).toEqual([0, 0, 0])
  })
})

describe('the rate of offers', () => {
  test('is 8 a minute, of which 6 answers, and 5 to the same contact', async () => {
    const clock = new ManualClock()
    const rate = new OfferRate(clock, limits)
    const answers = ['bob', 'bob', 'bob', 'bob', 'bob', 'bob', 'carol', 'carol'].map((key) => rate.answer(key))
    expect(answers.map((spend) => spend !== undefined)).toEqual([true, true, true, true, true, false, true, false])
    for (const spend of answers) spend?.made()
    await clock.move(1_000)
    const own = [rate.offer(), rate.offer(), rate.offer()]
    expect(own.map((spend) => spend !== undefined)).toEqual([true, true, false])
    // What is not made yet has its minute before it.
    await clock.move(30_000)
    for (const spend of own) spend?.made()
    expect(rate.waitMs).toBe(29_000)
    await clock.move(29_000)
    expect([rate.waitMs, rate.answer('bob') !== undefined]).toEqual([0, true])
  })

  test('has room again for what was not offered at last, and none for what was', () => {
    const rate = new OfferRate(new ManualClock(), limits)
    const own = Array.from({ length: 8 }, () => rate.offer())
    expect(rate.offer()).toBeUndefined()
    own[0]?.made()
    for (const spend of own) spend?.dropped()
    expect(Array.from({ length: 8 }, () => rate.offer() !== undefined)).toEqual([true, true, true, true, true, true, true, false])
  })

  test('waits for those that are not made yet', () => {
    const rate = new OfferRate(new ManualClock(), limits)
    const own = Array.from({ length: 8 }, () => rate.offer())
    expect([rate.waitMs, rate.offer(), rate.answer('bob')]).toEqual([Number.POSITIVE_INFINITY, undefined, undefined])
    own[0]?.made()
    expect(rate.waitMs).toBe(60_000)
  })
})

describe('a doorway', () => {
  /** Where these hosts cannot be listened at. */
  function doorway(...missing: readonly string[]) {
    const open = new Set<string>()
    const door = new Doorway({
      listen: async ({ host, port }: PeerListenOptions) => {
        await settle()
        if (missing.includes(host)) throw new SealwireError('address_unavailable', 'there is no such address here')
        if (open.size > 0) throw new SealwireError('address_unavailable', 'it is in use')
        open.add(host)
        return { host, port: port || 4_711, close: () => void open.delete(host), [Symbol.asyncDispose]: async () => {} }
      },
      identity: () => ({ chain: '', key: '' }),
      verify() {},
      announce: [{ host: '203.0.113.9', port: 99 }],
      peer: { clock: new ManualClock(), limits, answers: someAnswers },
      greetingsMax: 16,
      identify: () => undefined,
      admit: () => Promise.reject(new SealwireError('not_permitted', 'nobody is let in')),
    })
    return { door, open }
  }

  test('is at all addresses, at those of IPv4 where there is no IPv6, and only announced where there is none', async () => {
    for (const [missing, hosts] of [
      [[], ['::']],
      [['::'], ['0.0.0.0']],
      [['::', '0.0.0.0'], []],
    ] as const) {
      const { door, open } = doorway(...missing)
      const told = await door.open(door, '198.51.100.7')
      expect([...open]).toEqual([...hosts])
      expect([told[0], told.length <= 8]).toEqual([{ host: '203.0.113.9', port: 99 }, true])
      expect(told.some(({ host }) => host === '198.51.100.7')).toBe(hosts.length > 0)
      await door.close()
      expect([open.size, door.isOpen]).toEqual([0, false])
    }
  })

  test('is open as long as somebody needs it, and never twice', async () => {
    const { door, open } = doorway()
    const [one, other] = [{}, {}]
    const both = [door.open(one, undefined), door.open(other, undefined)]
    door.leave(one)
    await Promise.all(both)
    expect([door.isOpen, open.size]).toEqual([true, 1])
    door.leave(other)
    const again = door.open(one, undefined)
    expect((await again).length).toBeGreaterThan(1)
    expect(open.size).toBe(1)
    door.leave(one)
    door.leave(one)
    await door.close()
    expect(open.size).toBe(0)
  })
})

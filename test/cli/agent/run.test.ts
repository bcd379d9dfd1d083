import { describe, expect, test } from 'bun:test'
import { type AgentPeer, runAgent } from '../../../src/cli/agent/run.ts'
import { type Code, SealwireError } from '../../../src/protocol/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { AgentStage } from './support.ts'

const plan = { count: 5, intervalMs: 1000 }
const five = [1, 2, 3, 4, 5].map((number) => `Hello from client! ${number}`)

/** A peer that echoes `echoes` messages and is lost then. */
class Peer implements AgentPeer {
  readonly pin = 'SHA256:…'
  closed = 0
  readonly renewBefore: number | undefined
  #left: number

  constructor(echoes = Infinity, renewBefore?: number) {
    this.#left = echoes
    this.renewBefore = renewBefore
  }

  async echo(message: Uint8Array): Promise<Uint8Array> {
    if (this.#left-- <= 0) throw failure('connection_lost')
    return message
  }

  async close(): Promise<void> {
    this.closed++
  }
}

describe('the agent', () => {
  test('sends its messages an interval apart, tells each as it comes back, and closes', async () => {
    const [stage, peer] = [new AgentStage(), new Peer()]
    await runAgent(
      plan,
      stage.parts(async () => peer),
    )
    expect(stage.echoes).toEqual(five)
    expect(stage.waits).toEqual([1000, 1000, 1000, 1000])
    expect(stage.events).toEqual(['connected', 'echoed', 'echoed', 'echoed', 'echoed', 'echoed', 'done'])
    expect(stage.news.at(-1)).toEqual({ event: 'done', messages: 5 })
    expect(peer.closed).toBe(1)
  })

  test('connects again after 1 s, doubling to 30 s, and gives up after as many connections as the limit says', async () => {
    const stage = new AgentStage({ agentAttemptsMax: 8 })
    const dial = async (): Promise<AgentPeer> => {
      throw failure('unreachable')
    }
    expect(await rejectionOf(runAgent(plan, stage.parts(dial)))).toBe('unreachable')
    expect(stage.waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(stage.news[0]).toEqual({ event: 'waiting', ms: 1000, code: 'unreachable', sentence: 'as the test says' })
  })

  test('says what to look at with the first wait', async () => {
    const stage = new AgentStage({ agentAttemptsMax: 3 })
    const dial = async (): Promise<AgentPeer> => {
      throw new SealwireError('unreachable', 'no', { hint: 'check the port' })
    }
    expect(await rejectionOf(runAgent(plan, stage.parts(dial)))).toBe('unreachable')
    expect(stage.news.map((news) => news.event === 'waiting' && news.hint)).toEqual(['check the port', undefined])
  })

  test.each([
    [0, [800, 1600, 3200, 6400, 12_800, 24_000]],
    [0.999_999, [1200, 2400, 4800, 9600, 19_200, 36_000]],
  ])('waits up to a fifth less or more, as chance has it (%p)', async (random, waits) => {
    const stage = new AgentStage({ agentAttemptsMax: 7 })
    stage.random = random
    await rejectionOf(
      runAgent(
        plan,
        stage.parts(() => Promise.reject(failure('unreachable'))),
      ),
    )
    expect(stage.waits).toEqual(waits)
  })

  test('goes on where a broken connection has left it, and each echo makes the next wait a short one', async () => {
    const stage = new AgentStage({ agentAttemptsMax: 3 })
    const peers = [new Peer(0), new Peer(1), new Peer(0), new Peer(2), new Peer()]
    const left = [...peers]
    await runAgent(
      { ...plan, intervalMs: 0 },
      stage.parts(async () => left.shift() ?? new Peer()),
    )
    expect(stage.echoes).toEqual(five)
    expect(stage.waits.filter((ms) => ms > 0)).toEqual([1000, 1000, 2000, 1000])
    expect(peers.map(({ closed }) => closed)).toEqual([1, 1, 1, 1, 1])
  })

  test('replaces a connection that does not last until the next message, in order and without a word', async () => {
    const stage = new AgentStage()
    const now = stage.parts(async () => new Peer()).clock.monotonic()
    const peers = [new Peer(Infinity, now), new Peer(Infinity, now + 3_600_000), new Peer()]
    const left = [...peers]
    await runAgent(
      plan,
      stage.parts(async () => left.shift() ?? new Peer()),
    )
    expect(stage.echoes).toEqual(five)
    expect(stage.events).toEqual(['connected', 'echoed', 'echoed', 'echoed', 'echoed', 'echoed', 'done'])
    expect(stage.waits).toEqual([1000, 1000, 1000, 1000])
    expect(peers.map(({ closed }) => closed)).toEqual([1, 1, 0])
  })

  test.each(['untrusted', 'version_unsupported', 'unexpected', 'internal'] as const)(
    'does not try again what that cannot mend: %s',
    async (code) => {
      const stage = new AgentStage()
      expect(
        await rejectionOf(
          runAgent(
            plan,
            stage.parts(() => Promise.reject(failure(code))),
          ),
        ),
      ).toBe(code)
      expect(stage.waits).toEqual([])
    },
  )

  test('ends when something else comes back', async () => {
    const stage = new AgentStage()
    const peer = new Peer()
    peer.echo = async () => Buffer.from('Hello from client? 1')
    expect(
      await rejectionOf(
        runAgent(
          plan,
          stage.parts(async () => peer),
        ),
      ),
    ).toBe('unexpected')
    expect([stage.echoes, peer.closed]).toEqual([[], 1])
  })

  test.each(['connected', 'echoed', 'waiting'] as const)('is stopped in order after %s', async (event) => {
    const stage = new AgentStage()
    const peers = [new Peer(2), new Peer()]
    const left = [...peers]
    stage.onNews = (news) => void (news.event === event && stage.stop.abort())
    await runAgent(
      plan,
      stage.parts(async () => left.shift() ?? new Peer()),
    )
    const told = { connected: 0, echoed: 1, waiting: 2 }[event]
    expect(stage.news.at(-1)).toEqual({ event: 'done', messages: told })
    expect(peers.map(({ closed }) => closed)).toEqual([1, 0])
  })
})

function failure(code: Code): SealwireError {
  return new SealwireError(code, 'as the test says')
}

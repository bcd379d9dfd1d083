import { describe, expect, test } from 'bun:test'
import { KeyPair, keyPin, type StaticKeys } from '../../../src/channel/index.ts'
import { runAgent } from '../../../src/cli/agent/run.ts'
import { AgentV2 } from '../../../src/cli/agent/v2.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { AgentStage, SealedEcho } from './support.ts'

const plan = { count: 5, intervalMs: 0 }
const other = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

describe('the agent over v2', () => {
  test('has every message echoed by the server with this pin', async () => {
    using server = await SealedEcho.start()
    const stage = new AgentStage()
    await runAgent(plan, stage.parts(dialler(server, server.pin)))
    expect(stage.echoes).toHaveLength(5)
    expect(stage.news[0]).toEqual({ event: 'connected', pin: server.pin })
    expect([server.connections, server.openLinks]).toEqual([1, 0])
  })

  test('says nothing to a server with another key, and does not try again', async () => {
    using server = await SealedEcho.start()
    const stage = new AgentStage()
    const reason: unknown = await runAgent(plan, stage.parts(dialler(server, other))).catch((error: unknown) => error)
    const { code, sentence } = SealwireError.from(reason)
    expect([code, sentence.includes(server.pin), sentence.includes(other)]).toEqual(['untrusted', true, true])
    expect([stage.waits, stage.events, server.connections]).toEqual([[], [], 0])
  })

  test('shows the key of the server when it has no pin, and keeps to it', async () => {
    const first = await SealedEcho.start({ echoesMax: 2 })
    const dial = dialler(first, undefined)
    const stage = new AgentStage()
    let second: Promise<SealedEcho> | undefined
    stage.onNews = ({ event }) => {
      if (event !== 'waiting') return
      first[Symbol.dispose]()
      second = SealedEcho.start({ port: first.server.port, staticKey: KeyPair.generate() })
    }
    const parts = stage.parts(dial)
    const wait = async (ms: number, signal: AbortSignal): Promise<void> => {
      await parts.wait(ms, signal)
      await second
    }
    expect(await rejectionOf(runAgent(plan, { ...parts, wait }))).toBe('untrusted')
    expect(stage.news[0]).toEqual({ event: 'connected', pin: first.pin })
    expect(stage.echoes).toHaveLength(2)
    ;(await second)?.[Symbol.dispose]()
  })

  test('follows a server whose key is being replaced, and is known by the new key after that', async () => {
    const [old, next] = [KeyPair.generate(), KeyPair.generate()]
    let keys: StaticKeys = { current: old, next: { key: next, until: Date.now() + 60_000 } }
    using server = await SealedEcho.start({ staticKey: old, keys: () => keys, echoesMax: 2 })
    const stage = new AgentStage()
    stage.onNews = ({ event }) => void (event === 'waiting' && (keys = { current: next }))
    await runAgent(plan, stage.parts(dialler(server, server.pin)))
    expect(stage.news.flatMap((news) => (news.event === 'connected' ? [news.pin] : []))).toEqual([
      server.pin,
      keyPin(next.publicKey),
      keyPin(next.publicKey),
    ])
  })

  test('makes another connection before a server that waits for a login gives up', async () => {
    using server = await SealedEcho.start()
    const stage = new AgentStage({ loginMsMax: 1_000 })
    const parts = stage.parts(dialler(server, server.pin, stage))
    await runAgent({ count: 3, intervalMs: 600 }, parts)
    expect([stage.events, server.connections]).toEqual([['connected', 'echoed', 'echoed', 'echoed', 'done'], 3])
  })

  test('comes back when the server has ended the connection', async () => {
    using server = await SealedEcho.start({ echoesMax: 2 })
    const stage = new AgentStage()
    await runAgent(plan, stage.parts(dialler(server, server.pin)))
    expect(stage.echoes).toHaveLength(5)
    expect(server.connections).toBe(3)
  })
})

function dialler({ server }: SealedEcho, pin: string | undefined, { limits } = new AgentStage()) {
  const agent = new AgentV2(server, pin, { clock: systemClock, limits })
  return (signal: AbortSignal) => agent.dial(signal)
}

// What who reaches a limit of a session is told, and that each time is counted under the name of the limit.

import { expect, test } from 'bun:test'
import { type Code, encodeFrame, type LimitName, type Limits } from '../../src/protocol/index.ts'
import { contractCommands } from '../../src/protocol/contract/index.ts'
import type { SessionOptions } from '../../src/server/session.ts'
import type { ContractPeer } from '../support/contract-peer.ts'
import { newId } from '../support/payer.ts'
import { ServerStage } from '../support/server-stage.ts'

interface Row {
  readonly limit: LimitName
  readonly limits?: Partial<Limits>
  readonly options?: SessionOptions
  /** Default: somebody who has only said Hello. */
  readonly who?: 'member'
  readonly reach: (peer: ContractPeer, stage: ServerStage) => unknown
  readonly told: Code
}

const { request } = contractCommands
const rows: readonly Row[] = [
  {
    limit: 'frameUnauthenticatedBytesMax',
    reach: (peer) => peer.raw(encodeFrame(request, new Uint8Array(2_000))),
    told: 'frame_too_large',
  },
  {
    limit: 'frameBodyBytesMax',
    limits: { frameBodyBytesMax: 1_500 },
    who: 'member',
    reach: (peer) => peer.raw(encodeFrame(request, new Uint8Array(2_000))),
    told: 'frame_too_large',
  },
  {
    limit: 'frameMsMax',
    who: 'member',
    reach: async (peer, stage) => {
      peer.raw(encodeFrame(request, new Uint8Array(100)).subarray(0, 50))
      await stage.clock.move(0)
      await stage.clock.move(stage.limits.frameMsMax + 1)
      sweep(stage)
    },
    told: 'frame_too_slow',
  },
  {
    limit: 'silentMsMax',
    who: 'member',
    reach: async (peer, stage) => {
      await peer.ask('session.ping', {})
      for (let waited = 0; waited <= stage.limits.silentMsMax + 2_000; waited += 1_000) {
        await stage.clock.move(1_000)
        sweep(stage)
      }
    },
    told: 'frame_too_slow',
  },
  { limit: 'loginMsMax', reach: (_, stage) => stage.clock.move(stage.limits.loginMsMax), told: 'login_too_slow' },
  {
    limit: 'joinMsMax',
    options: { joinOnly: true },
    limits: { loginMsMax: 600_000 },
    reach: async (_, stage) => {
      await stage.clock.move(stage.limits.joinMsMax + 1)
      sweep(stage)
    },
    told: 'login_too_slow',
  },
  {
    limit: 'heldBytesMax',
    limits: { heldBytesMax: 65_536 },
    who: 'member',
    reach: async (peer, stage) => {
      stage.before.set('account.setVisibility', () => new Promise(() => {}))
      peer.send('account.visibility', { visibility: 'everyone' })
      await stage.clock.move(0)
      for (const session of stage.sessions) session.received(encodeFrame(request, new Uint8Array(60_000)))
      for (const session of stage.sessions) session.received(encodeFrame(request, new Uint8Array(60_000)))
    },
    told: 'overrun',
  },
]

test.each(rows)('$limit ends a connection with $told', async ({ limit, limits, options, who, reach, told }) => {
  using stage = new ServerStage(limits)
  const peer = await (who === 'member' ? stage.member('alice', options) : stage.guest(options))
  await stage.clock.move(0)
  await reach(peer, stage)
  const [last, end] = [await peer.next(), await peer.next()]
  expect([last.slice(0, 3), end]).toEqual([['fault', null, told], ['end']])
  const { counts } = stage.context
  expect(counts.limits.entries).toEqual([[limit, 1]])
  expect(counts.failed.entries).toEqual([[told, 1]])
  expect(counts.closed.entries.map(([, count]) => count)).toEqual([1])
})

test.each([
  ['requestsPerSecondUnauthenticatedMax', { requestsPerSecondUnauthenticatedMax: 1, requestsBurstUnauthenticatedMax: 1 }, 'guest'],
  ['messageDelayMsMax', { messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 1 }, 'member'],
] as const)('%s refuses a request that has waited too long, and the connection lives', async (limit, limits, who) => {
  using stage = new ServerStage({ ...limits, messageDelayMsMax: 100 })
  const peer = who === 'member' ? await stage.member('alice') : await stage.guest()
  const asked = Array.from({ length: 3 }, () => peer.send('presence.typing', { conversation: 9 }))
  await stage.clock.move(5_000)
  const outcomes = []
  for (const id of asked) outcomes.push([id, (await peer.next())[2]])
  expect(outcomes.map(([, code]) => code)).toContain('rate_limited')
  const { counts } = stage.context
  const [[name, count] = []] = counts.limits.entries
  expect([name, count]).toEqual([limit, outcomes.filter(([, code]) => code === 'rate_limited').length])
  expect(counts.requests['presence.typing'].refused.of('rate_limited')).toBe(count ?? 0)
  expect(counts.requestsDelayed).toBeGreaterThanOrEqual(count ?? 0)
})

test('tokenIdleMsMax: a token that nobody has used for so long is refused', async () => {
  using stage = new ServerStage()
  const { token } = await stage.member('alice')
  stage.clock.jump(stage.limits.tokenIdleMsMax)
  await (await stage.guest()).ask('account.resume', { token })
  stage.clock.jump(stage.limits.tokenIdleMsMax + stage.limits.tokenUsePrecisionMs + 1)
  expect(await (await stage.guest()).refusal('account.resume', { token })).toBe('login_refused')
})

test('peersRememberedMax: whoever was forgotten is looked up again', async () => {
  using stage = new ServerStage({ peersRememberedMax: 1 })
  const [alice, bob, carol] = [await stage.member('alice'), await stage.member('bob'), await stage.member('carol')]
  const asked: string[] = []
  for (const name of ['account.find', 'conversation.find'] as const) stage.before.set(name, async () => void asked.push(name))
  const says = async (to: string): Promise<number> =>
    (await alice.ask('message.send', { to, id: newId(), body: new Uint8Array(1) })).conversation
  const types = (conversation: number): Promise<unknown> => alice.ask('presence.typing', { conversation })
  for (const peer of [bob, carol]) {
    await alice.ask('contact.request', { name: peer.name, id: newId() })
    await peer.ask('contact.accept', { name: 'alice' })
  }
  const [withBob, withCarol] = [await says('bob'), await says('carol')]
  const looks = async (act: () => Promise<unknown>): Promise<number> => {
    asked.length = 0
    await act()
    return asked.length
  }
  expect([await looks(() => says('carol')), await looks(() => says('bob')), await looks(() => says('carol'))]).toEqual([0, 1, 1])
  const typed = [withBob, withBob, withCarol, withBob]
  const looked: number[] = []
  for (const conversation of typed) looked.push(await looks(() => types(conversation)))
  expect(looked).toEqual([1, 0, 1, 1])
})

test.each([
  ['housekeepingStepMax', 'conversation.expire', 501, 2],
  ['searchGroupMax', 'search.index', 4, 3],
] as const)('%s: %s takes so many in one step of the store, and more steps for more', async (_, name, count, steps) => {
  using stage = new ServerStage({ retentionSweepMs: 60_000, searchGroupMax: 2 })
  const alice = await stage.member('alice')
  const { conversation } = await alice.ask('room.create', { id: newId(), title: 'Garden' })
  await alice.ask('conversation.retain', { conversation, retentionMs: 1_000 })
  await stage.clock.move(120_000)
  let taken = 0
  stage.before.set(name, async () => void taken++)
  const said = {
    accountId: 1n,
    conversationId: BigInt(conversation),
    kind: 'message',
    type: 'text/plain',
    body: Buffer.from('word'),
  } as const
  for (let each = 0; each < count; each++) stage.store('entry.post', { ...said, id: newId(), at: BigInt(stage.clock.now()) })
  if (name === 'search.index') await alice.ask('message.send', { conversation, id: newId(), body: Buffer.from('the last one') })
  await stage.clock.move(name === 'search.index' ? 30_000 : 65_000)
  expect(taken).toBe(steps)
})

/** As the server does twice a second. */
function sweep(stage: ServerStage): void {
  for (const session of stage.sessions) session.sweep(stage.clock.monotonic())
}

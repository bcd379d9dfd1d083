// What who reaches a limit of a session is told, and that each time is counted under the name of the limit.

import { expect, test } from 'bun:test'
import { type Code, encodeFrame, type LimitName, type Limits } from '../../src/protocol/index.ts'
import { contractCommands } from '../../src/protocol/contract/index.ts'
import type { SessionOptions } from '../../src/server/session.ts'
import type { ContractPeer } from '../support/contract-peer.ts'
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

/** As the server does twice a second. */
function sweep(stage: ServerStage): void {
  for (const session of stage.sessions) session.sweep(stage.clock.monotonic())
}

// What a link is worth after the session with the server that it was asked for in: over links in memory, by the clock of the test.

import { describe, expect, test } from 'bun:test'
import { greetPeer } from '../../../src/client/direct/peer-greeting.ts'
import type { PeerLink } from '../../../src/client/direct/peer-link.ts'
import type { Method, Params, Result } from '../../../src/protocol/contract/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { type MeetingStage as Stage, stage } from '../../support/direct-meeting-stage.ts'
import type { Member } from '../../support/direct-square.ts'
import { settle } from '../../support/manual-clock.ts'
import { someAnswers } from '../../support/peer-says.ts'
import { shownBy } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'

const limits = resolveLimits()

type Offered = Stage & { readonly token: Uint8Array; readonly port: number }

/** Alice has offered, and Bob, whose meetings are not there, does as the test says. */
async function offered(): Promise<Offered> {
  const each = await stage()
  let heard: { token: Uint8Array; port: number } | undefined
  Object.assign(each.bob.meetings, {
    event: ({ event, data }: { event: string; data: { token: Uint8Array; candidates: readonly { port: number }[] } }) =>
      void (event === 'direct.offered' && (heard = { token: data.token, port: data.candidates[0]?.port ?? 0 })),
  })
  each.alice.meetings.reach('bob')
  await settle()
  if (heard === undefined) throw new Error('nothing was offered')
  return { ...each, ...heard }
}

/** Bob says hello. */
async function hello({ network, alice, bob, clock, token, port }: Offered): Promise<PeerLink> {
  const peer = { name: 'alice', device: alice.device, spki: alice.spki }
  const link = await network.dial({ host: '127.0.0.1', port, identity: shownBy(bob.signer), verify() {}, timeoutMs: 1_000 })
  return greetPeer(link, { peer, token }, { clock, limits, answers: someAnswers })
}

/** From now on the server answers only when the test says so. */
function held(member: Member, which: Method): () => void {
  const call = member.call.bind(member)
  const gate = Promise.withResolvers<void>()
  const slow = async <M extends Method>(method: M, params: Params<M>): Promise<Result<M>> => {
    const answer = await call(method, params)
    if (method === which) await gate.promise
    return answer
  }
  Object.assign(member, { call: slow })
  return gate.resolve
}

function asked({ asked: methods }: Member): number {
  return methods.filter((method) => method === 'direct.devices').length
}

describe('behind a new session with the server a device', () => {
  test('that was revoked meanwhile gets no answer to its hello', async () => {
    const each = await offered()
    const { alice, bob, square, network } = each
    alice.offline()
    square.revoke(bob)
    await settle()
    alice.online()
    await settle()
    expect(await rejectionOf(hello(each))).toMatch(/not_permitted|connection_lost|untrusted/)
    expect([alice.linked.length, network.pairs.some((pair) => pair.some(({ open }) => open))]).toEqual([0, false])
    await each[Symbol.asyncDispose]()
  })

  test('that was revoked meanwhile is not dialled', async () => {
    const each = await offered()
    const { alice, bob, square, network, token, port } = each
    alice.offline()
    square.revoke(bob)
    await settle()
    alice.online()
    alice.hear('direct.offered', { from: 'bob', device: bob.device, token, candidates: [{ host: '127.0.0.1', port }] })
    await settle()
    expect([network.dials, alice.linked.length]).toEqual([0, 0])
    await each[Symbol.asyncDispose]()
  })

  test('is let in once the server has named it anew, and ends when that server tells of its end', async () => {
    const each = await offered()
    const { alice, bob, square } = each
    alice.offline()
    alice.online()
    await settle()
    const before = asked(alice)
    const link = await hello(each)
    expect([link.open, asked(alice) - before]).toEqual([true, 1])
    square.revoke(bob)
    await settle()
    expect([link.open, alice.open('bob').length]).toEqual([false, 0])
    await each[Symbol.asyncDispose]()
  })

  test('waits for that no more than 3 s', async () => {
    const each = await offered()
    const { alice, clock } = each
    alice.offline()
    alice.online()
    await settle()
    const answer = held(alice, 'direct.devices')
    const refused = rejectionOf(hello(each))
    await clock.move(2_999)
    expect(alice.linked.length).toBe(0)
    await clock.move(1)
    expect(await refused).not.toBe('login_too_slow')
    answer()
    await settle()
    expect(alice.linked.length).toBe(0)
    await each[Symbol.asyncDispose]()
  })
})

test('a device that is revoked between two answers of the server gets no link', async () => {
  await using each = await stage()
  const { alice, bob, square, network } = each
  const answer = held(alice, 'conversation.find')
  alice.meetings.reach('bob')
  await settle()
  square.revoke(bob)
  await settle()
  answer()
  await settle()
  expect([alice.offers.length, alice.linked.length, network.listeners]).toEqual([0, 0, 0])
})

test('an offer that cannot be dealt with ends what it was for, and nothing else', async () => {
  const each = await offered()
  const { alice, bob, clock, token, port } = each
  const identity = Object.getOwnPropertyDescriptor(alice, 'spki')
  Object.defineProperty(alice, 'spki', {
    configurable: true,
    get() {
      throw new Error('the device file cannot be read')
    },
  })
  const event = { event: 'direct.offered', data: { from: 'bob', device: bob.device, token, candidates: [{ host: '127.0.0.1', port }] } }
  expect(() => alice.meetings.event(event as Parameters<typeof alice.meetings.event>[0])).not.toThrow()
  await settle()
  expect([alice.ways.at(-1), each.network.listeners]).toEqual(['bob unreachable', 0])
  if (identity !== undefined) Object.defineProperty(alice, 'spki', identity)
  await clock.move(2_000)
  expect(alice.offers.length).toBe(2)
  await each[Symbol.asyncDispose]()
})

test('a server that takes no more offers now is there all the same', async () => {
  await using each = await stage()
  each.alice.refuses.set('direct.offer', 'rate_limited')
  each.alice.meetings.reach('bob')
  await settle()
  expect(each.alice.ways).toEqual(['bob connecting'])
})

test('of those who have connected and say nothing, the ones of whoever has the most are cut', async () => {
  await using each = await stage({ directGreetingsMax: 4 })
  const { alice, bob, square, network } = each
  const carol = await square.member('carol')
  square.introduce('alice', 'carol')
  let port = 0
  for (const { meetings } of [bob, carol]) {
    Object.assign(meetings, {
      event: ({ event, data }: { event: string; data: { candidates: readonly { port: number }[] } }) =>
        void (event === 'direct.offered' && (port = data.candidates[0]?.port ?? 0)),
    })
  }
  for (const { name } of [bob, carol]) alice.meetings.reach(name)
  await settle()
  const dial = async ({ signer }: Member): Promise<void> => {
    const link = await network.dial({ host: '127.0.0.1', port, identity: shownBy(signer), verify() {}, timeoutMs: 1_000 })
    link.attach({ received() {}, drained() {}, closed() {} })
    await settle()
  }
  await dial(carol)
  for (let times = 0; times < 6; times++) await dial(bob)
  expect(network.pairs.map(([, far]) => far.open)).toEqual([true, false, false, false, true, true, true])
})

// Who is let in, by which token, and for how long: over links in memory, by the clock of the test.

import { describe, expect, test } from 'bun:test'
import { greetPeer } from '../../../src/client/direct/peer-greeting.ts'
import type { PeerLink } from '../../../src/client/direct/peer-link.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { linkedStage, type MeetingStage as Stage, minuteMs, stage, wall } from '../../support/direct-meeting-stage.ts'
import type { Member } from '../../support/direct-square.ts'
import { settle } from '../../support/manual-clock.ts'
import { someAnswers } from '../../support/peer-says.ts'
import { shownBy } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'

const limits = resolveLimits()

describe('a token', () => {
  /** Alice has offered, and Bob, whose meetings are not there, does as the test says. */
  async function offered(): Promise<Stage & { readonly token: Uint8Array; readonly port: number }> {
    const each = await stage()
    let heard: { token: Uint8Array; port: number } | undefined
    Object.assign(each.bob.meetings, {
      event: ({ data }: { data: { token: Uint8Array; candidates: readonly { port: number }[] } }) =>
        void (heard = { token: data.token, port: data.candidates[0]?.port ?? 0 }),
    })
    each.alice.meetings.reach('bob')
    await settle()
    if (heard === undefined) throw new Error('nothing was offered')
    return { ...each, ...heard }
  }

  async function hello(
    { clock, network, alice }: Stage,
    by: Member,
    token: Uint8Array,
    port: number,
    signal?: AbortSignal,
  ): Promise<PeerLink> {
    const options = { host: '127.0.0.1', port, identity: shownBy(by.signer), verify() {}, timeoutMs: 1_000 }
    const peer = { name: 'alice', device: alice.device, spki: alice.spki }
    return greetPeer(
      await network.dial(options),
      { peer, token, ...(signal === undefined ? {} : { signal }) },
      { clock, limits, answers: someAnswers },
    )
  }

  test('lets its device in once, before the answer has come', async () => {
    const each = await offered()
    const { alice, bob, token, port, clock } = each
    const link = await hello(each, bob, token, port)
    expect([link.open, alice.open('bob').length]).toEqual([true, 1])
    expect(await rejectionOf(hello(each, bob, token, port))).toBe('not_permitted')
    expect([link.open, alice.linked.length]).toEqual([true, 1])
    await clock.move(10_000)
    expect(await rejectionOf(hello(each, bob, token, port))).toBe('unreachable')
    await each[Symbol.asyncDispose]()
  })

  test('that is unknown, expired, or another device’s lets nobody in', async () => {
    const each = await offered()
    const { alice, bob, square, token, port, clock } = each
    expect(
      await rejectionOf(
        hello(
          each,
          bob,
          token.map((byte) => byte ^ 1),
          port,
        ),
      ),
    ).toBe('not_permitted')
    // Carol has her own, and a door that is open.
    const carol = await square.member('carol')
    square.introduce('alice', 'carol')
    let hers: Uint8Array = new Uint8Array()
    Object.assign(carol.meetings, { event: ({ data }: { data: { token: Uint8Array } }) => void (hers = data.token) })
    alice.meetings.reach('carol')
    await settle()
    expect(await rejectionOf(hello(each, carol, token, port))).toBe('not_permitted')
    expect(await rejectionOf(hello(each, bob, hers, port))).toBe('not_permitted')
    expect([alice.linked.length, hers.length]).toEqual([0, 16])
    // After 10 s, with the door open for a later offer.
    await clock.move(9_000)
    const again = await hello(each, bob, token, port).catch(() => undefined)
    expect(again).toBeUndefined()
    await each[Symbol.asyncDispose]()
  })

  test('of an offer that was answered is the answering device’s alone', async () => {
    await using each = await stage()
    const { alice, bob, square } = each
    const second = await square.member('bob')
    const token = new Uint8Array(16).fill(7)
    for (const { meetings } of [bob, second]) Object.assign(meetings, { event() {} })
    alice.hear('direct.offered', { from: 'bob', device: bob.device, token, candidates: [] })
    await settle()
    const port = 40_000
    expect(await rejectionOf(hello(each, second, token, port))).toBe('not_permitted')
    const link = await hello(each, bob, token, port)
    expect([link.open, alice.linked.map(({ peer }) => peer.device)]).toEqual([true, [bob.device]])
  })

  test('that both sides have is answered once, and ours is given up where theirs goes on', async () => {
    const each = await offered()
    const { alice, bob, token, port } = each
    const asked = (): number => alice.asked.filter((method) => method === 'direct.devices').length
    const [before, smaller] = [asked(), new Uint8Array(16)]
    for (let times = 0; times < 3; times++) {
      alice.hear('direct.offered', { from: 'bob', device: bob.device, token: smaller, candidates: [] })
      await settle()
    }
    expect(asked()).toBe(before + 1)
    expect(await rejectionOf(hello(each, bob, token, port))).toBe('not_permitted')
    expect((await hello(each, bob, smaller, port)).open).toBe(true)
    await each[Symbol.asyncDispose]()
  })

  test('is no use to a device with which nothing is under way', async () => {
    const each = await linkedStage()
    const { alice, bob, clock, network, square } = each
    await clock.move(11_000)
    wall(each)
    await square.member('carol')
    square.introduce('alice', 'carol')
    alice.meetings.reach('carol')
    await settle()
    wall(each, false)
    const port = 40_000 + network.ports - 2
    expect(await rejectionOf(hello(each, bob, new Uint8Array(16), port))).toBe('connection_lost')
    await each[Symbol.asyncDispose]()
  })

  test('is still good when the connection that was to wait is gone', async () => {
    // Whose key is the smaller one is chance.
    let each = await stage()
    while (each.alice.spki > each.bob.spki) {
      await each[Symbol.asyncDispose]()
      each = await stage()
    }
    const { alice, bob, clock, network } = each
    const dialler = shownBy(alice.signer).chain
    network.wall = (by) => by === dialler
    Object.assign(bob.meetings, { event() {} })
    const token = new Uint8Array(16).fill(3)
    alice.hear('direct.offered', { from: 'bob', device: bob.device, token, candidates: [{ host: '10.0.0.1', port: 9 }] })
    await settle()
    const giveUp = new AbortController()
    const first = rejectionOf(hello(each, bob, token, 40_000, giveUp.signal))
    await settle()
    giveUp.abort()
    expect(await first).toBe('unreachable')
    await clock.move(3_000)
    expect((await hello(each, bob, token, 40_000)).open).toBe(true)
    await each[Symbol.asyncDispose]()
  })
})

describe('a device that is good no more', () => {
  test('has no link from that moment on', async () => {
    await using each = await linkedStage()
    const { alice, bob, square, link, network } = each
    square.revoke(bob)
    await Promise.resolve()
    await settle()
    expect([link.open, (await link.closed)?.code, alice.ways.at(-1), network.pairs[0]?.some(({ open }) => open)]).toEqual([
      false,
      'untrusted',
      'bob lost',
      false,
    ])
    await each.clock.move(3_000)
    expect([alice.ways.at(-1), alice.linked.length]).toEqual(['bob not_listening', 1])
  })

  test('gets none when it was revoked between the offer and the dial, in either direction', async () => {
    for (const revoked of ['alice', 'bob'] as const) {
      await using each = await stage()
      const { alice, bob, square, clock, network } = each
      wall(each)
      alice.meetings.reach('bob')
      await settle()
      expect(network.dials).toBeGreaterThan(0)
      square.revoke(revoked === 'alice' ? alice : bob)
      await settle()
      wall(each, false)
      await clock.move(minuteMs)
      expect([revoked, alice.linked.length, bob.linked.length, network.pairs.length]).toEqual([revoked, 0, 0, 0])
    }
  })

  test('is found out about when the server was away meanwhile, also when it cannot answer at first', async () => {
    await using each = await linkedStage()
    const { alice, bob, square, link, clock } = each
    alice.offline()
    square.revoke(bob)
    await clock.move(minuteMs)
    expect([link.open, alice.ways.at(-1)]).toEqual([true, 'bob direct'])
    alice.refuses.set('direct.devices', 'busy')
    alice.online()
    await clock.move(3_000)
    expect(link.open).toBe(true)
    alice.refuses.clear()
    await clock.move(2_000)
    expect([link.open, alice.ways.includes('bob lost')]).toEqual([false, true])
  })

  test('is found out about when the server was asked for too many others since', async () => {
    await using each = await linkedStage({ directWishesMax: 200 })
    const { alice, square, clock } = each
    const asked = (): number => alice.asked.filter((method) => method === 'direct.devices').length
    const reach = (name: string): void => {
      square.introduce('alice', name)
      alice.meetings.reach(name)
    }
    for (let at = 1; at < 100; at++) reach(`friend${at}`)
    for (let before = 0; before < asked(); ) {
      before = asked()
      await settle()
    }
    expect(asked()).toBe(100)
    reach('friend100')
    await settle()
    expect(asked()).toBe(102)
    await clock.move(100)
    expect(alice.open('bob').length).toBe(1)
  })

  test('is nobody’s any more when one of the two blocks the other', async () => {
    await using each = await linkedStage()
    const { alice, bob, square, link, clock } = each
    square.block('bob', 'alice')
    await settle()
    expect([link.open, alice.open('bob').length, bob.open('alice').length]).toEqual([false, 0, 0])
    await clock.move(3_000)
    expect([alice.ways.at(-1), bob.ways.at(-1)]).toEqual(['bob not_contact', 'alice off'])
    // While both were away.
    await using away = await linkedStage()
    for (const member of [away.alice, away.bob]) member.offline()
    away.square.block('bob', 'alice')
    await away.clock.move(100)
    expect(away.link.open).toBe(true)
    away.alice.online()
    await settle()
    expect(away.link.open).toBe(false)
    await using another = await stage()
    wall(another)
    another.alice.meetings.reach('bob')
    await another.clock.move(100)
    another.square.block('bob', 'alice')
    await another.clock.move(3_000)
    expect([another.alice.ways.at(-1), another.network.listeners]).toEqual(['bob not_contact', 0])
  })
})

// Meetings by the clock of the test, over links in memory: when what is tried, and what it costs.

import { describe, expect, test } from 'bun:test'
import { linkedStage, minuteMs, stage, wall, wayOf } from '../../support/direct-meeting-stage.ts'
import { randomOf } from '../../faults/random.ts'
import { settle } from '../../support/manual-clock.ts'

/** How many of these times are in the minute that has the most. */
function busiestMinute(times: readonly number[]): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + minuteMs).length))
}

describe('reach', () => {
  test('brings a link with somebody who takes offers, and says so', async () => {
    await using each = await linkedStage()
    const { alice, bob } = each
    expect([alice.ways, bob.ways]).toEqual([['bob connecting', 'bob direct'], ['alice direct']])
    expect(alice.meetings.wayTo('BOB')).toEqual({ way: 'direct', devices: [bob.device] })
    expect([alice.linked, bob.linked].map((links) => links.map(({ peer }) => peer))).toEqual([
      [{ name: 'bob', device: bob.device, spki: bob.spki }],
      [{ name: 'alice', device: alice.device, spki: alice.spki }],
    ])
    await each.clock.move(11_000)
    expect([each.network.listeners, alice.meetings.isListening, bob.meetings.isListening]).toEqual([0, false, false])
  })

  test('asks under whatever form of a name, and knows it as its owner wrote it', async () => {
    await using each = await stage()
    each.alice.meetings.reach('Bob')
    await settle()
    expect([each.alice.linked[0]?.peer.name, each.alice.ways.at(-1)]).toEqual(['bob', 'bob direct'])
  })

  test('says why there is none', async () => {
    await using each = await stage()
    const { alice, bob, square, clock, network } = each
    const why = (): string | undefined => alice.ways.at(-1)
    expect(alice.meetings.wayTo('bob')).toEqual({ way: 'relayed', why: 'off' })
    alice.meetings.reach('carol')
    await settle()
    expect([why(), alice.offers.length, network.listeners]).toEqual(['carol not_contact', 0, 0])
    bob.isListening = false
    alice.meetings.reach('bob')
    await settle()
    expect([why(), alice.offers.length, network.listeners, square.members.length]).toEqual(['bob not_listening', 1, 0, 2])
    bob.isListening = true
    wall(each)
    await clock.move(2_000)
    expect(wayOf(alice, 'bob')).toBe('connecting')
    await clock.move(10_000)
    expect([wayOf(alice, 'bob'), network.listeners]).toEqual(['unreachable', 0])
    alice.offline()
    expect(why()).toBe('bob offline')
    alice.online()
    wall(each, false)
    await clock.move(10)
    expect(why()).toBe('bob direct')
  })

  test('of one who does not answer it is that nobody takes offers, after 5 s', async () => {
    await using each = await stage()
    each.bob.refuses.set('direct.devices', 'busy')
    each.alice.meetings.reach('bob')
    await each.clock.move(4_999)
    expect(each.alice.ways).toEqual(['bob connecting'])
    await each.clock.move(1)
    expect(each.alice.ways.at(-1)).toBe('bob not_listening')
  })

  test('of oneself asks nobody', async () => {
    await using each = await stage()
    each.alice.meetings.reach('Alice')
    await settle()
    expect([each.alice.asked, each.alice.meetings.wayTo('alice')]).toEqual([['direct.listen'], { way: 'relayed', why: 'off' }])
  })

  test('tries again after 2 s, 4 s … 5 min, with jitter, at once when woken, and with 2 s again after a link that lasted', async () => {
    await using each = await stage()
    const { alice, bob, clock } = each
    bob.isListening = false
    alice.meetings.reach('bob')
    await clock.move(20 * minuteMs)
    const gaps = alice.offers.slice(1).map((at, index) => Math.round((at - (alice.offers[index] ?? 0)) / 100) / 10)
    // Half of the wait, and of the other half what the middle of chance makes of it.
    expect(gaps).toEqual([1.5, 3, 6, 12, 24, 48, 96, 192, 225, 225, 225].slice(0, gaps.length))
    expect(gaps.length).toBeGreaterThan(8)
    const before = alice.offers.length
    alice.meetings.wake()
    await settle()
    expect(alice.offers.length).toBe(before + 1)
    bob.isListening = true
    alice.meetings.wake()
    await settle()
    expect(alice.open('bob').length).toBe(1)
    for (const [lastedMs, waitMs] of [
      [31_000, 1_500],
      [10_000, 3_000],
      [10_000, 6_000],
      [40_000, 1_500],
    ] as const) {
      await clock.move(lastedMs)
      const offers = alice.offers.length
      for (const link of bob.open('alice')) link.close()
      await settle()
      expect(alice.ways.at(-1)).toBe('bob lost')
      await clock.move(waitMs - 1)
      expect(alice.offers.length).toBe(offers)
      await clock.move(1)
      expect([alice.offers.length, alice.open('bob').length]).toEqual([offers + 1, 1])
    }
  })

  test('keeps 100 wishes, those renewed last', async () => {
    await using each = await stage()
    const { alice } = each
    for (let at = 0; at < 100; at++) alice.meetings.reach(`nobody${at}`)
    alice.meetings.reach('nobody0')
    alice.meetings.reach('bob')
    const why = (name: string): unknown => alice.meetings.wayTo(name)
    expect([why('nobody1'), why('nobody0'), why('nobody2')]).toEqual([
      { way: 'relayed', why: 'off' },
      { way: 'relayed', why: 'connecting' },
      { way: 'relayed', why: 'connecting' },
    ])
  })
})

describe('offers', () => {
  test.each([1, 2, 3])('are no more than 8 a minute in an hour of failing attempts, and fewer and fewer (seed %p)', async (seed) => {
    const random = randomOf(seed)
    await using each = await stage({}, random)
    const { alice, bob, square, clock } = each
    wall(each)
    for (let at = 0; at < 30; at++) square.introduce('alice', `friend${at}`)
    const friends = await Promise.all(Array.from({ length: 30 }, (_, at) => square.member(`friend${at}`)))
    for (const [at, friend] of friends.entries()) friend.isListening = at % 2 === 0
    for (const { name } of [bob, ...friends]) alice.meetings.reach(name)
    bob.meetings.reach('alice')
    await clock.move(60 * minuteMs)
    const perMinute = busiestMinute(alice.offers)
    console.log(
      `    ${alice.offers.length} offers of 31 wishes in an hour, ${perMinute} in the busiest minute; ${bob.offers.length} of one wish`,
    )
    expect([perMinute <= 8, busiestMinute(bob.offers) <= 8]).toEqual([true, true])
    expect(alice.offers.length).toBeLessThan(60 * 8 + 1)
    await square[Symbol.asyncDispose]()
    expect(clock.timers).toBe(0)
  })

  test('of one wish are about 20 in an hour', async () => {
    await using each = await stage()
    wall(each)
    each.alice.meetings.reach('bob')
    await each.clock.move(60 * minuteMs)
    console.log(`    ${each.alice.offers.length} offers of one wish in an hour, ${each.bob.offers.length} answers`)
    expect(each.alice.offers.length).toBeLessThan(30)
    expect(each.bob.offers.length).toBeLessThanOrEqual(each.alice.offers.length)
  })

  test('of a hostile contact, 1,000 of them, cost 5 answers a minute, and leave 2 to our own wishes', async () => {
    await using each = await stage()
    const { alice, bob, square, clock, network } = each
    const carol = await square.member('carol')
    square.introduce('alice', 'carol')
    wall(each)
    // What a hostile one does is not what our own code does.
    for (const { meetings } of [bob, carol]) Object.assign(meetings, { event() {} })
    const candidates = Array.from({ length: 8 }, (_, at) => ({ host: `10.0.0.${at + 1}`, port: 9 }))
    for (let at = 0; at < 1_000; at++) {
      const token = new Uint8Array(16).fill(at % 256).fill(at >> 8, 0, 1)
      alice.hear('direct.offered', { from: 'bob', device: bob.device, token, candidates })
      if (at % 100 === 0) await settle()
    }
    await settle()
    expect([alice.asked.filter((method) => method === 'direct.devices').length, network.listeners]).toEqual([5, 1])
    // Another one has one more, so that two are left.
    for (let at = 0; at < 10; at++) {
      alice.hear('direct.offered', { from: 'carol', device: carol.device, token: new Uint8Array(16).fill(at), candidates })
    }
    await settle()
    expect(alice.asked.filter((method) => method === 'direct.devices').length).toBe(6)
    const answers = alice.offers.length
    alice.meetings.reach('carol')
    await clock.move(50_000)
    expect([answers <= 6, alice.offers.length - answers]).toEqual([true, 2])
    expect([network.dials <= 6 * 8 * 2, network.listeners]).toEqual([true, 0])
    await clock.move(minuteMs)
    expect(busiestMinute(alice.offers)).toBeLessThanOrEqual(8)
  })

  test('are not answered for a device that is not listed, and an answer that nobody asked for is an offer', async () => {
    await using each = await stage()
    const { alice, bob, square } = each
    const carol = await square.member('carol')
    const token = new Uint8Array(16)
    alice.hear('direct.offered', { from: 'bob', device: carol.device, token, candidates: [] })
    alice.hear('direct.offered', { from: 'carol', device: carol.device, token, candidates: [] })
    await settle()
    expect([alice.offers.length, each.network.listeners, alice.meetings.wayTo('carol')]).toEqual([0, 0, { way: 'relayed', why: 'off' }])
    expect(bob.offers.length).toBe(0)
  })
})

describe('a link', () => {
  test('lives while the server is away, and a new one takes its place when the device comes again', async () => {
    await using each = await linkedStage()
    const { alice, bob, square, link, clock } = each
    for (const member of [alice, bob]) member.offline()
    await clock.move(10 * minuteMs)
    expect([link.open, wayOf(alice, 'bob')]).toEqual([true, 'direct'])
    for (const member of [alice, bob]) member.online()
    await clock.move(1_000)
    expect([link.open, alice.linked.length]).toEqual([true, 1])
    // Bob's program has begun anew, and Alice has not noticed.
    await bob.meetings.close()
    square.members.splice(square.members.indexOf(bob), 1)
    const again = await square.member('bob', { signer: bob.signer })
    again.meetings.reach('alice')
    await clock.move(1_000)
    expect([alice.linked.length, alice.open('bob').length, link.open, wayOf(again, 'alice')]).toEqual([2, 1, false, 'direct'])
  })

  test('is refused when there are too many', async () => {
    await using each = await stage({ directLinksMax: 1 })
    const { alice, square } = each
    const carol = await square.member('carol')
    square.introduce('alice', 'carol')
    alice.meetings.reach('bob')
    await settle()
    alice.meetings.reach('carol')
    await settle()
    expect([alice.linked.length, wayOf(alice, 'bob'), wayOf(alice, 'carol'), carol.open('alice').length]).toEqual([
      1,
      'direct',
      'unreachable',
      0,
    ])
  })

  test('ends with the wish for it, and none is taken until there is another wish', async () => {
    await using each = await linkedStage()
    const { alice, bob, link, clock } = each
    bob.meetings.reach('alice')
    alice.meetings.leave('bob')
    await clock.move(minuteMs)
    expect([link.open, wayOf(alice, 'bob'), bob.ways.at(-1), alice.linked.length]).toEqual([false, 'off', 'alice not_listening', 1])
    alice.meetings.reach('bob')
    await clock.move(1_000)
    expect([wayOf(alice, 'bob'), wayOf(bob, 'alice')]).toEqual(['direct', 'direct'])
  })
})

describe('close', () => {
  test('leaves nothing, whatever is under way', async () => {
    for (const movesMs of [0, 5, 150, 1_000, 6_000, 20_000]) {
      for (const isWalled of [true, false]) {
        const each = await stage()
        wall(each, isWalled)
        each.alice.meetings.reach('bob')
        each.bob.meetings.reach('alice')
        each.alice.meetings.reach('nobody')
        if (movesMs > 0) await each.clock.move(movesMs)
        await each.square[Symbol.asyncDispose]()
        await settle()
        const { clock, network, alice } = each
        const left = [clock.timers, network.listeners, network.pairs.flat().filter(({ open }) => open).length]
        expect([movesMs, isWalled, ...left]).toEqual([movesMs, isWalled, 0, 0, 0])
        const ways = alice.ways.length
        alice.meetings.reach('bob')
        alice.online()
        alice.hear('direct.offered', { from: 'bob', device: each.bob.device, token: new Uint8Array(16), candidates: [] })
        await clock.move(minuteMs)
        expect([alice.ways.length, clock.timers, network.listeners]).toEqual([ways, 0, 0])
      }
    }
  })
})

describe('a server', () => {
  test('that has no direct links, or whose session is of no device, is not asked again', async () => {
    await using each = await stage()
    const { alice, clock } = each
    alice.offline()
    alice.refuses.set('direct.listen', 'device_required')
    alice.online()
    alice.meetings.reach('bob')
    await clock.move(minuteMs)
    expect([alice.asked.filter((method) => method === 'direct.listen').length, wayOf(alice, 'bob')]).toEqual([2, 'offline'])
  })

  test('that is busy is asked again after 2 s', async () => {
    await using each = await stage()
    const { alice, clock } = each
    alice.offline()
    alice.refuses.set('direct.listen', 'busy')
    alice.online()
    alice.meetings.reach('bob')
    await clock.move(5_000)
    expect([alice.asked.filter((method) => method === 'direct.listen').length, wayOf(alice, 'bob')]).toEqual([4, 'offline'])
    alice.refuses.clear()
    await clock.move(2_000)
    expect(wayOf(alice, 'bob')).toBe('direct')
  })
})

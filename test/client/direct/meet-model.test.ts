// Two or more devices that look for each other at once, over links in memory, with delays of every kind: whatever comes first where,
// both ends come to one link, and it is the same one. A run is a function of its seed.

import { describe, expect, test } from 'bun:test'
import type { Member } from '../../support/direct-square.ts'
import { MemoryNetwork } from '../../support/direct-networks.ts'
import { randomOf } from '../../faults/random.ts'
import { Square } from '../../support/direct-square.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { shownBy } from '../../support/peers.ts'

const rounds = process.env['SEALWIRE_LONG'] === '1' ? 2_000 : 150

interface Run extends AsyncDisposable {
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  readonly square: Square
  readonly alice: Member
  readonly bob: Member
  readonly random: () => number
}

/** `serverMs` and `linkMs` are the longest delays. */
async function run(seed: number, { serverMs, linkMs }: { serverMs: number; linkMs: number }): Promise<Run> {
  const random = randomOf(seed)
  const clock = new ManualClock(Date.now())
  const network = new MemoryNetwork(clock, () => Math.floor(linkMs * random()))
  const square = await Square.open({ clock, network, random, delayMsMax: serverMs })
  const [alice, bob] = [await square.member('alice'), await square.member('bob')]
  square.introduce('alice', 'bob')
  return { clock, network, square, alice, bob, random, [Symbol.asyncDispose]: () => square[Symbol.asyncDispose]() }
}

/** Links that are open at one end, and at both. */
function openLinks({ network }: Run): readonly [either: number, both: number] {
  const either = network.pairs.filter(([near, far]) => near.open || far.open)
  return [either.length, either.filter(([near, far]) => near.open && far.open).length]
}

function state(each: Run): Readonly<Record<'open' | 'alice' | 'bob' | 'ways', unknown>> {
  const { alice, bob } = each
  return {
    open: openLinks(each),
    alice: alice.open('bob').length,
    bob: bob.open('alice').length,
    ways: [alice.ways.at(-1), bob.ways.at(-1)],
  }
}

const together = { open: [1, 1], alice: 1, bob: 1, ways: ['bob direct', 'alice direct'] }

describe('two that look for each other', () => {
  test.each([
    ['quick links', { serverMs: 200, linkMs: 20 }],
    ['a quick server', { serverMs: 5, linkMs: 400 }],
    ['everything slow', { serverMs: 800, linkMs: 700 }],
  ])('at once have one link, the same at both ends: %s', async (_, delays) => {
    for (let seed = 1; seed <= rounds; seed++) {
      await using each = await run(seed, delays)
      const { clock, alice, bob, random } = each
      await clock.move(2 * delays.serverMs)
      alice.meetings.reach('bob')
      if (seed % 3 !== 0) await clock.move(Math.floor(random() * delays.serverMs))
      if (seed % 4 !== 0) bob.meetings.reach('alice')
      await clock.move(15_000)
      expect([seed, state(each)]).toEqual([seed, together])
      expect([seed, alice.linked.length, bob.linked.length]).toEqual([seed, 1, 1])
    }
  })
})

describe('two of whom one cannot be reached', () => {
  test.each(['alice', 'bob'] as const)('have one link all the same: %s', async (name) => {
    for (let seed = 1; seed <= rounds / 2; seed++) {
      await using each = await run(seed, { serverMs: 300, linkMs: 100 })
      const { clock, network, alice, bob } = each
      const walled = shownBy((name === 'alice' ? alice : bob).signer).chain
      network.wall = (_, listener) => listener === walled
      await clock.move(1_000)
      if (seed % 3 !== 0) alice.meetings.reach('bob')
      if (seed % 3 !== 1) bob.meetings.reach('alice')
      await clock.move(9_000)
      const { ways: _ways, ...links } = state(each)
      expect([seed, links]).toEqual([seed, { open: [1, 1], alice: 1, bob: 1 }])
    }
  })
})

describe('two whose dials take as long as they may', () => {
  test('never have two links, or half of one', async () => {
    let linked = 0
    for (let seed = 1; seed <= rounds; seed++) {
      await using each = await run(seed, { serverMs: 2_000, linkMs: 2_500 })
      const { clock, alice, bob } = each
      await clock.move(4_000)
      alice.meetings.reach('bob')
      bob.meetings.reach('alice')
      for (let moves = 0; moves < 20; moves++) {
        await clock.move(1_000)
        expect([seed, alice.open('bob').length <= 1, bob.open('alice').length <= 1]).toEqual([seed, true, true])
      }
      for (const member of [alice, bob]) member.meetings.leave(member === alice ? 'bob' : 'alice')
      await clock.move(30_000)
      expect([seed, openLinks(each)[0], each.network.listeners]).toEqual([seed, 0, 0])
      linked += alice.linked.length
    }
    expect(linked).toBeGreaterThan(0)
  })
})

describe('three devices of one account and two of another', () => {
  test('come to one link for each pair that asked, and each link is the same at both ends', async () => {
    for (let seed = 1; seed <= rounds / 3; seed++) {
      await using each = await run(seed, { serverMs: 100, linkMs: 50 })
      const { square, clock, random } = each
      for (const name of ['bob', 'bob', 'alice']) await square.member(name)
      await clock.move(1_000)
      for (const member of square.members) {
        if (random() < 0.7) member.meetings.reach(member.name === 'bob' ? 'alice' : 'bob')
        if (random() < 0.5) await clock.move(Math.floor(100 * random()))
      }
      await clock.move(25_000)
      const open = square.members.flatMap((member) =>
        member.open(member.name === 'bob' ? 'alice' : 'bob').map(({ peer }) => [member.device, peer.device]),
      )
      const pairs = open.map((pair) => [...pair].sort().join(' '))
      // Each link is in the list of both of its devices, and no pair has two.
      expect([seed, pairs.length, openLinks(each)]).toEqual([seed, 2 * new Set(pairs).size, [new Set(pairs).size, new Set(pairs).size]])
    }
  })
})

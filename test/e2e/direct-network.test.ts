// Direct links between programs on machines of their own, whose ways to each other and to the server are cut: with network
// namespaces and nftables where there are any, else with forwarders on loopback (test/support/network-kinds.ts says which).

import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import type { PeerProcess } from '../support/direct-peer-process.ts'
import { StrangerProcess } from '../support/direct-stranger-process.ts'
import { fileBytes } from '../support/file-bytes.ts'
import { type NetworkKind, networkKinds } from '../support/network-kinds.ts'
import { isMissing } from '../support/python.ts'
import { type Paid, proofOf, serverOf } from './direct-payment.ts'
import { addressForms, attempts, befriend, freshId, Listener } from './direct-strangers.ts'
import { Talk } from './direct-talk.ts'
import { DirectWorld } from './direct-world.ts'

/**
 * 3 s is what is promised: half a second of silence, and two for the answer to a ping. Three programs, the server and the test
 * share a machine that runs other tests beside them, and each of their timers may come late: five times as long is a failure.
 */
const relayedMsMax = 15_000
const directMsMax = 30_000
const testMs = 180_000
/** More than comes directly before the way is cut. */
const fileSize = 40_000_000

describe.each(networkKinds())('on a network ($kind)', (kind) => {
  test(
    'two that talk lose, double and reorder nothing when the way between them is cut, and then the one to the server',
    async () => {
      await using world = await DirectWorld.start(kind, ['alice', 'bob', 'desk'])
      const talk = await Talk.begin(world)
      for (const round of [1, 2]) {
        await talk.heardEach('direct', 20)
        const relayed = await talk.after(() => world.network.cut('alice', 'bob'), 'relayed')
        expect(measured(kind, `cut ${round}, relayed`, relayed)).toBeLessThan(relayedMsMax)
        await talk.heardEach('relayed', 20)
        const direct = await talk.after(() => world.network.restore('alice', 'bob'), 'direct')
        expect(measured(kind, `restored ${round}, direct`, direct)).toBeLessThan(directMsMax)
      }
      // Both ways at once: what was not said waits in the outbox, and what is said when there is a link again comes behind it.
      await talk.heardEach('direct', 20)
      await world.network.cut('alice', 'server')
      await talk.after(() => world.network.cut('alice', 'bob'), 'relayed')
      const back = await talk.after(async () => {
        await world.network.restore('alice', 'server')
        await world.network.restore('alice', 'bob')
      }, 'direct')
      expect(measured(kind, 'both restored, direct', back)).toBeLessThan(directMsMax)
      await talk.heardEach('direct', 20)

      await world.network.cut('alice', 'server')
      const { missing } = talk
      await talk.heardEach('direct', 60)
      expect(talk.missing - missing).toBeGreaterThan(30)
      await world.network.restore('alice', 'server')
      await talk.heardEach('direct', 20)
      const { said, direct } = await talk.end()
      console.log(`${kind.kind}: said ${said.join(' and ')} messages, of which ${direct.join(' and ')} came directly`)
    },
    testMs,
  )

  test(
    'a file comes directly as long as it can, and the rest of it through the server',
    async () => {
      await using world = await DirectWorld.start(kind, ['alice', 'bob'])
      const [alice, bob] = await world.pair()
      const [sent, saved] = [world.path('sent'), world.path('saved')]
      writeFileSync(sent, fileBytes(fileSize))
      await alice.ask({ do: 'sendFile', to: 'bob', path: sent, text: 'a file' })
      const arrived = (): string | undefined => bob.messagesOf('alice').find(({ text }) => text === 'a file')?.id
      await bob.until('it is there', () => arrived() !== undefined)
      const message = arrived() ?? ''
      const saving = bob.ask<{ direct: number; relayed: number }>({ do: 'saveFile', message, path: saved })
      await bob.until('its first bytes come', () => bob.all('bytes').length > 0)
      await world.network.cut('alice', 'bob')
      const { direct, relayed } = await saving
      console.log(`${kind.kind}: ${direct} bytes of a file came directly, ${relayed} through the server`)
      expect([direct > 0, relayed > 0, direct + relayed]).toEqual([true, true, fileSize])
      const ways = bob.all('bytes').map(({ way }) => way)
      expect([ways.at(0), ways.at(-1)]).toEqual(['direct', 'relayed'])
      expect(readFileSync(saved).equals(readFileSync(sent))).toBe(true)
    },
    testMs,
  )

  test(
    'who does not show the certificate of a live device of a contact gets no byte, and those who talk go on',
    async () => {
      await using world = await DirectWorld.start(kind, ['alice', 'bob', 'mallory'])
      const [alice, bob] = await world.pair()
      const [dials, accepts, ...wrong] = await attempts(world, alice, bob)
      for (const { title, told, candidates, reached, knocked, received } of wrong) {
        // It has tried, and so has the other side.
        expect([title, told, candidates.length > 0, reached + knocked > 0]).toEqual([title, 1, true, true])
        expect([title, received]).toEqual([title, 0])
      }
      for (const right of [dials, accepts]) expect([right?.title, (right?.received ?? 0) > 0]).toEqual([right?.title, true])
      for (const [peer, other] of [
        [alice, 'bob'],
        [bob, 'alice'],
      ] as const) {
        const linked = peer.all('way').filter(({ way }) => way === 'direct')
        for (const { title } of wrong) expect(linked.filter(({ name }) => name === title)).toEqual([])
        // A machine that stands still for two seconds may cost the link once; four strangers would cost it four times.
        expect(linked.filter(({ name }) => name === other).length).toBeLessThanOrEqual(2)
        await peer.untilWay(other, 'direct')
      }
      for (const { title, shaken, knocked, reached } of wrong) {
        console.log(`${kind.kind}: ${title}: ${reached} times there, ${knocked} times here, ${shaken} handshakes, no byte`)
      }
    },
    testMs,
  )

  test.skipIf(isMissing('python3'))(
    'who is cut off from the server pays over the payee, once, whoever brings the payment',
    async () => {
      await using world = await DirectWorld.start(kind, ['alice', 'bob', 'carol'])
      const [alice, bob] = await world.pair()
      await world.join('carol')
      const carol = await world.peer('carol', { direct: false })
      await world.operate('admin', 'mint', 'alice', '100.00')
      const order = await alice.ask<string>({ do: 'newId' })
      const [toBob, toCarol] = [
        { to: 'bob', minor: '1234', order },
        { to: 'carol', minor: '1234', order },
      ]

      await world.network.cut('alice', 'server')
      const before = Date.now()
      const paid = await alice.ask<Paid>({ do: 'pay', ...toBob })
      measured(kind, 'cut off from the server, paid', Date.now() - before)
      expect([paid.status, paid.minor, await bob.ask<string>({ do: 'balance' })]).toEqual(['posted', '1234', '1234'])
      const receipt = await bob.ask<string>({ do: 'receipt', order, signer: 'alice' })
      const proof = { verdict: 'good', posting: paid.posting, amount: '12.34', id: order }
      expect(await proofOf(world, receipt)).toEqual(proof)
      // Handed over again, then sent by herself, and brought by others.
      expect((await alice.ask<Paid>({ do: 'pay', ...toBob })).posting).toBe(paid.posting)
      await world.network.restore('alice', 'server')
      expect((await alice.ask<Paid>({ do: 'pay', ...toBob })).posting).toBe(paid.posting)
      expect(await proofOf(world, await alice.ask<string>({ do: 'receipt', order }))).toEqual(proof)
      const server = serverOf(world, receipt)
      const [signed, another] = await Promise.all([
        alice.ask<string>({ do: 'sign', server, ...toBob }),
        alice.ask<string>({ do: 'sign', server, ...toCarol }),
      ])
      expect((await bob.ask<Paid>({ do: 'bring', payer: 'alice', order: signed })).posting).toBe(paid.posting)
      expect((await alice.ask<Paid>({ do: 'order', order: signed })).posting).toBe(paid.posting)
      expect(await carol.refusal({ do: 'bring', payer: 'alice', order: signed })).toBe('not_permitted')
      expect(await carol.refusal({ do: 'bring', payer: 'alice', order: another })).toBe('conflict')
      expect(await alice.refusal({ do: 'pay', ...toCarol })).toBe('conflict')
      expect(await balances(alice, bob, carol)).toEqual(['8766', '1234', '0'])

      // The same id signed for two, and both bring it.
      const two = await alice.ask<string>({ do: 'newId' })
      const orders = await Promise.all(
        ['bob', 'carol'].map((to) => alice.ask<string>({ do: 'sign', server, to, minor: '100', order: two })),
      )
      const brought = await Promise.all(
        [bob, carol].map((payee, at) => payee.refusal({ do: 'bring', payer: 'alice', order: orders[at] ?? '' })),
      )
      expect(brought.toSorted()).toEqual(['conflict', 'it was not refused'])
      expect((await balances(alice, bob, carol)).reduce((sum, each) => sum + Number(each), 0)).toBe(10_000)
      expect((await balances(alice))[0]).toBe('8666')
    },
    testMs,
  )

  test(
    'who is blocked or was never accepted learns no address, whatever it asks',
    async () => {
      await using world = await DirectWorld.start(kind, ['alice', 'bob', 'mallory'])
      const [alice, bob] = await world.pair()
      const mallory = StrangerProcess.start(world.network, 'mallory')
      const friend = await Listener.enter(mallory, 'friend')
      const others = await Promise.all(['stranger', 'asking', 'blocked', 'blocker'].map((name) => Listener.enter(mallory, name)))
      for (const name of ['friend', 'blocked', 'blocker']) await befriend(mallory, name, bob)
      await mallory.ask({ do: 'call', as: 'asking', method: 'contact.request', params: { name: 'bob', id: await freshId(bob) } })
      await bob.ask({ do: 'block', name: 'blocked' })
      await mallory.ask({ do: 'call', as: 'blocker', method: 'directory.block', params: { name: 'bob' } })
      for (const other of others) expect([other.name, await other.offer('bob')]).toEqual([other.name, 0])
      // Bob offers to those who are contacts, and would to the others.
      expect(await friend.offer('bob')).toBe(1)
      const where = world.network.host('bob').addresses.flatMap(addressForms)
      await friend.until((carried) => where.some((form) => carried.includes(form)))
      await bob.ask({ do: 'leave', name: 'alice' })
      await alice.untilWay('bob', 'relayed')
      await bob.ask({ do: 'reach', name: 'alice' })
      await bob.untilWay('alice', 'direct')
      for (const { name } of others) await bob.ask({ do: 'reach', name })
      for (const { name } of others) await bob.untilWay(name, 'relayed')
      for (const other of others) {
        const answers = await mallory.ask<Record<string, string>>({ do: 'askAbout', as: other.name, name: 'bob' })
        expect(Object.keys(answers)).toContain('direct.devices')
        expect([other.name, await other.offer('bob'), await other.offer('alice')]).toEqual([other.name, 0, 0])
        const carried = await other.carried()
        // What came is what is looked at: it has the own address, which the server has told.
        expect(carried).toContain(Buffer.from(other.address).toString('hex'))
        // Four bytes alone are in what is random, now and then.
        expect(where.filter((form) => form.length > 8 && carried.includes(form))).toEqual([])
      }
      // A machine that stands still may have cost the link for a moment.
      await alice.untilWay('bob', 'direct')
      console.log(`${kind.kind}: ${where.length} forms of ${world.network.host('bob').addresses.join(' and ')} were looked for`)
    },
    testMs,
  )
})

/** Prints how long something took, in ms. */
function measured({ kind }: NetworkKind, what: string, ms: number): number {
  console.log(`${kind}: ${what} after ${(ms / 1_000).toFixed(2)} s`)
  return ms
}

function balances(...peers: readonly PeerProcess[]): Promise<readonly string[]> {
  return Promise.all(peers.map((peer) => peer.ask<string>({ do: 'balance' })))
}

// What a payee takes, and what it refuses, at a real server; what is handed over comes from the test.

import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Home } from '../../../src/client/home/home.ts'
import { readOrderKey } from '../../../src/client/home/order-signer.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { newDeviceKeys } from '../../../src/pki/index.ts'
import { encodeOrder, orderPurposes, type PayOrder } from '../../../src/protocol/contract/index.ts'
import type { PeerResult } from '../../../src/protocol/direct/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { DirectPayer, soonHeld } from '../../support/direct-payer.ts'
import { rejectionOf } from '../../support/refusal.ts'
import {
  back,
  closing,
  codeOf,
  cutOff,
  endStage,
  errorOf,
  filesOf,
  has,
  linked,
  nextHeld,
  orderOf,
  server,
  signedBy,
  two,
  type Person,
} from './pay-stage.ts'

afterAll(endStage)

/** On a machine that has much to do it is held for a while. */
async function settledAtLast(take: () => Promise<PeerResult<'direct.pay'>>): Promise<PeerResult<'direct.pay'>> {
  for (;;) {
    const answer = await take()
    if (answer.state === 'settled') return answer
  }
}

/** What is answered, or refused with. */
async function codeIn(answer: Promise<PeerResult<'direct.pay'>>): Promise<string> {
  return answer.then(({ state }) => state, codeOf)
}

describe('DirectPay.take', () => {
  test('takes what the peer’s account has signed for this one, and nothing else', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    const [carol] = await two({ limits: soonHeld })
    await linked(alice, bob)
    await linked(carol, bob)
    await linked(alice, carol)
    for (const each of [bob, carol]) cutOff(each)
    const order = await orderOf(alice, bob, { amount: 100n })
    const good = signedBy(alice, order)
    const take = (signed: Uint8Array, from = alice, to = bob, memo?: string) =>
      rejectionOf(to.me.direct.take({ order: signed, ...(memo === undefined ? {} : { memo }) }, { peer: { name: from.me.name } }))
    expect(await take(good, alice, carol)).toBe('not_permitted')
    expect(await take(good, carol)).toBe('signature_invalid')
    expect(await take(signedBy(carol, order))).toBe('signature_invalid')
    expect(await take(signCose(encodeOrder(order), orderPurposes.pay, newDeviceKeys().ed25519))).toBe('signature_invalid')
    expect(await take(signCose(encodeOrder(order), orderPurposes.hold, readOrderKey(new Home(alice.home))))).toBe('signature_invalid')
    expect(await take(signedBy(alice, { ...order, server: new Uint8Array(16) }))).toBe('signature_invalid')
    expect(await take(good, alice, bob, 'tea')).toBe('signature_invalid')
    expect(await take(signedBy(alice, { ...order, payer: order.payer + 1_000n }))).toBe('signature_invalid')
    expect(await take(signedBy(alice, { ...order, expiresAt: BigInt(Date.now() - 1) }))).toBe('expired')
    for (let byte = 0; byte < good.length; byte += 7) {
      const refusal = await take(good.with(byte, (good[byte] ?? 0) ^ 1))
      expect(refusal).toMatch(/^(signature_invalid|malformed|amount_invalid|not_permitted)$/)
    }
    expect(await rejectionOf(bob.me.direct.take({ order: good }, { peer: { name: 'nobody' } }))).toBe('unavailable')
    expect([await filesOf(bob), await filesOf(carol)]).toEqual([0, 0])
    expect(await bob.me.direct.take({ order: good }, { peer: { name: alice.me.name } })).toEqual({ state: 'held' })
    expect(await take(signedBy(alice, { ...order, amount: 200n }))).toBe('conflict')
    expect(await filesOf(bob)).toBe(1)
  })

  test('keeps so many of one contact, so many in all, and no more', async () => {
    const [alice, bob] = await two({ limits: { ordersHeldPerContactMax: 3, ordersHeldMax: 5, directPayHeldMs: 0 } })
    const [carol] = await two()
    for (const each of [alice, carol]) await linked(each, bob)
    cutOff(bob)
    const hand = async (from: Person) =>
      bob.me.direct.take({ order: signedBy(from, await orderOf(from, bob, { amount: 1n })) }, { peer: { name: from.me.name } }).then(
        ({ state }) => state,
        (reason: unknown) => SealwireError.from(reason).code,
      )
    const told = []
    for (const from of [alice, alice, alice, alice, carol, carol, carol, alice]) told.push(await hand(from))
    expect(told).toEqual(['held', 'held', 'held', 'busy', 'held', 'held', 'busy', 'busy'])
    expect(await filesOf(bob)).toBe(5)
    const held = bob.me.direct.held()
    await back(bob)
    const states = []
    for (let at = 0; at < 10; at++) states.push((await nextHeld(held)).state)
    expect(states.toSorted()).toEqual([...Array<string>(5).fill('settled'), ...Array<string>(5).fill('unsettled')])
    expect([await has(bob), await filesOf(bob)]).toEqual(['0.05', 0])
  })

  test('answers what was settled again without asking, without telling, and after its expiry', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, directPaysMax: 30 } })
    await linked(alice, bob)
    const held = bob.me.direct.held()
    const order = await orderOf(alice, bob, { amount: 100n, expiresAt: BigInt(Date.now() + 8_000) })
    const next = await orderOf(alice, bob, { amount: 1n })
    const last = await orderOf(alice, bob, { amount: 2n })
    const take = (signed: Uint8Array) => bob.me.direct.take({ order: signed }, { peer: { name: alice.me.name } })
    const signed = signedBy(alice, order)
    const first = await settledAtLast(() => take(signed))
    expect(first).toMatchObject({ state: 'settled', transfer: { id: order.id, amount: '1.00' } })
    expect([await nextHeld(held), await nextHeld(held)]).toMatchObject([{ state: 'unsettled' }, { state: 'settled' }])
    // No server is there to be asked, and more come than are taken of what is new.
    cutOff(bob)
    for (let times = 0; times < 40; times++) expect(await take(signed)).toEqual(first)
    while (Date.now() <= Number(order.expiresAt)) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await take(signed)).toEqual(first)
    expect(await codeIn(take(signedBy(alice, { ...order, amount: 200n })))).toBe('conflict')
    expect(await filesOf(bob)).toBe(0)
    // The next thing that is told is the next order.
    expect(await take(signedBy(alice, next))).toEqual({ state: 'held' })
    expect(await nextHeld(held)).toMatchObject({ state: 'unsettled', minor: 1n })
    // What was brought without its payer asks for its receipt once, and is told once.
    await back(bob)
    expect(await nextHeld(held)).toMatchObject({ state: 'settled', minor: 1n })
    expect(await settledAtLast(() => take(signedBy(alice, next)))).toMatchObject({ transfer: { id: next.id } })
    cutOff(bob)
    for (let times = 0; times < 40; times++) expect(await take(signedBy(alice, next))).toMatchObject({ state: 'settled' })
    expect(await take(signedBy(alice, last))).toEqual({ state: 'held' })
    expect(await nextHeld(held)).toMatchObject({ state: 'unsettled', minor: 2n })
  })

  test('has the server asked again for what was settled before as much as is remembered', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, ordersSettledMax: 1 } })
    await linked(alice, bob)
    const take = (order: Uint8Array) => bob.me.direct.take({ order }, { peer: { name: alice.me.name } })
    const [first, second] = [signedBy(alice, await orderOf(alice, bob, { amount: 1n })), signedBy(alice, await orderOf(alice, bob, {}))]
    for (const order of [first, second]) await settledAtLast(() => take(order))
    cutOff(bob)
    expect([await codeIn(take(second)), await codeIn(take(first))]).toEqual(['settled', 'held'])
    await back(bob)
    expect(await settledAtLast(() => take(first))).toMatchObject({ transfer: { amount: '0.01' } })
    expect(await filesOf(bob)).toBe(0)
  })

  test('knows so many who pay, the newest; the others have to wait for the server', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, directPayeesMax: 1 } })
    const [carol] = await two()
    for (const each of [alice, carol]) await linked(each, bob)
    cutOff(bob)
    const hand = async (from: Person) =>
      codeIn(bob.me.direct.take({ order: signedBy(from, await orderOf(from, bob, {})) }, { peer: { name: from.me.name } }))
    expect([await hand(carol), await hand(alice)]).toEqual(['held', 'unavailable'])
    await back(bob)
    expect(['held', 'settled']).toContain(await hand(alice))
  })

  test('takes one at a time over a link, and so many new ones a minute of one contact', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, directPaysMax: 3 } })
    const [carol] = await two()
    for (const each of [alice, carol]) await linked(each, bob)
    cutOff(bob)
    const hand = async (from: Person, link = { peer: { name: from.me.name } }) =>
      codeIn(bob.me.direct.take({ order: signedBy(from, await orderOf(from, bob, { amount: 1n })) }, link))
    const link = { peer: { name: alice.me.name } }
    const order = signedBy(alice, await orderOf(alice, bob, { amount: 1n }))
    const both = [0, 1].map(() => codeIn(bob.me.direct.take({ order }, link)))
    expect(await Promise.all(both)).toEqual(['held', 'busy'])
    expect([await hand(alice, link), await hand(alice), await hand(alice), await hand(carol)]).toEqual(['held', 'held', 'busy', 'held'])
    expect(await filesOf(bob)).toBe(4)
  })

  test('is asked for one order after the other by who pays several at once', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    let most = 0
    let asked = 0
    const link = { peer: { name: alice.me.name } }
    await alice.me.link(bob.me, async (_pass, _method, params) => {
      most = Math.max(most, ++asked)
      return bob.me.direct.take(params, link).finally(() => asked--)
    })
    for (const each of [alice, bob]) cutOff(each)
    const paying = Array.from({ length: 4 }, async () => errorOf(alice.me.payments.pay(bob.me.name, '1')))
    for (const { sentence } of await Promise.all(paying)) expect(sentence).toMatch(/is worth nothing until it is settled$/)
    expect([most, await filesOf(bob)]).toEqual([1, 4])
  })

  test('is brought by another program of the home, where the one that has kept it has ended', async () => {
    const [alice, bob] = await two({ limits: soonHeld })
    const other = new DirectPayer(bob.home, { limits: soonHeld })
    closing.push(() => other[Symbol.asyncDispose]())
    await other.online()
    await linked(alice, bob)
    cutOff(bob)
    const order = signedBy(alice, await orderOf(alice, bob, { amount: 100n }))
    expect(await bob.me.direct.take({ order }, { peer: { name: alice.me.name } })).toEqual({ state: 'held' })
    await bob.me[Symbol.asyncDispose]()
    const held = other.direct.held()
    await back({ ...bob, me: other })
    expect([await nextHeld(held), await nextHeld(held)]).toMatchObject([{ state: 'unsettled' }, { state: 'settled', minor: 100n }])
    expect([await has({ ...bob, me: other }), await filesOf(bob)]).toEqual(['1.00', 0])
  })

  test('is kept while the ledger of the server is broken, and settled once the operator has looked', async () => {
    const [alice, bob] = await two({ limits: { ...soonHeld, clientRetryMsMax: 1_000 } })
    await linked(alice, bob)
    const operate = (statement: string): void => {
      using database = new DatabaseSync(join(server.data, 'sealwire.db'), { timeout: 5_000 })
      database.exec(statement)
    }
    const order = signedBy(alice, await orderOf(alice, bob, { amount: 100n }))
    const held = bob.me.direct.held()
    operate("insert into ledger_fault (id, row, what, at) values (1, 'posting 1', 'another hash', 1)")
    const answer = await codeIn(bob.me.direct.take({ order }, { peer: { name: alice.me.name } }))
    const files = await filesOf(bob)
    operate('delete from ledger_fault')
    expect([answer, files]).toEqual(['held', 1])
    expect([await nextHeld(held), await nextHeld(held)]).toMatchObject([{ state: 'unsettled' }, { state: 'settled' }])
    expect([await has(bob), await filesOf(bob)]).toEqual(['1.00', 0])
  })

  test('of an order that two payees have posts once', async () => {
    const [alice, bob] = await two()
    const [carol] = await two()
    await linked(alice, bob)
    await linked(alice, carol)
    const toBob = await orderOf(alice, bob, { amount: 100n })
    const toCarol = await orderOf(alice, carol, { amount: 100n, id: toBob.id })
    const take = (to: Person, order: PayOrder) => to.me.direct.take({ order: signedBy(alice, order) }, { peer: { name: alice.me.name } })
    const states = await Promise.all([take(bob, toBob), take(carol, toCarol)].map((each) => each.then(({ state }) => state, codeOf)))
    expect(states.toSorted()).toEqual(['conflict', 'settled'])
    expect(await has(alice)).toBe('9.00')
  })
})

import { describe, expect, test } from 'bun:test'
import { makeKeyStatement, makeLoginProof, newDeviceKeys } from '../../../src/pki/index.ts'
import { coseMessage, enrolmentPurpose, loginPurpose } from '../../../src/protocol/contract/cose.ts'
import {
  decodeCbor,
  encodeOrder,
  type EventData,
  type Order,
  type OrderKind,
  orderKinds,
  orderPurposes,
} from '../../../src/protocol/contract/index.ts'
import { newId, memoHashOf, Payer, signedOrder } from '../../support/payer.ts'
import { ServerStage, stageServerId } from '../../support/server-stage.ts'

const yearMs = 365 * 24 * 60 * 60 * 1000

async function twoOn(stage: ServerStage): Promise<readonly [Payer, Payer]> {
  return [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
}

/** How many postings there are. */
function postings(stage: ServerStage): number {
  return stage.store('ledger.export', { after: 0n, max: 1_000n }).length
}

describe('Payments.order', () => {
  test('moves money once, however often the same bytes come', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 1250n)
    const signed = signedOrder(order, alice.keys)
    const first = await alice.peer.ask('payment.order', { kind: 'pay', order: signed })
    expect(first).toMatchObject({ kind: 'pay', status: 'posted', amount: '12.50', payer: 'alice', payee: 'bob', balance: '87.50' })
    const others = Array.from({ length: 5 }, () => alice.peer.send('payment.order', { kind: 'pay', order: signed }))
    for (const _ of others) expect((await alice.peer.next(([kind]) => kind === 'result'))[2]).toEqual(first)
    expect([await alice.balance(), await bob.balance(), postings(stage)]).toEqual(['87.50', '12.50', 2])
  })

  test('is refused with other bytes under the same id', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    await alice.order(order)
    expect(await alice.refusal({ ...order, amount: 200n })).toBe('conflict')
    expect(await alice.refusal({ ...order, kind: 'hold' })).toBe('conflict')
    expect(await alice.balance()).toBe('99.00')
  })

  test('takes nobody else’s signature', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    const by = (keys: Parameters<typeof signedOrder>[1], purpose?: string) =>
      alice.peer.refusal('payment.order', { kind: 'pay', order: signedOrder(order, keys, purpose) })
    expect(await by(bob.keys)).toBe('signature_invalid')
    expect(await by(newDeviceKeys())).toBe('signature_invalid')
    for (const purpose of [loginPurpose, enrolmentPurpose, 'sealwire/receipt/1', 'sealwire/pay/2', '']) {
      expect(await by(alice.keys, purpose)).toBe('signature_invalid')
    }
    // What alice signed says what she pays: bob cannot send it for himself either.
    expect(await bob.peer.refusal('payment.order', { kind: 'pay', order: signedOrder(order, alice.keys) })).toBe('signature_invalid')
    expect(postings(stage)).toBe(1)
  })

  test('takes no signature of one kind for another', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    for (const kind of orderKinds) {
      for (const purpose of orderKinds) {
        if (kind === purpose) continue
        const signed = signedOrder(order, alice.keys, orderPurposes[purpose])
        expect(await alice.peer.refusal('payment.order', { kind, order: signed })).toMatch(/^(signature_invalid|malformed)$/)
      }
    }
    expect(postings(stage)).toBe(1)
  })

  test('takes neither a login nor an enrolment for a payment, also one with the payload of an order', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const nonce = new Uint8Array(32).fill(9)
    const proof = makeLoginProof({ serverId: stageServerId, nonce }, alice.keys.ed25519)
    const statement = makeKeyStatement(alice.keys, stageServerId)
    const [header, , , signature] = decodeCbor(signedOrder(alice.pay(bob, 1n), alice.keys, loginPurpose)) as [
      Uint8Array,
      unknown,
      Uint8Array,
      Uint8Array,
    ]
    const swapped = coseMessage(header, encodeOrder(alice.pay(bob, 100n)), signature)
    for (const order of [proof, statement, swapped]) {
      for (const kind of orderKinds)
        expect(await alice.peer.refusal('payment.order', { kind, order })).toMatch(/^(signature_invalid|malformed)$/)
    }
    expect(postings(stage)).toBe(1)
  })

  test('takes no order for another server', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    expect(await alice.refusal(alice.pay(bob, 100n, { server: new Uint8Array(16).fill(1) }))).toBe('signature_invalid')
  })

  test('refuses every changed bit of a signed order', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 })
    const [alice, bob] = await twoOn(stage)
    const signed = signedOrder(alice.pay(bob, 100n), alice.keys)
    for (let bit = 0; bit < signed.length * 8; bit++) {
      const order = signed.with(bit >> 3, (signed[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      expect(await alice.peer.refusal('payment.order', { kind: 'pay', order })).toMatch(/^(signature_invalid|malformed|amount_invalid)$/)
    }
    expect(await alice.peer.refusal('payment.order', { kind: 'pay', order: Uint8Array.of(...signed, 0) })).toBe('signature_invalid')
    expect(postings(stage)).toBe(1)
  })

  test('looks at no signature under a key of small order', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const payload = encodeOrder(alice.pay(bob, 100n))
    // Under the neutral element as key, R = S·B is a good signature of everything.
    for (const key of [Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(32)]) {
      // No such device can enrol; were there one, its key alone would have to be reason enough.
      const [spkiHash, id, at] = [memoHashOf(`${key[0]}`), `small order ${key[0]}`, BigInt(stage.clock.now())]
      const row = { spkiHash, id, accountId: alice.id, ed25519: key, x25519: spkiHash, label: '', at, expiresAt: at + 1_000_000n }
      stage.store('device.enrol', row)
      const header = Uint8Array.of(0xa2, 0x01, 0x27, 0x04, 0x58, 0x20, ...key)
      const signature = Uint8Array.of(1, ...new Uint8Array(63))
      const order = coseMessage(header, payload, signature)
      expect(await alice.peer.refusal('payment.order', { kind: 'pay', order })).toBe('signature_invalid')
    }
  })

  test('takes no order of a device that was revoked, but answers what it had ordered before', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    const first = await alice.order(order)
    const { devices } = await alice.peer.ask('device.list', {})
    const second = await stage.guest()
    await second.ask('account.login', { name: 'alice', password: 'correct-horse-battery' })
    for (const { device } of devices) await second.ask('device.revoke', { device })
    const again = { kind: 'pay', order: signedOrder(order, alice.keys) } as const
    expect(await second.ask('payment.order', again)).toEqual(first)
    const later = { kind: 'pay', order: signedOrder(alice.pay(bob, 100n), alice.keys) } as const
    expect(await second.refusal('payment.order', later)).toBe('signature_invalid')
    expect(postings(stage)).toBe(2)
  })

  test('answers the same a year later and from another device, and takes nothing that has expired', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    const late = alice.pay(bob, 100n)
    const first = await alice.order(order)
    stage.clock.jump(yearMs)
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password: 'correct-horse-battery' })
    const keys = newDeviceKeys()
    await other.ask('device.enrolKey', { statement: makeKeyStatement(keys, stageServerId) })
    expect(await other.ask('payment.order', { kind: 'pay', order: signedOrder(order, alice.keys) })).toEqual(first)
    // The same order under another signature is other bytes.
    expect(await other.refusal('payment.order', { kind: 'pay', order: signedOrder(order, keys) })).toBe('conflict')
    expect(await other.refusal('payment.order', { kind: 'pay', order: signedOrder(late, alice.keys) })).toBe('expired')
    expect(postings(stage)).toBe(2)
  })

  test('takes the memo that was signed, and no other', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n, { memoHash: memoHashOf('lunch') })
    for (const memo of ['Lunch', '', undefined]) expect(await alice.refusal(order, { memo })).toBe('signature_invalid')
    expect(await alice.order(order, { memo: 'lunch' })).toMatchObject({ memo: 'lunch' })
    expect(await alice.refusal(alice.pay(bob, 100n), { memo: 'lunch' })).toBe('signature_invalid')
    expect(await alice.refusal(alice.pay(bob, 100n), { memos: ['lunch'] })).toBe('malformed')
  })

  test('tells the store’s refusals apart', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    expect(await alice.refusal(alice.pay(bob, 10_001n))).toBe('insufficient_funds')
    expect(await alice.refusal(alice.pay(alice, 1n))).toBe('is_self')
    expect(await alice.refusal(alice.pay({ id: 999n }, 1n))).toBe('not_found')
    expect(await alice.refusal(alice.pay(bob, 1n, { unit: 'gold' }))).toBe('not_found')
    stage.store('ledger.freeze', { accountId: alice.id, frozen: true, at: 1n })
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('frozen')
    stage.store('ledger.freeze', { accountId: alice.id, frozen: false, at: 1n })
    stage.store('ledger.condemn', { row: 'posting 1', what: 'a test', at: 1n })
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('ledger_broken')
    stage.store('ledger.absolve', {})
    expect(await alice.refusal(alice.pay(bob, 1n))).toBeUndefined()
  })

  test('keeps to the bounds of a day, of the account and of each device, also around midnight and with many at once', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    stage.store('ledger.limits', { unit: 'credits', accountId: alice.id, dayMax: 500n, deviceDayMax: 300n })
    const together = Array.from({ length: 10 }, () =>
      alice.peer.send('payment.order', { kind: 'pay', order: signedOrder(alice.pay(bob, 100n), alice.keys) }),
    )
    const answers: string[] = []
    for (const _ of together) answers.push(String((await alice.peer.next(([kind]) => kind !== 'event'))[0]))
    expect(answers.filter((kind) => kind === 'result').length).toBe(3)
    const keys = newDeviceKeys()
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password: 'correct-horse-battery' })
    await other.ask('device.enrolKey', { statement: makeKeyStatement(keys, stageServerId) })
    const more = (amount: bigint) => other.refusal('payment.order', { kind: 'pay', order: signedOrder(alice.pay(bob, amount), keys) })
    expect([await more(201n), await more(200n), await more(1n)]).toEqual(['limit_exceeded', undefined, 'limit_exceeded'])
    stage.clock.jump(24 * 60 * 60 * 1000)
    expect(await more(1n)).toBeUndefined()
  })

  test('answers busy when too many signatures wait', async () => {
    using stage = new ServerStage({ signaturesAtOnceMax: 1, signaturesWaitingMax: 1, requestsApartMax: 64 })
    const [alice, bob] = await twoOn(stage)
    for (let at = 0; at < 12; at++) alice.peer.send('payment.order', { kind: 'pay', order: signedOrder(alice.pay(bob, 1n), alice.keys) })
    const codes: unknown[] = []
    for (let at = 0; at < 12; at++) {
      const [kind, , code] = await alice.peer.next(([what]) => what !== 'event')
      codes.push(kind === 'fault' ? code : 'done')
    }
    expect(new Set(codes)).toEqual(new Set(['busy', 'done']))
  })
})

describe('orders about other orders', () => {
  function about(kind: OrderKind, alice: Payer, bob: Payer, hold: Uint8Array, amount = 0n): Order {
    const common = { server: stageServerId, id: newId() }
    if (kind === 'capture') return { kind, ...common, payee: bob.id, holdPayer: alice.id, hold, amount }
    if (kind === 'void') return { kind, ...common, actor: bob.id, holdPayer: alice.id, hold }
    return { kind: 'refund', ...common, payee: bob.id, originalPayer: alice.id, original: hold, amount, memoHash: memoHashOf('') }
  }

  test('capture some of what is on hold, and the rest goes back', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const hold: Order = { ...alice.pay(bob, 1000n), kind: 'hold' }
    expect(await alice.order(hold)).toMatchObject({ kind: 'hold', status: 'pending', balance: '90.00' })
    expect(await bob.refusal(about('capture', alice, bob, hold.id, 1001n))).toBe('amount_invalid')
    expect(await bob.order(about('capture', alice, bob, hold.id, 600n))).toMatchObject({ kind: 'capture', amount: '6.00', balance: '6.00' })
    expect([await alice.balance(), await bob.balance()]).toEqual(['94.00', '6.00'])
    expect(await bob.refusal(about('void', alice, bob, hold.id))).toBe('gone')
    expect(await alice.peer.ask('payment.transfer', { id: hold.id })).toMatchObject({ status: 'posted', captured: '6.00' })
  })

  test('void a hold', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const hold: Order = { ...alice.pay(bob, 1000n), kind: 'hold' }
    await alice.order(hold)
    await bob.order(about('void', alice, bob, hold.id))
    expect(await alice.balance()).toBe('100.00')
    expect(await bob.peer.ask('payment.transfer', { id: hold.id, payer: 'alice' })).toMatchObject({ status: 'voided' })
  })

  test('give a hold back whose time is over, and tell both', async () => {
    using stage = new ServerStage({ retentionSweepMs: 1_000 })
    const [alice, bob] = await twoOn(stage)
    await alice.order({ ...alice.pay(bob, 1000n), kind: 'hold' })
    await bob.peer.arrived()
    await stage.clock.move(62_000)
    const [, event, news] = await bob.peer.next(([kind]) => kind === 'event')
    expect([event, news]).toMatchObject(['payment.changed', { transfer: { kind: 'hold', status: 'expired' } }])
    expect(await alice.balance()).toBe('100.00')
  })

  test('refund never more than the original', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const paid = alice.pay(bob, 1000n)
    await alice.order(paid)
    expect(await bob.order(about('refund', alice, bob, paid.id, 400n))).toMatchObject({ kind: 'refund', payer: 'bob', payee: 'alice' })
    expect(await bob.refusal(about('refund', alice, bob, paid.id, 601n))).toBe('amount_invalid')
    await bob.order(about('refund', alice, bob, paid.id, 600n))
    expect(await bob.refusal(about('refund', alice, bob, paid.id, 1n))).toBe('amount_invalid')
    expect([await alice.balance(), await bob.balance()]).toEqual(['100.00', '0.00'])
  })

  test('split among several, each of whom is told its own part', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const carol = await Payer.on(stage, 'carol')
    const part = (payee: Payer, amount: bigint, memo: string) => ({ payee: payee.id, amount, memoHash: memoHashOf(memo) })
    const parts = [part(bob, 100n, 'tea'), part(carol, 200n, '')]
    const common = { server: stageServerId, payer: alice.id, unit: 'credits', id: newId(), expiresAt: BigInt(stage.clock.now() + 1000) }
    const order: Order = { kind: 'split', ...common, parts }
    expect(await alice.refusal(order, { memos: ['tea'] })).toBe('malformed')
    expect(await alice.refusal(order, { memos: ['coffee', ''] })).toBe('signature_invalid')
    const done = await alice.order(order, { memos: ['tea', ''] })
    expect(done).toMatchObject({
      amount: '3.00',
      balance: '97.00',
      parts: [
        { payee: 'bob', amount: '1.00', memo: 'tea' },
        { payee: 'carol', amount: '2.00' },
      ],
    })
    const told = await carol.peer.ask('payment.transfer', { id: order.id, payer: 'alice' })
    expect(told).toMatchObject({ amount: '2.00', payee: 'carol', balance: '2.00' })
    expect([told.parts, told.memo]).toEqual([undefined, undefined])
  })

  test('refund a part of a split, and tell nobody else', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const carol = await Payer.on(stage, 'carol')
    const parts = [bob, carol].map(({ id }) => ({ payee: id, amount: 100n, memoHash: memoHashOf('') }))
    const common = { server: stageServerId, payer: alice.id, unit: 'credits', id: newId(), expiresAt: BigInt(stage.clock.now() + 1000) }
    await alice.order({ kind: 'split', ...common, parts })
    const changes = async ({ peer }: Payer) =>
      (await peer.arrived()).flatMap(([kind, , data]) => (kind === 'event' ? [(data as EventData<'payment.changed'>).transfer?.kind] : []))
    expect([await changes(alice), await changes(bob), await changes(carol)]).toEqual([[], ['split'], ['split']])
    await bob.order(about('refund', alice, bob, common.id, 40n))
    expect([await changes(alice), await changes(bob), await changes(carol)]).toEqual([['refund', 'split'], [], []])
  })
})

import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeKeyStatement, newDeviceKeys, verifyReceipt } from '../../../src/pki/index.ts'
import { encodeOrder, type Order, orderKinds, orderPurposes, type Params, type PayOrder } from '../../../src/protocol/contract/index.ts'
import { toldToPayee } from '../../../src/server/money/brought-orders.ts'
import { codes, SealwireError } from '../../../src/protocol/index.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { memoHashOf, newId, Payer, signedOrder } from '../../support/payer.ts'
import { password, ServerStage, stageLedger, stageServerId } from '../../support/server-stage.ts'

const dayMs = 24 * 60 * 60 * 1000

async function twoOn(stage: ServerStage): Promise<readonly [Payer, Payer]> {
  return [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
}

/** How many postings there are, that of the mint too. */
function postings(stage: ServerStage): number {
  return stage.store('ledger.export', { after: 0n, max: 1_000n }).length
}

/** What somebody brings that alice has signed. */
function brought(order: Order, alice: Pick<Payer, 'keys'>, more: Partial<Params<'payment.bring'>> = {}): Params<'payment.bring'> {
  return { payer: 'alice', kind: 'pay', order: signedOrder(order, alice.keys), ...more }
}

async function agree(alice: Payer, bob: Payer): Promise<void> {
  await alice.peer.ask('contact.request', { name: bob.name, id: newId() })
  await bob.peer.ask('contact.accept', { name: alice.name })
}

describe('payment.bring', () => {
  test('settles what a device of another account has signed, and shows nothing of that account but what it paid', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 1250n, { memoHash: memoHashOf('lunch') })
    const settled = await bob.peer.ask('payment.bring', brought(order, alice, { memo: 'lunch' }))
    expect(settled).toEqual({
      ...{ id: order.id, kind: 'pay', status: 'posted', unit: 'credits', amount: '12.50', memo: 'lunch', balance: '12.50' },
      ...{ payer: 'alice', payee: 'bob', signer: 'alice', posting: 2, at: stage.clock.now() },
    })
    expect([await alice.balance(), await bob.balance(), postings(stage)]).toEqual(['87.50', '12.50', 2])
    const { receipt } = await bob.peer.ask('payment.receipt', { id: order.id, payer: 'alice' })
    expect(verifyReceipt(receipt, stageLedger.publicKey).posting).toMatchObject({ signer: alice.id, id: order.id, seq: 2n })
  })

  test('answers the same however often, whoever of both was first, and each with their own balance', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const [one, two] = [alice.pay(bob, 100n), alice.pay(bob, 200n)]
    const first = await bob.peer.ask('payment.bring', brought(one, alice))
    expect(await bob.peer.ask('payment.bring', brought(one, alice))).toEqual(first)
    expect(await alice.order(one)).toEqual({ ...first, balance: '99.00' })
    const ordered = await alice.order(two)
    expect(await bob.peer.ask('payment.bring', brought(two, alice))).toEqual({ ...ordered, balance: '3.00' })
    // Later payments do not change what was answered.
    await alice.order(alice.pay(bob, 1n))
    expect(await bob.peer.ask('payment.bring', brought(one, alice))).toEqual(first)
    expect([await alice.balance(), await bob.balance(), postings(stage)]).toEqual(['96.99', '3.01', 4])
  })

  test('and payment.order of the same bytes, side by side, are one posting', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 })
    const [alice, bob] = await twoOn(stage)
    for (let round = 0; round < 200; round++) {
      const order = alice.pay(bob, 1n)
      const bytes = brought(order, alice)
      const asks = [() => alice.peer.ask('payment.order', { kind: 'pay', order: bytes.order }), () => bob.peer.ask('payment.bring', bytes)]
      const answers = await Promise.all((round % 2 === 0 ? asks : asks.toReversed()).map((ask) => ask()))
      expect(new Set(answers.map(({ posting }) => posting))).toEqual(new Set([round + 2]))
    }
    expect([await alice.balance(), await bob.balance(), postings(stage)]).toEqual(['98.00', '2.00', 201])
  })

  test('is refused to everybody but the payee', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const carol = await Payer.on(stage, 'carol')
    const order = alice.pay(bob, 100n)
    expect(await carol.peer.refusal('payment.bring', brought(order, alice))).toBe('not_permitted')
    expect(await alice.peer.refusal('payment.bring', brought(order, alice))).toBe('is_self')
    expect(await bob.peer.refusal('payment.bring', brought(order, alice, { payer: 'carol' }))).toBe('signature_invalid')
    expect(await bob.peer.refusal('payment.bring', brought(order, alice, { payer: 'nobody' }))).toBe('not_found')
    expect(await (await stage.guest()).refusal('payment.bring', brought(order, alice))).toBe('not_logged_in')
    expect(postings(stage)).toBe(1)
    // The same id for two payees is one payment, whose ever comes first.
    const other = alice.pay(carol, 100n, { id: order.id })
    await carol.peer.ask('payment.bring', brought(other, alice))
    expect(await bob.peer.refusal('payment.bring', brought(order, alice))).toBe('conflict')
    expect([await carol.balance(), await bob.balance(), postings(stage)]).toEqual(['1.00', '0.00', 2])
  })

  test('takes payments alone', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    for (const kind of orderKinds.filter((each) => each !== 'pay')) {
      expect(await bob.peer.refusal('payment.bring', brought({ ...order, kind: 'hold' }, alice, { kind: kind as 'pay' }))).toBe('malformed')
      const signed = signedOrder(order, alice.keys, orderPurposes[kind])
      expect(await bob.peer.refusal('payment.bring', { payer: 'alice', kind: 'pay', order: signed })).toBe('signature_invalid')
    }
    const { server, payer, unit, expiresAt } = order
    const parts = [bob.id, 99n].map((payee) => ({ payee, amount: 1n, memoHash: memoHashOf('') }))
    const split: Order = { kind: 'split', server, payer, unit, id: newId(), expiresAt, parts }
    const others: readonly Order[] = [split, { kind: 'void', server, actor: payer, holdPayer: payer, hold: newId(), id: newId() }]
    for (const other of others) {
      const signed = signCose(encodeOrder(other), orderPurposes.pay, alice.keys.ed25519)
      expect(await bob.peer.refusal('payment.bring', { payer: 'alice', kind: 'pay', order: signed })).toBe('malformed')
    }
    expect(postings(stage)).toBe(1)
  })

  test('takes no changed bit, no other memo, no order for another server, and no key that is not the payer’s', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1_000_000, messagesBurstPerAccountMax: 1_000_000 })
    const [alice, bob] = await twoOn(stage)
    const order = alice.pay(bob, 100n)
    const good = brought(order, alice)
    for (let bit = 0; bit < good.order.length * 8; bit++) {
      const changed = good.order.with(bit >> 3, (good.order[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      const refusal = await bob.peer.refusal('payment.bring', { ...good, order: changed })
      expect(refusal).toMatch(/^(signature_invalid|malformed|amount_invalid|not_permitted)$/)
    }
    const refusal = (what: Params<'payment.bring'>) => bob.peer.refusal('payment.bring', what)
    expect(await refusal({ ...good, memo: 'lunch' })).toBe('signature_invalid')
    expect(await refusal(brought({ ...order, server: new Uint8Array(16) }, alice))).toBe('signature_invalid')
    for (const keys of [bob.keys, newDeviceKeys()]) expect(await refusal(brought(order, { keys }))).toBe('signature_invalid')
    expect(postings(stage)).toBe(1)
  })

  test('takes nothing of a device that was revoked, nor of a banned payer, with one and the same refusal', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const [settled, order] = [alice.pay(bob, 100n), alice.pay(bob, 100n)]
    const first = await bob.peer.ask('payment.bring', brought(settled, alice))
    const refusal = async (what: Params<'payment.bring'>) => {
      bob.peer.send('payment.bring', what)
      return (await bob.peer.next(([kind]) => kind === 'fault')).slice(2)
    }
    const forged = await refusal(brought(order, { keys: newDeviceKeys() }))
    stage.store('account.ban', { key: 'alice', at: 1n })
    expect(await refusal(brought(order, alice))).toEqual(forged)
    stage.store('account.unban', { key: 'alice' })
    for (const { device } of (await alice.peer.ask('device.list', {})).devices) stage.store('device.revoke', { id: device, at: 1n })
    expect(await refusal(brought(order, alice))).toEqual(forged)
    expect(forged[0]).toBe('signature_invalid')
    // What was done is done.
    expect(await bob.peer.ask('payment.bring', brought(settled, alice))).toEqual(first)
    expect([await bob.balance(), postings(stage)]).toEqual(['1.00', 2])
  })

  test('takes nothing that has expired, and answers what was settled before, a year later and after a restart', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sealwire-brought-'))
    try {
      let [settled, late]: (Params<'payment.bring'> | undefined)[] = []
      let first: unknown
      {
        using stage = new ServerStage({}, { data })
        const [alice, bob] = await twoOn(stage)
        settled = brought(alice.pay(bob, 100n), alice)
        late = brought(alice.pay(bob, 100n), alice)
        first = await bob.peer.ask('payment.bring', settled)
      }
      if (settled === undefined || late === undefined) throw new Error('nothing was signed')
      using stage = new ServerStage({}, { data })
      stage.clock.jump(dayMs)
      const bob = await stage.guest()
      await bob.ask('account.login', { name: 'bob', password })
      expect(await bob.refusal('payment.bring', late)).toBe('expired')
      expect(await bob.ask('payment.bring', settled)).toEqual(first as never)
      expect(postings(stage)).toBe(2)
    } finally {
      rmSync(data, { recursive: true })
    }
  })

  test('keeps to what the payer has and may, and counts it as the payer’s', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const refusal = (amount: bigint, more: Partial<PayOrder> = {}) =>
      bob.peer.refusal('payment.bring', brought(alice.pay(bob, amount, more), alice))
    expect(await refusal(10_001n)).toBe('insufficient_funds')
    expect(await refusal(1n, { unit: 'gold' })).toBe('not_found')
    stage.store('ledger.limits', { unit: 'credits', accountId: alice.id, dayMax: 500n, deviceDayMax: 300n })
    expect(await refusal(200n)).toBeUndefined()
    expect(await alice.refusal(alice.pay(bob, 101n))).toBe('limit_exceeded')
    expect(await refusal(101n)).toBe('limit_exceeded')
    const keys = newDeviceKeys()
    const other = await stage.guest()
    await other.ask('account.login', { name: 'alice', password })
    await other.ask('device.enrolKey', { statement: makeKeyStatement(keys, stageServerId) })
    expect(await bob.peer.refusal('payment.bring', brought(alice.pay(bob, 300n), { keys }))).toBeUndefined()
    stage.clock.jump(dayMs)
    for (const { id } of [alice, bob]) {
      stage.store('ledger.freeze', { accountId: id, frozen: true, at: 1n })
      expect(await refusal(1n)).toBe('frozen')
      stage.store('ledger.freeze', { accountId: id, frozen: false, at: 1n })
    }
    expect(await refusal(1n)).toBeUndefined()
  })

  test('is said in the conversation as the payer’s word, and told to all sessions of both', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await agree(alice, bob)
    const tablet = await stage.guest()
    await tablet.ask('account.login', { name: 'bob', password })
    for (const peer of [alice.peer, bob.peer, tablet]) await peer.arrived()
    const order = alice.pay(bob, 100n, { memoHash: memoHashOf('tea') })
    await bob.peer.ask('payment.bring', brought(order, alice, { memo: 'tea' }))
    for (const peer of [alice.peer, bob.peer, tablet]) {
      const [, , news] = await peer.next(([, event]) => event === 'payment.changed')
      expect(news).toMatchObject({ transfer: { id: order.id, memo: 'tea', amount: '1.00' } })
    }
    const { conversation = 0 } = (await bob.peer.ask('conversation.list', {})).conversations[0] ?? {}
    const { entries } = await bob.peer.ask('message.history', { conversation })
    expect(entries.at(-1)).toMatchObject({ kind: 'message', from: 'alice', id: order.id, type: 'application/vnd.sealwire.payment+cbor' })
    await bob.peer.ask('payment.bring', brought(order, alice, { memo: 'tea' }))
    expect((await bob.peer.ask('message.history', { conversation })).entries.length).toBe(entries.length)
  })

  test('needs no agreement to talk, and a block says nothing and hinders nothing, as with payment.order', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await bob.peer.ask('payment.bring', brought(alice.pay(bob, 100n), alice))
    expect((await bob.peer.ask('conversation.list', {})).conversations).toEqual([])
    await bob.peer.ask('directory.block', { name: 'alice' })
    await bob.peer.ask('payment.bring', brought(alice.pay(bob, 100n), alice))
    await alice.peer.ask('directory.block', { name: 'bob' })
    await bob.peer.ask('payment.bring', brought(alice.pay(bob, 100n), alice))
    expect(await bob.balance()).toBe('3.00')
  })

  test('counts against the rate of who brings', async () => {
    using stage = new ServerStage({ messagesPerSecondPerAccountMax: 1, messagesBurstPerAccountMax: 5 })
    const [alice, bob] = await twoOn(stage)
    const good = brought(alice.pay(bob, 100n), alice)
    for (let at = 0; at < 12; at++) bob.peer.send('payment.bring', good)
    expect((await bob.peer.arrived()).filter(([kind]) => kind === 'result').length).toBeLessThanOrEqual(5)
    expect(await alice.peer.ask('session.ping', {})).toBeDefined()
  })
})

describe('toldToPayee', () => {
  test('does not call an order that is good for too long one that is too much today', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    const long = alice.pay(bob, 1n, { expiresAt: BigInt(stage.clock.now() + 366 * dayMs) })
    const id = bob.peer.send('payment.bring', brought(long, alice))
    expect(await bob.peer.next()).toEqual(['fault', id, 'limit_exceeded', expect.stringContaining('good for more than 365 days')])
  })

  test('says nothing of the payer’s account, whatever the store said', () => {
    for (const code of Object.keys(codes) as (keyof typeof codes)[]) {
      const told = toldToPayee(new SealwireError(code, 'words about the account'))
      const isKept = told.sentence === 'words about the account'
      if (['signature_invalid', 'account_banned', 'insufficient_funds', 'limit_exceeded', 'frozen'].includes(code))
        expect(isKept).toBe(false)
      else expect([code, isKept]).toEqual([code, true])
    }
  })
})

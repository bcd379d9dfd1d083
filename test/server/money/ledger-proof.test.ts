import { describe, expect, test } from 'bun:test'
import { makeCheckpoint } from '../../../src/pki/index.ts'
import { orderPurposes, type PayOrder } from '../../../src/protocol/contract/index.ts'
import { type LedgerProofParts, proveLedger } from '../../../src/server/money/ledger-proof.ts'
import { silentLog } from '../../../src/server/log.ts'
import { readSigned, Signatures } from '../../../src/server/money/signatures.ts'
import { newId, Payer, signedOrder } from '../../support/payer.ts'
import { ServerStage, stageLedger, stageServerId } from '../../support/server-stage.ts'

function partsOf(stage: ServerStage): LedgerProofParts {
  const { store, clock, limits } = stage.context
  return { store, clock, limits, signatures: new Signatures(limits), serverId: stageServerId, publicKey: stageLedger.publicKey }
}

/** Puts an order into the ledger whose signature nobody has checked. */
function sneak(stage: ServerStage, payer: Payer, payee: Payer, purpose: string, change: Partial<PayOrder> = {}): void {
  const order = { ...payer.pay(payee, 100n), ...change }
  const signed = signedOrder(order, payer.keys, purpose)
  stage.store('ledger.order', { order, signed, key: readSigned(signed).signer, at: BigInt(stage.clock.now()) })
}

async function twoOn(stage: ServerStage): Promise<readonly [Payer, Payer]> {
  return [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob')]
}

describe('proveLedger', () => {
  test('finds nothing in what was ordered', async () => {
    using stage = new ServerStage({ checkpointPostingsMax: 2 })
    const [alice, bob] = await twoOn(stage)
    const hold: PayOrder = { ...alice.pay(bob, 300n), kind: 'hold' }
    for (const order of [alice.pay(bob, 100n), hold, alice.pay(bob, 50n)]) await alice.order(order)
    await bob.order({
      kind: 'capture',
      server: stageServerId,
      id: newId(),
      payee: bob.id,
      holdPayer: alice.id,
      hold: hold.id,
      amount: 200n,
    })
    await alice.peer.ask('payment.receipt', { posting: 2 })
    const { fault, rows } = await proveLedger(partsOf(stage))
    expect(fault).toBeUndefined()
    expect(rows).toBeGreaterThan(5)
  })

  test('finds an order that was signed for something else, and payments are refused until it is gone', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    sneak(stage, alice, bob, 'sealwire/login/1')
    // At a start, signatures of orders are not looked at again: the hashes say that they are those that were.
    expect((await proveLedger(partsOf(stage), { deep: false })).fault).toBeUndefined()
    const { fault } = await proveLedger(partsOf(stage))
    expect(fault).toMatchObject({ row: expect.stringContaining('2'), what: expect.stringContaining('signature') })
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('ledger_broken')
  })

  test('finds an order for another server', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    sneak(stage, alice, bob, orderPurposes.pay, { server: new Uint8Array(16).fill(1) })
    expect((await proveLedger(partsOf(stage))).fault?.what).toContain('another server')
  })

  test('finds a checkpoint of another key, at a start too', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    await alice.order(alice.pay(bob, 1n))
    const needed = stage.store('ledger.checkpointNeeded', { at: 1n, covers: 2n })
    if (needed === undefined) throw new Error('no checkpoint is needed')
    const { size, root } = needed
    const claim = { server: stageServerId, size, root, at: 1n }
    stage.store('ledger.checkpointStore', { size, root, at: 1n, cose: makeCheckpoint({ ...claim, at: 2n }, stageLedger) })
    expect((await proveLedger(partsOf(stage), { deep: false })).fault?.what).toContain('checkpoint')
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('ledger_broken')
  })

  test('takes payments again after a whole proof has found nothing, and not after a quick one', async () => {
    using stage = new ServerStage()
    const [alice, bob] = await twoOn(stage)
    stage.store('ledger.condemn', { row: 'posting 1', what: 'a test', at: 1n })
    await proveLedger(partsOf(stage), { deep: false })
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('ledger_broken')
    await proveLedger(partsOf(stage))
    expect(await alice.refusal(alice.pay(bob, 1n))).toBeUndefined()
  })
})

describe('LedgerCare', () => {
  test('proves the ledger in the background, with rests, and payments are refused from a fault on', async () => {
    using stage = new ServerStage({ ledgerVerifyRows: 1 })
    const [alice, bob] = await twoOn(stage)
    for (let at = 0; at < 3; at++) await alice.order(alice.pay(bob, 1n))
    const { size, root } = stage.store('ledger.checkpointNeeded', { at: 1n, covers: 2n }) ?? { size: 0n, root: new Uint8Array(32) }
    const cose = makeCheckpoint({ server: new Uint8Array(16), size, root, at: 1n }, stageLedger)
    stage.store('ledger.checkpointStore', { size, root, at: 1n, cose })
    stage.context.money?.care.prove()
    expect(await alice.refusal(alice.pay(bob, 1n))).toBeUndefined()
    for (let at = 0; at < 200 && stage.store('ledger.state', {}).fault === undefined; at++) await stage.clock.move(10)
    expect(stage.store('ledger.state', {}).fault?.row).toContain('checkpoint')
    expect(await alice.refusal(alice.pay(bob, 1n))).toBe('ledger_broken')
    await stage.context.money?.close()
  })

  test('says once in a sweep which holds cannot go back, and gives back the others', async () => {
    const lines: unknown[] = []
    const warning = (message: string, fields?: unknown): number => lines.push([message, fields])
    using stage = new ServerStage({ retentionSweepMs: 1_000 }, { log: { ...silentLog, warning } })
    const [alice, bob] = await twoOn(stage)
    const held = { ...alice.pay(bob, 1n), kind: 'hold' } as const
    await alice.order(held)
    await alice.order({ ...alice.pay(bob, 2n), kind: 'hold' })
    stage.store('ledger.condemn', { row: 'posting 1', what: 'a test', at: 1n })
    await stage.clock.move(60_000)
    expect(lines).toEqual([['holds cannot go back', { holds: 2, first: Buffer.from(held.id).toString('hex'), why: 'ledger_broken' }]])
    stage.store('ledger.absolve', {})
    await stage.clock.move(1_000)
    expect([lines.length, await alice.balance()]).toEqual([1, '100.00'])
  })

  test('ends in the middle of a proof when the server stops', async () => {
    using stage = new ServerStage({ ledgerVerifyRows: 1 })
    const [alice, bob] = await twoOn(stage)
    await alice.order(alice.pay(bob, 1n))
    stage.context.money?.care.prove()
    await stage.context.money?.close()
    expect(stage.store('ledger.state', {}).fault).toBeUndefined()
  })
})

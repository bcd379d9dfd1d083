// Receipts of a server, of every kind of posting, each changed in every single bit: none is good any more, by our own verification
// and by a script that shares no code with it. The unchanged ones are good by both. The short form takes one kind, the long one
// all of them.

import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { verifyReceipt } from '../../src/pki/index.ts'
import type { Order } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { newId, noMemo, Payer } from '../support/payer.ts'
import { pythonWith } from '../support/python.ts'
import { judgeReceipts } from '../support/receipt-judge.ts'
import { ServerStage, stageLedger, stageServerId } from '../support/server-stage.ts'
import { skipWithout } from '../support/store-contents.ts'
import { form, isLong } from './form.ts'
import { below, randomOf, seedOf } from './random.ts'

const kinds = ['mint', 'pay', 'hold', 'capture', 'void', 'refund', 'split', 'expire', 'burn'] as const
const { publicKey } = stageLedger
const canJudge = spawnSync(pythonWith('cryptography'), ['-c', 'import cryptography']).status === 0

test.skipIf(skipWithout('python3-cryptography', canJudge))(
  `a receipt with any bit changed is bad, ${form('of one kind', 'of every kind')}`,
  async () => {
    using stage = new ServerStage()
    const receipts = await receiptsOf(stage)
    const good = kinds.map((kind) => receipts.get(kind) ?? new Uint8Array())
    expect(good.map((receipt) => verifyReceipt(receipt, publicKey).posting.kind)).toEqual([...kinds])
    expect(await judgeReceipts(publicKey, good)).toEqual(good.map(() => 'good'))
    const chosen = isLong ? kinds : kinds.slice(below(randomOf(seedOf('receipts')), kinds.length)).slice(0, 1)
    const figures: Record<string, number> = {}
    for (const kind of chosen) figures[kind] = await flipAll(receipts.get(kind) ?? new Uint8Array())
    console.log('receipts, bits changed:', JSON.stringify(figures))
    expect(Math.min(...Object.values(figures))).toBeGreaterThan(4_000)
  },
  form(120_000, 900_000),
)

/** How many receipts with one bit changed there are, none of which is good. */
async function flipAll(receipt: Uint8Array): Promise<number> {
  const all = Array.from({ length: receipt.length * 8 }, (_, bit) => receipt.with(bit >> 3, (receipt[bit >> 3] ?? 0) ^ (1 << (bit & 7))))
  expect(all.flatMap((bad, bit) => (codeOf(bad) === 'receipt_invalid' ? [] : [bit]))).toEqual([])
  const verdicts = await judgeReceipts(publicKey, all)
  expect(verdicts.length).toBe(all.length)
  expect(verdicts.flatMap((verdict, bit) => (verdict.startsWith('bad: ') ? [] : [bit]))).toEqual([])
  return all.length
}

function codeOf(receipt: Uint8Array): string | undefined {
  try {
    verifyReceipt(receipt, publicKey)
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

/** One of each kind of posting, as a server gives them. */
async function receiptsOf(stage: ServerStage): Promise<ReadonlyMap<string, Uint8Array>> {
  const [alice, bob, carol] = [await Payer.on(stage, 'alice', 10_000n), await Payer.on(stage, 'bob'), await Payer.on(stage, 'carol')]
  const common = (): { server: Uint8Array; id: Uint8Array } => ({ server: stageServerId, id: newId() })
  const pay = alice.pay(bob, 1_000n)
  const [taken, given, over] = [300n, 200n, 100n].map((amount): Order => ({ ...alice.pay(bob, amount), kind: 'hold' })) as [
    Order,
    Order,
    Order,
  ]
  for (const order of [pay, taken, given, over]) await alice.order(order)
  const of = { payee: bob.id, holdPayer: alice.id }
  await bob.order({ kind: 'capture', ...common(), ...of, hold: taken.id, amount: 250n })
  await bob.order({ kind: 'void', ...common(), actor: bob.id, holdPayer: alice.id, hold: given.id })
  await bob.order({ kind: 'refund', ...common(), payee: bob.id, originalPayer: alice.id, original: pay.id, amount: 10n, memoHash: noMemo })
  const parts = [bob, carol].map(({ id }) => ({ payee: id, amount: 5n, memoHash: noMemo }))
  await alice.order({ kind: 'split', ...common(), payer: alice.id, unit: 'credits', expiresAt: pay.expiresAt, parts })
  const at = BigInt(stage.clock.now()) + 120_000n
  stage.store('ledger.expireHolds', { at, max: 9n })
  stage.store('ledger.burn', { id: newId(), accountId: alice.id, unit: 'credits', amount: 1n, memo: 'spent', at })
  const receipts = new Map<string, Uint8Array>()
  // The last one first: one checkpoint covers them all.
  for (const { seq, kind } of stage.store('ledger.export', { after: 0n, max: 100n }).toReversed()) {
    receipts.set(kind, (await alice.peer.ask('payment.receipt', { posting: Number(seq) })).receipt)
  }
  return receipts
}

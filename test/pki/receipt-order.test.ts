// Receipts by the key of the ledger, below a root that it has signed, whose row says something else than the order in it, or than any
// row says: what a server that lies can make. None is good by our own verification, nor by the script that shares no code with it.

import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { makeReceipt, verifyReceipt } from '../../src/pki/index.ts'
import { type CborValue, encodeCbor, type Order, orderPurposes } from '../../src/protocol/contract/index.ts'
import { PaperLedger, paperServer, paperTime, type RowChange, sha256 } from '../support/paper-ledger.ts'
import { pythonWith } from '../support/python.ts'
import { judgeReceipts } from '../support/receipt-judge.ts'
import { refusalOf } from '../support/refusal.ts'
import { skipWithout } from '../support/store-contents.ts'

type Named = readonly [what: string, receipt: Uint8Array]

const ledger = new PaperLedger(1)
const common = { server: paperServer, id: ledger.nextId() }
const memo = { memoHash: sha256() }
const fromPayer = { ...common, ...memo, payer: 7n, payee: 8n, unit: 'credits', amount: 1250n, expiresAt: paperTime + 1n }
const hold = { ...common, holdPayer: 7n, hold: new Uint8Array(16) }
const parts = [
  { payee: 8n, amount: 1000n, ...memo },
  { payee: 6n, amount: 250n, ...memo },
]
const pay: Order = { ...fromPayer, kind: 'pay' }
const held: Order = { ...fromPayer, kind: 'hold' }
const captured: Order = { ...hold, kind: 'capture', payee: 8n, amount: 1000n }
const voided: Order = { ...hold, kind: 'void', actor: 8n }
const refunded: Order = { ...common, ...memo, kind: 'refund', payee: 8n, originalPayer: 7n, original: new Uint8Array(16), amount: 500n }
const split: Order = { ...common, kind: 'split', payer: 7n, unit: 'credits', expiresAt: paperTime + 1n, parts }

/** Legs of these accounts, each with a ledger account of its own. */
function legs(...moves: readonly (readonly [holder: number, delta: number])[]): CborValue {
  return moves.map(([holder, delta]) => [holder + 10, holder, delta])
}

const goodLegs = {
  pay: legs([7, -1250], [8, 1250]),
  hold: legs([7, -1250], [0, 1250]),
  capture: legs([0, -1250], [8, 1000], [7, 250]),
  void: legs([0, -1250], [7, 1250]),
  refund: legs([8, -500], [7, 500]),
  split: legs([7, -1250], [8, 1000], [6, 250]),
}
const orders = [pay, held, captured, voided, refunded, split]

/** The second posting of a ledger. */
function receiptOf(order: Order, moves: CborValue = goodLegs[order.kind], change?: RowChange): Uint8Array {
  const paper = new PaperLedger(1, ledger.key)
  paper.order(order, moves, change)
  return paper.receipt(2)
}

/** One that nobody has signed. */
function unsigned(kind: string, moves: CborValue, change: RowChange = (row) => row): Uint8Array {
  const paper = new PaperLedger(1, ledger.key)
  const [ref, signer] = kind === 'expire' ? [1, 7] : [null, 0]
  paper.add(encodeCbor(change([1, 2, Number(paperTime), kind, 'credits', 2, moves, ref, signer, common.id, null, null])))
  return paper.receipt(2)
}

function* goodOnes(): Iterable<Named> {
  for (const order of orders) yield [order.kind, receiptOf(order)]
  yield ['all that was on hold', receiptOf(captured, legs([0, -1000], [8, 1000]))]
  yield ['a void by the payer', receiptOf({ ...voided, actor: 7n } as Order)]
  yield ['other places of the legs', receiptOf(split, legs([6, 250], [8, 1000], [7, -1250]))]
  yield ['the largest places and time', receiptOf(refunded, undefined, (row) => row.with(5, 9).with(2, dateMax))]
  yield ['mint', unsigned('mint', legs([7, most], [0, -most]), (row) => row.with(11, 'for tea'))]
  yield ['burn', unsigned('burn', legs([7, -1], [0, 1]), (row) => row.with(4, 'a'.repeat(16)))]
  yield ['expire', unsigned('expire', legs([0, -1250], [7, 1250]))]
}

/** A row that says something else than what was ordered. */
function* contradictions(): Iterable<Named> {
  for (const order of orders) {
    yield [`${order.kind} by nobody`, receiptOf(order, undefined, (row) => row.with(10, null))]
    yield [`${order.kind} with a memo of the operator`, receiptOf(order, undefined, (row) => row.with(11, 'for a horse'))]
    yield [`${order.kind} that settles ${order.kind === 'void' ? 'nothing' : 'itself'}`, receiptOf(order, undefined, settlesWrong)]
  }
  for (const order of [pay, held, split]) {
    yield [`${order.kind} of another unit`, receiptOf(order, undefined, (row) => row.with(4, 'gold'))]
    yield [`${order.kind} when it was over`, receiptOf(order, undefined, (row) => row.with(2, Number(paperTime) + 1))]
  }
  const fields = [paperServer, 7, 8, 'credits', 1250, common.id, Number(paperTime) + 1, sha256()]
  for (const [what, payload] of [
    ['with more', [...fields, 0]],
    ['with less', fields.slice(0, -1)],
    ['of nothing', fields.with(4, 0)],
    ['to nobody', fields.with(2, 0)],
  ] as const) {
    yield [
      `an order ${what}`,
      receiptOf(pay, undefined, (row) => row.with(10, signCose(encodeCbor(payload), orderPurposes.pay, ledger.device))),
    ]
  }
  const moves: readonly (readonly [Order, string, CborValue])[] = [
    [pay, 'of another amount to another payee', legs([7, -10_000], [2, 10_000])],
    [pay, 'of another amount', legs([7, -1251], [8, 1251])],
    [pay, 'to another payee', legs([7, -1250], [9, 1250])],
    [pay, 'by another payer', legs([6, -1250], [8, 1250])],
    [pay, 'the other way', legs([8, -1250], [7, 1250])],
    [pay, 'to more than was ordered', legs([7, -1251], [8, 1250], [9, 1])],
    [pay, 'on hold', legs([7, -1250], [0, 1250])],
    [held, 'to the payee', legs([7, -1250], [8, 1250])],
    [held, 'of another amount', legs([7, -1], [0, 1])],
    [captured, 'of another amount', legs([0, -1250], [8, 1001], [7, 249])],
    [captured, 'of more than was on hold', legs([0, -900], [8, 1000], [7, -100])],
    [captured, 'to another payee', legs([0, -1250], [9, 1000], [7, 250])],
    [captured, 'with the rest to another', legs([0, -1250], [8, 1000], [9, 250])],
    [captured, 'from the payer', legs([7, -1000], [8, 1000])],
    [voided, 'to who signs', legs([0, -1250], [8, 1250])],
    [voided, 'in part', legs([0, -1250], [7, 1000], [8, 250])],
    [refunded, 'of another amount', legs([8, -501], [7, 501])],
    [refunded, 'to another payer', legs([8, -500], [9, 500])],
    [refunded, 'of the payer', legs([7, -500], [8, 500])],
    [split, 'of other parts', legs([7, -1250], [8, 250], [6, 1000])],
    [split, 'without a part', legs([7, -1000], [8, 1000])],
    [split, 'to another payee', legs([7, -1250], [8, 1000], [9, 250])],
    [split, 'with one more', legs([7, -1251], [8, 1000], [6, 250], [9, 1])],
  ]
  for (const [order, what, other] of moves) yield [`${order.kind} ${what}`, receiptOf(order, other)]
}

/** What is settled is an earlier posting, and only some kinds do. */
function settlesWrong(row: CborValue[]): CborValue[] {
  return row.with(7, row[3] === 'void' ? null : 2)
}

/** A row that no ledger has. */
function* malformed(): Iterable<Named> {
  const changed = (change: RowChange): Uint8Array => receiptOf(refunded, undefined, change)
  for (const unit of ['', 'Credits', '9', 'a'.repeat(17), 'credits\n', 'credits\n\u001b[31mordered by account 9', 'crédits']) {
    yield [`the unit ${JSON.stringify(unit)}`, changed((row) => row.with(4, unit))]
  }
  for (const decimals of [10, largest]) yield [`${decimals} places`, changed((row) => row.with(5, decimals))]
  for (const at of [dateMax + 1, largest]) yield [`the time ${at}`, changed((row) => row.with(2, at))]
  yield ['a leg of nothing', receiptOf(pay, legs([7, -1250], [8, 1250], [9, 0]))]
  yield [
    'one ledger account twice',
    changed((row) =>
      row.with(6, [
        [3, 8, -500],
        [3, 7, 500],
      ]),
    ),
  ]
  yield [
    'a pay to oneself',
    receiptOf({ ...pay, payee: 7n } as Order, [
      [3, 7, -1250],
      [4, 7, 1250],
    ]),
  ]
  yield ['a void of nothing', receiptOf(voided, legs([0, 0], [7, 0]))]
  yield ['no legs', unsigned('mint', [])]
  yield ['more than moves at once', unsigned('mint', legs([7, most + 1], [0, -most - 1]))]
  yield ['a mint that takes', unsigned('mint', legs([7, -1], [0, 1]))]
  yield ['a mint from somebody', unsigned('mint', legs([7, 1], [8, -1]))]
  yield ['a mint to two', unsigned('mint', legs([7, 1], [8, 1], [0, -2]))]
  yield ['a mint by somebody', unsigned('mint', legs([7, 1], [0, -1]), (row) => row.with(8, 7))]
  yield ['a mint of a hold', unsigned('mint', legs([7, 1], [0, -1]), (row) => row.with(7, 1))]
  yield ['a burn that gives', unsigned('burn', legs([7, 1], [0, -1]))]
  yield ['an expiry to another', unsigned('expire', legs([0, -1], [8, 1]))]
  yield ['an expiry of nothing', unsigned('expire', legs([0, -1], [7, 1]), (row) => row.with(7, null))]
  yield ['an expiry with a memo', unsigned('expire', legs([0, -1], [7, 1]), (row) => row.with(11, 'late'))]
  yield ['an expiry that was ordered', receiptOf(held, legs([0, -1250], [7, 1250]), (row) => row.with(3, 'expire').with(7, 1))]
  const paper = new PaperLedger(1, ledger.key)
  for (const at of [dateMax + 1, largest]) {
    const checkpoint = paper.checkpoint(1, { at: BigInt(at) })
    yield [`a checkpoint of the time ${at}`, makeReceipt({ ...paper.partsOf(1), checkpoint }, ledger.key)]
  }
}

const most = 10 ** 15
/** The last moment that a date can be. */
const dateMax = 8.64e15
const largest = Number.MAX_SAFE_INTEGER
const { publicKey } = ledger.key

test('every kind of posting is good', () => {
  const good = [...goodOnes()]
  const kinds = good.map(([what, receipt]) => [what, refusalOf(() => verifyReceipt(receipt, publicKey))])
  expect(kinds).toEqual(good.map(([what]) => [what, undefined]))
})

test.each([
  ['something else than was ordered', contradictions],
  ['what no row says', malformed],
])('a receipt that says %s is refused', (_, lies) => {
  const all = [...lies()]
  expect(all.length).toBeGreaterThan(20)
  const refusals = all.map(([what, receipt]) => [what, refusalOf(() => verifyReceipt(receipt, publicKey))])
  expect(refusals).toEqual(all.map(([what]) => [what, 'receipt_invalid']))
})

const canJudge = spawnSync(pythonWith('cryptography'), ['-c', 'import cryptography']).status === 0
test.skipIf(skipWithout('python3-cryptography', canJudge))('the independent script agrees', async () => {
  const all = [...goodOnes(), ...contradictions(), ...malformed()]
  const verdicts = await judgeReceipts(
    publicKey,
    all.map(([, receipt]) => receipt),
  )
  const good = [...goodOnes()].length
  expect(all.map(([what], at) => [what, verdicts[at]?.slice(0, 4)])).toEqual(all.map(([what], at) => [what, at < good ? 'good' : 'bad:']))
})

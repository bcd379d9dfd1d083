// The vectors of payments, good and bad.

import type { CborValue, Result } from '../src/protocol/contract/index.ts'
import { type BadVector, event, misanswered, misfit, refused, request, result, run } from './contract-vector.ts'

type Transfer = Result<'payment.order'>
type Fields = Readonly<Record<string, CborValue>>

const time = 1_790_000_000_000
/** The example of RFC 9562, appendix A.6, with another last byte each. */
const uuid = (last: number) => Uint8Array.from([...Buffer.from('017f22e279b07cc398c4dc0c0c0739', 'hex'), last])
const id = uuid(0x8f)

const transfer: Transfer = {
  ...{ id, kind: 'pay', status: 'posted', unit: 'credits', amount: '12.50', payer: 'alice', payee: 'bob', signer: 'alice' },
  ...{ posting: 17, at: time },
}
const full: Transfer = { ...transfer, refunded: '2.50', memo: 'lunch, Übersicht 👋🏽', balance: '-0.01' }
const hold: Transfer = { ...transfer, kind: 'hold', captured: '6.00', expiresAt: time + 1 } as const
const capture: Transfer = { ...transfer, kind: 'capture', signer: 'bob', original: uuid(1), posting: Number.MAX_SAFE_INTEGER } as const
const minted: Transfer = {
  id,
  kind: 'mint',
  status: 'posted',
  unit: 'credits',
  amount: '9999999999999.99',
  payee: 'bob',
  posting: 1,
  at: 0,
} as const
const parts = [
  { payee: 'bob', amount: '1.00', memo: 'tea' },
  { payee: '李', amount: '0.01' },
]
const split: Transfer = { ...transfer, kind: 'split', payee: undefined, parts }
const asked = { id, from: 'bob', to: 'alice', unit: 'credits', amount: '12.50', paid: '0.00', status: 'open', at: time } as const
const line: Result<'payment.statement'>['lines'][number] = {
  posting: 17,
  at: time,
  kind: 'pay',
  unit: 'credits',
  delta: '-12.50',
  balance: '87.50',
  transfer,
}

const requests = [
  request('units', 1, 'payment.units', {}),
  request('whom to pay', 2, 'payment.find', { name: 'bob' }),
  request('balances', 3, 'payment.balance', {}),
  request('the balance in a unit', 3, 'payment.balance', { unit: 'hours' }),
  ...(['pay', 'hold', 'capture', 'void', 'refund'] as const).map((kind) => request(kind, 4, 'payment.order', { kind, order: run(300) })),
  request('pay with a memo, as asked', 4, 'payment.order', { kind: 'pay', order: run(4_096), memo: '𠮷'.repeat(100), request: uuid(2) }),
  request('split among 50', 5, 'payment.order', { kind: 'split', order: run(3_000), memos: Array.from({ length: 50 }, () => '') }),
  request('a payment, by its payee', 13, 'payment.bring', { payer: 'alice', kind: 'pay', order: run(300) }),
  request('a payment with a memo, by its payee', 13, 'payment.bring', { payer: 'Алиса', kind: 'pay', order: run(4_096), memo: 'lunch' }),
  request('what became of it', 6, 'payment.transfer', { id }),
  request('what became of another’s', 6, 'payment.transfer', { id, payer: 'alice' }),
  request('ask to be paid', 7, 'payment.request', { id, name: 'alice', amount: '12.50' }),
  request('ask to be paid, with all there is', 7, 'payment.request', {
    ...{ id, name: 'alice', unit: 'a123456789012345', amount: '1', memo: 'lunch', expiresAt: time },
  }),
  request('ask for what is no amount, of which the refusal says why', 7, 'payment.request', { id, name: 'alice', amount: '1e3' }),
  request('decline', 8, 'payment.settle', { id }),
  request('requests', 9, 'payment.requests', {}),
  request('older open requests', 9, 'payment.requests', { before: time, open: true }),
  request('more of the requests', 9, 'payment.requests', { before: time, beforeId: id }),
  request('holds', 14, 'payment.holds', {}),
  request('older holds', 14, 'payment.holds', { before: 17 }),
  request('statement', 10, 'payment.statement', {}),
  request('more of the statement', 10, 'payment.statement', { unit: 'credits', before: 17 }),
  request('receipt', 11, 'payment.receipt', { id, payer: 'alice' }),
  request('receipt of a posting', 11, 'payment.receipt', { posting: 17 }),
  request('checkpoint', 12, 'payment.checkpoint', {}),
  request('checkpoint with a proof', 12, 'payment.checkpoint', { from: 1_000 }),
]

const results = [
  result('the units', 1, 'payment.units', {
    account: 7,
    units: [
      { unit: 'credits', name: 'Credits', decimals: 2, standard: true },
      { unit: 'x', name: 'Ü'.repeat(64), decimals: 9, standard: false },
    ],
  }),
  result('whom to pay', 2, 'payment.find', { account: Number.MAX_SAFE_INTEGER, name: 'Bob' }),
  result('the balances', 3, 'payment.balance', {
    balances: [
      { unit: 'credits', balance: '87.50', held: '10.00' },
      { unit: 'hours', balance: '-1.5', held: '0.0', frozen: true },
    ],
  }),
  ...Object.entries({
    'a payment': transfer,
    'all of it': full,
    'a hold': hold,
    'a capture': capture,
    'a split': split,
    money: minted,
  }).map(([name, value]) => result(name, 4, 'payment.order', value)),
  result('a payment that was brought', 13, 'payment.bring', { ...transfer, memo: 'lunch', balance: '12.50' }),
  ...(['pending', 'voided', 'expired'] as const).map((status) =>
    result(`a hold that is ${status}`, 6, 'payment.transfer', { ...hold, status }),
  ),
  result('asked', 7, 'payment.request', asked),
  ...(['paid', 'cancelled', 'declined', 'expired'] as const).map((status) =>
    result(`a request that is ${status}`, 8, 'payment.settle', { ...asked, status, memo: 'lunch', expiresAt: time + 1 }),
  ),
  result('no requests', 9, 'payment.requests', { requests: [], more: false }),
  result('some requests', 9, 'payment.requests', { requests: [asked, asked], more: true }),
  result('no holds', 14, 'payment.holds', { holds: [], more: false }),
  result('a hold that waits', 14, 'payment.holds', { holds: [{ ...hold, status: 'pending', captured: undefined }], more: true }),
  result('an empty statement', 10, 'payment.statement', { lines: [], more: false }),
  result('a statement', 10, 'payment.statement', { lines: [line, { ...line, kind: 'expire', transfer: hold }], more: true }),
  result('a receipt', 11, 'payment.receipt', { receipt: run(700) }),
  result('a checkpoint', 12, 'payment.checkpoint', { checkpoint: run(190) }),
  result('a checkpoint with its proof', 12, 'payment.checkpoint', { checkpoint: run(190), proof: [run(32, 1), run(32, 2)] }),
]

const events = [event('a payment', 'payment.changed', { transfer }), event('a request', 'payment.changed', { request: asked })]

/** In the order of the requests, the results and the events. */
export const paymentVectors = [...requests, ...results, ...events]

const without = (fields: Fields, key: string): CborValue => Object.fromEntries(Object.entries(fields).filter(([each]) => each !== key))
const order: Fields = { kind: 'pay', order: run(300) }
const brought: Fields = { payer: 'alice', ...order }
const claim: Fields = { id, name: 'alice', amount: '1' }

/** What each method cannot do without. */
const whole: Readonly<Record<string, Fields>> = {
  'payment.find': { name: 'bob' },
  'payment.order': order,
  'payment.bring': brought,
  'payment.transfer': { id },
  'payment.request': claim,
  'payment.settle': { id },
}
const answers: Readonly<Record<string, Fields>> = {
  'payment.units': { account: 7, units: [] },
  'payment.find': { account: 7, name: 'bob' },
  'payment.balance': { balances: [] },
  'payment.order': { id, kind: 'burn', status: 'posted', unit: 'credits', amount: '1', posting: 1, at: 0 },
  'payment.request': { ...asked },
  'payment.statement': { lines: [], more: false },
  'payment.holds': { holds: [], more: false },
  'payment.requests': { requests: [], more: false },
  'payment.receipt': { receipt: run(1) },
  'payment.checkpoint': { checkpoint: run(1) },
}

/** In the same order. */
export const badPaymentVectors: readonly BadVector[] = [
  ...[
    'payment.units',
    'payment.balance',
    'payment.holds',
    'payment.requests',
    'payment.statement',
    'payment.receipt',
    'payment.checkpoint',
  ].map((method) => refused('a parameter that it does not have', method, { more: 1 })),
  ...Object.entries(whole).flatMap(([method, fields]) =>
    Object.keys(fields).map((key) => refused(`no ${key}`, method, without(fields, key))),
  ),
  ...['Credits', '1x', 'a-b', 'a'.repeat(17), ''].map((unit) => refused(`unit '${unit}'`, 'payment.balance', { unit })),
  refused('a kind of no meaning', 'payment.order', { ...order, kind: 'gift' }),
  refused('mint', 'payment.order', { ...order, kind: 'mint' }),
  refused('4,097 bytes', 'payment.order', { ...order, order: run(4_097) }),
  refused('text for the order', 'payment.order', { ...order, order: 'x' }),
  refused('memo of 201 code units', 'payment.order', { ...order, memo: 'x'.repeat(201) }),
  refused('51 memos', 'payment.order', { ...order, memos: Array.from({ length: 51 }, () => '') }),
  refused('a memo that is null', 'payment.order', { ...order, memos: [null] }),
  ...['hold', 'capture', 'void', 'refund', 'split', 'mint'].map((kind) => refused(kind, 'payment.bring', { ...brought, kind })),
  ...['request', 'memos'].map((key) => refused(key, 'payment.bring', { ...brought, [key]: key === 'memos' ? ['x'] : id })),
  refused('4,097 bytes', 'payment.bring', { ...brought, order: run(4_097) }),
  refused('memo of 201 code units', 'payment.bring', { ...brought, memo: 'x'.repeat(201) }),
  refused('a number for the payer', 'payment.bring', { ...brought, payer: 7 }),
  ...[15, 17].map((length) => refused(`id of ${length} bytes`, 'payment.transfer', { id: run(length) })),
  refused('id as text', 'payment.settle', { id: '017f22e2-79b0-7cc3-98c4-dc0c0c07398f' }),
  refused('a number for the amount', 'payment.request', { ...claim, amount: 1 }),
  refused('an amount of 33 characters', 'payment.request', { ...claim, amount: '1'.repeat(33) }),
  refused('posting -1', 'payment.receipt', { posting: -1 }),
  refused('posting as text', 'payment.receipt', { posting: '17' }),
  refused('size 2^53', 'payment.checkpoint', { from: 2n ** 53n }),
  ...Object.entries(answers).flatMap(([method, fields]) =>
    Object.keys(fields).map((key) => misanswered(`${method} without ${key}`, method, without(fields, key))),
  ),
  misanswered('a number for the amount', 'payment.order', { ...transfer, amount: 12 }),
  ...['1e3', '05', '+1', '.5', '1.', '٣', 'NaN', ''].map((amount) =>
    misanswered(`amount '${amount}'`, 'payment.order', { ...transfer, amount }),
  ),
  misanswered('a status of no meaning', 'payment.order', { ...transfer, status: 'done' }),
  misanswered('10 decimals', 'payment.units', { account: 7, units: [{ unit: 'x', name: 'x', decimals: 10, standard: false }] }),
  misanswered('a line without its transfer', 'payment.statement', { lines: [without(line, 'transfer')], more: false }),
  misanswered('16,385 bytes of a receipt', 'payment.receipt', { receipt: run(16_385) }),
  misanswered('a proof with 31 bytes', 'payment.checkpoint', { checkpoint: run(1), proof: [run(31)] }),
  misfit('half a transfer', 'event', ['payment.changed', { transfer: { id } }]),
  misfit('half a request', 'event', ['payment.changed', { request: { id } }]),
]

// payment.*: the operator's own units between accounts. What moves money is signed by a device of whoever it takes it from;
// amounts are decimal text at this edge and whole minor units inside.

import * as v from 'valibot'
import { messageId } from '../entry.ts'
import { bytes, count, exactBytes, flag, name, text, word } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'
import { orderKinds, splitPayees, unitPattern } from '../order.ts'

/** The largest signed order. */
export const orderBytesMax = 4_096
/** The longest memo, in characters. */
export const memoCharactersMax = 200
/** The largest receipt. */
export const receiptBytesMax = 16_384

const unit = () => v.pipe(text(16, 'code of a unit'), v.regex(unitPattern))
const amount = (description = 'decimal text, such as 12.50') => v.pipe(text(32, description), v.regex(/^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/))
/** Whatever it is, the refusal says why. */
const asked = () => text(32, 'decimal text, such as 12.50: digits, no sign, no exponent, no leading zeros')
const memo = () => text(memoCharactersMax, 'what it is for')
const kind = () => word(orderKinds, 'what is ordered')
const postingKind = () => word([...orderKinds, 'mint', 'burn', 'expire'], 'what it is')
const status = () => word(['pending', 'posted', 'voided', 'expired'], 'of the transfer; pending: on hold')

/** What became of a transfer. */
export const transferSchema = v.object({
  id: messageId('of the order'),
  kind: word([...orderKinds, 'mint', 'burn'], 'what it is'),
  status: status(),
  unit: unit(),
  amount: amount(),
  payer: v.optional(name('whose money it was; missing for mint')),
  payee: v.optional(name('whose it is; missing for burn, and for a split where its payer asks')),
  signer: v.optional(name('whose device ordered it; missing for mint and burn')),
  captured: v.optional(amount('of a hold')),
  refunded: v.optional(amount('so far')),
  expiresAt: v.optional(count('of a hold, milliseconds since 1970')),
  original: v.optional(messageId('of a capture, a void, a refund: of which transfer')),
  posting: count('number in the ledger'),
  at: count('milliseconds since 1970'),
  memo: v.optional(memo()),
  parts: v.optional(
    v.pipe(
      v.array(v.object({ payee: name('who gets it'), amount: amount(), memo: v.optional(memo()) })),
      v.description('of a split, for its payer; a payee is told its own part'),
    ),
  ),
  balance: v.optional(amount('of the account that asks, after it')),
})

/** What became of a request to pay. */
export const paymentRequestSchema = v.object({
  id: messageId('of the request'),
  from: name('who wants to be paid'),
  to: name('who is asked'),
  unit: unit(),
  amount: amount(),
  paid: amount('so far'),
  status: word(['open', 'paid', 'cancelled', 'declined', 'expired'], 'of the request'),
  memo: v.optional(memo()),
  at: count('milliseconds since 1970'),
  expiresAt: v.optional(count('milliseconds since 1970')),
})

export const paymentMethods = {
  'payment.units': {
    what: 'The units of this server, and what a device needs to sign orders.',
    when: 'after login',
    params: v.strictObject({}),
    result: v.object({
      account: count('number of the account that asks: what it signs names it'),
      units: v.pipe(
        v.array(
          v.object({
            unit: unit(),
            name: text(64, 'for people'),
            decimals: count('places after the point', 9),
            standard: flag('whether it is meant where none is named'),
          }),
        ),
        v.description('those that the operator has defined'),
      ),
    }),
  },
  'payment.find': {
    what: 'The number of an account, to be signed as payee.',
    when: 'after login',
    params: v.strictObject({ name: name('of an account') }),
    result: v.object({ account: count('its number'), name: name('as its owner writes it') }),
  },
  'payment.balance': {
    what: 'What the account has.',
    when: 'after login',
    params: v.strictObject({ unit: v.optional(unit()) }),
    result: v.object({
      balances: v.pipe(
        v.array(
          v.object({
            unit: unit(),
            balance: amount('that can be spent'),
            held: amount('on hold beside it'),
            frozen: v.optional(flag('true: nothing leaves and nothing arrives')),
          }),
        ),
        v.description('one for each unit'),
      ),
    }),
  },
  'payment.order': {
    what: 'Carries out a signed order. The result means that it is durable; the same bytes again bring the same result, for ever.',
    when: 'after login',
    apart: true,
    params: v.strictObject({
      kind: kind(),
      order: bytes(orderBytesMax, 'COSE_Sign1: payments.md says what is signed'),
      memo: v.optional(memo()),
      memos: v.optional(v.pipe(v.array(memo()), v.maxLength(splitPayees.max), v.description('split: one for each payee'))),
      request: v.optional(messageId('of the payment request that this pays')),
    }),
    result: transferSchema,
  },
  'payment.bring': {
    what: 'Carries out a payment to the account that asks, which a device of another account has signed: for a payer who does not reach the server. It is as if the payer had sent payment.order, and who comes second is answered what was done; the balance is that of who asks.',
    when: 'after login',
    apart: true,
    params: v.strictObject({
      payer: name('whose device has signed it'),
      kind: word(['pay'], 'what is ordered'),
      order: bytes(orderBytesMax, 'COSE_Sign1: payments.md says what is signed'),
      memo: v.optional(memo()),
    }),
    result: transferSchema,
  },
  'payment.transfer': {
    what: 'What became of an order: unknown_outcome is resolved by asking here, or by sending the same bytes again.',
    when: 'after login',
    params: v.strictObject({ id: messageId('of the order'), payer: v.optional(name('who signed it; default: the account that asks')) }),
    result: transferSchema,
  },
  'payment.holds': {
    what: 'What is on hold: put aside by the account, or for it, of strangers without its memo. The newest first.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ before: v.optional(count('postings before this number')) }),
    result: v.object({
      holds: v.pipe(v.array(transferSchema), v.description('the newest first')),
      more: flag('whether there are more'),
    }),
  },
  'payment.request': {
    what: 'Asks somebody to pay. It moves nothing.',
    when: 'after login',
    params: v.strictObject({
      id: messageId(),
      name: name('who is asked'),
      unit: v.optional(unit()),
      amount: asked(),
      memo: v.optional(memo()),
      expiresAt: v.optional(
        count('milliseconds since 1970, at most 365 days ahead; default: 30 days, or what it was when it is asked again'),
      ),
    }),
    result: paymentRequestSchema,
  },
  'payment.settle': {
    what: 'Cancels an own request, or declines one.',
    when: 'after login',
    params: v.strictObject({ id: messageId('of the request') }),
    result: paymentRequestSchema,
  },
  'payment.requests': {
    what: 'Requests of and to the account, the newest first: none of who is blocked, and of strangers none with its memo.',
    when: 'after login',
    reads: true,
    params: v.strictObject({
      before: v.optional(count('older than this moment')),
      beforeId: v.optional(messageId('of the last one told, made at `before`: then those of that moment behind it come too')),
      open: v.optional(flag('true: only open ones')),
    }),
    result: v.object({
      requests: v.pipe(v.array(paymentRequestSchema), v.description('the newest first')),
      more: flag('whether there are more'),
    }),
  },
  'payment.statement': {
    what: 'What moved on the account, the newest first.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ unit: v.optional(unit()), before: v.optional(count('postings before this number')) }),
    result: v.object({
      lines: v.pipe(
        v.array(
          v.object({
            posting: count('number in the ledger'),
            at: count('milliseconds since 1970'),
            kind: postingKind(),
            unit: unit(),
            delta: amount('negative: it left the account'),
            balance: amount('after it'),
            transfer: v.pipe(transferSchema, v.description('the order that moved it')),
          }),
        ),
        v.description('the newest first'),
      ),
      more: flag('whether there are more'),
    }),
  },
  'payment.receipt': {
    what: 'The signed statement of the server that a transfer is posted. It makes a checkpoint if none covers it, at most one a second. Of a split it shows all parts.',
    when: 'after login',
    params: v.strictObject({
      id: v.optional(messageId('of the order')),
      payer: v.optional(name('who signed it; default: the account that asks')),
      posting: v.optional(count('instead of id: a posting that moved something of the account')),
    }),
    result: v.object({ receipt: bytes(receiptBytesMax, 'COSE_Sign1: receipts.md says what is in it') }),
  },
  'payment.checkpoint': {
    what: 'The newest checkpoint, and the proof that it extends an older one.',
    when: 'after login',
    params: v.strictObject({ from: v.optional(count('size of the older one')) }),
    result: v.object({
      checkpoint: bytes(1_024, 'COSE_Sign1 by the ledger key'),
      proof: v.optional(
        v.pipe(v.array(exactBytes(32, 'consistency proof of RFC 9162 §2.1.4')), v.description('from the older one to this one')),
      ),
    }),
  },
} as const satisfies Record<string, MethodRow>

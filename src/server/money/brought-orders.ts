// Orders that somebody else has signed, as their payee brings them (payments.md, "Brought by the payee"): what is asked of them
// beside what is asked of every order, and how a refusal is told to somebody whose account it is not about.

import { decodeOrder, type Order, type Params, type PayOrder } from '../../protocol/contract/index.ts'
import { type Code, SealwireError } from '../../protocol/index.ts'
import { readSigned } from './signatures.ts'

/** A payment as its payee brings it. */
export type BroughtOrder = Omit<Params<'payment.bring'>, 'payer'>

/** @throws {SealwireError} `not_permitted` when it pays somebody else; `malformed`, `amount_invalid`, `signature_invalid`. */
export function requirePayee({ kind, order: signed }: BroughtOrder, { id }: { readonly id: bigint }): void {
  const order = decodeOrder(kind, readSigned(signed).payload)
  if (!isPayment(order) || order.payee !== id) throw new SealwireError('not_permitted', 'the order pays somebody else')
}

/**
 * A refusal in the words of who brings: it says neither which devices the payer has, nor which bound was reached. A banned account
 * has no device that signs.
 */
export function toldToPayee(reason: unknown): SealwireError {
  const error = SealwireError.from(reason)
  const sentence = sentences[error.code]
  if (error.code === 'account_banned') return new SealwireError('signature_invalid', notSigned, { cause: error })
  return sentence === undefined ? error : new SealwireError(error.code, sentence, { cause: error })
}

function isPayment(order: Order): order is PayOrder {
  return order.kind === 'pay'
}

const notSigned = 'the order is not signed by a device of the payer'
const sentences: { readonly [C in Code]?: string } = {
  signature_invalid: notSigned,
  insufficient_funds: 'the payer cannot pay it',
  limit_exceeded: 'it is more than the payer may pay today or an account may hold, or is good for more than 365 days',
  frozen: 'one of the two accounts is frozen',
}

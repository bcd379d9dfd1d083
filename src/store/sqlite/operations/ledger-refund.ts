// Pays back some or all of a payment, of what was captured of a hold, or of one part of a split: over all refunds never more.

import { formatAmount, requireAmount } from '../../../domain/money.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Transfer } from '../../ledger.ts'
import type { Database } from '../database.ts'
import { legOn, openBook, requireThawed } from './ledger-books.ts'
import type { Made, OrderOf } from './ledger-order.ts'
import { addPosting } from './ledger-post.ts'
import { spend } from './ledger-spent.ts'
import { findTransfer, insertTransfer, readAgain } from './ledger-transfer.ts'

export function refund(database: Database, { order, signed, digest, key, memo, at }: OrderOf<'refund'>): Made {
  const { kind, payee: signerId, id } = order
  const amount = requireAmount(order.amount)
  const original = findOriginal(database, order.originalPayer, order.original, signerId)
  countRefund(database, original, signerId, amount)
  const { unit, decimals, posting: ref } = original
  const [from, to] = [openBook(database, signerId, unit), openBook(database, original.signerId, unit)]
  requireThawed(from, to)
  spend(database, from, key, amount, at)
  const legs = [legOn(from, -amount), legOn(to, amount)]
  const { seq, balances } = addPosting(database, { at, kind, unit, decimals, legs, ref, signerId, id, signed, memo: undefined })
  const of = { signerId: original.signerId, id: original.id }
  const made = { signerId, id, kind, unit, decimals, amount, payer: from.holder, payee: to.holder, original: of, memo, at, posting: seq }
  const transfer = insertTransfer(database, made, digest)
  return { transfer, ...(balances[0] === undefined ? {} : { balance: balances[0] }), changed: readAgain(database, of) }
}

/** A payment to the account: for everybody else it is not there. */
function findOriginal(database: Database, payer: bigint, id: Uint8Array, accountId: bigint): Transfer {
  const original = findTransfer(database, payer, id)
  const isPaid = original?.payee?.id === accountId || original?.parts.some(({ payee }) => payee.id === accountId)
  if (original === undefined || isPaid !== true || !refundable.has(original.kind)) {
    throw new SealwireError('not_found', 'there is no such payment')
  }
  return original
}

/** In one statement with its condition, for the whole and for the part. A hold can give back what was captured of it. */
function countRefund(database: Database, original: Transfer, payeeId: bigint, amount: bigint): void {
  const { signerId, id, kind } = original
  const counted = database
    .prepare(
      `update transfer set refunded = refunded + :amount
       where signer_id = :signerId and id = :id and refunded + :amount <= iif(kind = 'hold', captured, amount)`,
    )
    .run({ signerId, id, amount })
  const inPart = kind === 'split' ? countInPart(database, signerId, id, payeeId, amount) : 1n
  if (counted !== 1n || inPart !== 1n) throw tooMuch(original, payeeId)
}

/** Who is told how much is left was paid it: of a split their own part, and nothing of the others. */
function tooMuch({ kind, amount, captured, refunded, parts, unit, decimals }: Transfer, payeeId: bigint): SealwireError {
  const part = parts.find(({ payee }) => payee.id === payeeId)
  const left = part === undefined ? (kind === 'hold' ? captured : amount) - refunded : part.amount - part.refunded
  const words = left === 0n ? 'nothing is left to be refunded' : `only ${formatAmount(left, decimals)} ${unit} can still be refunded`
  return new SealwireError('amount_invalid', words)
}

function countInPart(database: Database, signerId: bigint, id: Uint8Array, payeeId: bigint, amount: bigint): bigint {
  return database
    .prepare(
      `update split_part set refunded = refunded + :amount
       where signer_id = :signerId and id = :id and payee_id = :payeeId and refunded + :amount <= amount`,
    )
    .run({ signerId, id, payeeId, amount })
}

const refundable: ReadonlySet<string> = new Set<Transfer['kind']>(['pay', 'hold', 'split'])

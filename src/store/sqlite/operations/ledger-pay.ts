// Orders that take from the account of who signs: a payment, a hold, and a payment to several.

import { requireAmount } from '../../../domain/money.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import { limitTable } from '../../../protocol/limits.ts'
import type { TransferPart } from '../../ledger.ts'
import type { Database } from '../database.ts'
import { type Book, legOn, openBook, ownLeg, requireThawed } from './ledger-books.ts'
import type { Made, OrderOf } from './ledger-order.ts'
import { addPosting } from './ledger-post.ts'
import { payRequest } from './ledger-requests.ts'
import { spend } from './ledger-spent.ts'
import { insertTransfer } from './ledger-transfer.ts'

/** A payment, or a hold: then it goes to nobody until it is captured. */
export function pay(database: Database, { order, signed, digest, key, memo, request, at }: OrderOf<'pay' | 'hold'>): Made {
  const { kind, payer: signerId, payee, unit, id, expiresAt } = order
  const amount = requireAmount(order.amount)
  requireOther(signerId, payee)
  requireTime(expiresAt, at)
  if (kind === 'hold' && expiresAt - at > holdMsMax) throw new SealwireError('limit_exceeded', 'a hold lasts 30 days at most')
  if (kind === 'hold' && request !== undefined) throw new SealwireError('malformed', 'a request is paid, not put on hold')
  const from = openBook(database, signerId, unit)
  const to = openBook(database, payee, unit)
  requireThawed(from, to)
  spend(database, from, key, amount, at)
  const paid = request === undefined ? undefined : payRequest(database, order, request, at)
  const into = kind === 'hold' ? ownLeg(database, 'held', unit, amount) : legOn(to, amount)
  const { decimals } = from
  const { seq, balances } = addPosting(database, {
    ...{ at, kind, unit, decimals, legs: [legOn(from, -amount), into], ref: undefined, signerId, id, signed, memo: undefined },
  })
  const transfer = insertTransfer(
    database,
    {
      ...{ signerId, id, kind, unit, decimals, amount, payer: from.holder, payee: to.holder, memo, at, posting: seq },
      expiresAt: kind === 'hold' ? expiresAt : undefined,
    },
    digest,
    request,
  )
  return { transfer, ...(balances[0] === undefined ? {} : { balance: balances[0] }), ...(paid && { request: paid }) }
}

/** A payment to several, all or nobody. */
export function split(database: Database, { order, signed, digest, key, memos = [], at }: OrderOf<'split'>): Made {
  const { kind, payer: signerId, unit, id, expiresAt } = order
  const amount = requireAmount(order.parts.reduce((sum, part) => sum + requireAmount(part.amount), 0n))
  for (const { payee } of order.parts) requireOther(signerId, payee)
  requireTime(expiresAt, at)
  const from = openBook(database, signerId, unit)
  const to = order.parts.map((part) => ({ book: openBook(database, part.payee, unit), amount: part.amount }))
  requireThawed(from, ...to.map(({ book }) => book))
  requireDifferent(to.map(({ book }) => book))
  spend(database, from, key, amount, at)
  const { decimals } = from
  const legs = [legOn(from, -amount), ...to.map((part) => legOn(part.book, part.amount))]
  const { seq, balances } = addPosting(database, { at, kind, unit, decimals, legs, ref: undefined, signerId, id, signed, memo: undefined })
  const parts: TransferPart[] = to.map((part, place) => ({
    payee: part.book.holder,
    amount: part.amount,
    refunded: 0n,
    memo: memos[place],
  }))
  const made = { signerId, id, kind, unit, decimals, amount, payer: from.holder, parts, at, posting: seq }
  return { transfer: insertTransfer(database, made, digest), ...(balances[0] === undefined ? {} : { balance: balances[0] }) }
}

function requireOther(signerId: bigint, payee: bigint): void {
  if (signerId === payee) throw new SealwireError('is_self', 'an account cannot pay itself')
}

function requireTime(expiresAt: bigint, at: bigint): void {
  if (at >= expiresAt) throw new SealwireError('expired', 'the order came too late')
  if (expiresAt - at > orderMsMax) throw new SealwireError('limit_exceeded', 'an order is good for 365 days at most')
}

function requireDifferent(books: readonly Book[]): void {
  if (new Set(books.map(({ id }) => id)).size !== books.length) throw new SealwireError('malformed', 'a split pays everybody once')
}

const orderMsMax = BigInt(limitTable.orderMsMax.value)
/** How long money may be on hold. */
const holdMsMax = BigInt(limitTable.holdMsMax.value)

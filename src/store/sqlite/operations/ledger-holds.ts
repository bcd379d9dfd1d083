// How a hold ends: captured, given back, or over. What was held and is not captured goes back in the same posting.

import { requireAmount } from '../../../domain/money.ts'
import { assert, SealwireError } from '../../../protocol/errors.ts'
import type { Leg, Transfer } from '../../ledger.ts'
import type { HoldPlace, OverHolds, StuckHold } from '../../over-holds.ts'
import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer } from '../statement.ts'
import { legOn, openBook, ownLeg, requireThawed } from './ledger-books.ts'
import type { Made, OrderOf } from './ledger-order.ts'
import { addPosting, type NewPosting } from './ledger-post.ts'
import { closeHold, findTransfer, holdEnded, insertTransfer, readAgain } from './ledger-transfer.ts'

/** The payee takes some or all of it. */
export function capture(database: Database, { order, signed, digest, at }: OrderOf<'capture'>): Made {
  const { kind, payee: signerId, id } = order
  const amount = requireAmount(order.amount)
  const hold = findHold(database, order.holdPayer, order.hold, signerId)
  if (hold.payee?.id !== signerId) throw new SealwireError('not_permitted', 'only who is to be paid takes what is on hold')
  if (hold.status !== 'pending') throw holdEnded()
  if (at >= hold.expiresAt) throw new SealwireError('expired', 'the hold is over')
  if (amount > hold.amount) throw new SealwireError('amount_invalid', 'it is more than is on hold')
  const { unit, decimals } = hold
  const [from, to] = [openBook(database, hold.signerId, unit), openBook(database, signerId, unit)]
  requireThawed(from, to)
  const back = hold.amount - amount
  const legs = [ownLeg(database, 'held', unit, -hold.amount), legOn(to, amount), ...(back > 0n ? [legOn(from, back)] : [])]
  const { seq, balances } = addPosting(database, {
    ...{ at, kind, unit, decimals, legs, ref: hold.posting, signerId, id, signed, memo: undefined },
  })
  const made = { signerId, id, kind, unit, decimals, amount, payer: from.holder, payee: to.holder, at, posting: seq }
  const transfer = insertTransfer(database, { ...made, original: { signerId: hold.signerId, id: hold.id } }, digest)
  const changed = closeHold(database, hold, 'posted', seq, amount)
  return { transfer, ...(balances[1] === undefined ? {} : { balance: balances[1] }), changed }
}

/** The payee gives it back; so may the payer when its time is over and it was not given back yet. */
export function voidHold(database: Database, { order, signed, digest, at }: OrderOf<'void'>): Made {
  const { kind, actor: signerId, id } = order
  const hold = findHold(database, order.holdPayer, order.hold, signerId)
  if (hold.status !== 'pending') throw holdEnded()
  if (signerId !== hold.payee?.id && at < hold.expiresAt) {
    throw new SealwireError('not_permitted', 'who put it on hold gets it back when its time is over')
  }
  const seq = giveBack(database, hold, { at, kind, signerId, id, signed })
  const { unit, decimals, amount, payer, payee } = hold
  const original = { signerId: hold.signerId, id: hold.id }
  const transfer = insertTransfer(
    database,
    { signerId, id, kind, unit, decimals, amount, payer, payee, original, at, posting: seq },
    digest,
  )
  return { transfer, changed: closeHold(database, hold, 'voided', seq) }
}

/** Looks at no more than `max` holds behind `after`, whether or not they can go back, so that none keeps a later one from it. */
export function expireHolds(database: Database, { at, max, after = beginning }: Input<'ledger.expireHolds'>): OverHolds {
  const rows = database
    .prepare(
      `select signer_id, id, expires_at, posting from transfer
       where status = 'pending' and expires_at <= :at and (expires_at, posting) > (:expiresAt, :posting)
       order by expires_at, posting limit :max`,
    )
    .rows({ at, max, expiresAt: after.expiresAt, posting: after.posting })
  const tried = rows.map((row) => expireHold(database, { signerId: integer(row, 'signer_id'), id: blob(row, 'id') }, at))
  const last = rows.at(-1)
  return {
    holds: tried.filter((hold) => 'kind' in hold),
    stuck: tried.filter((hold) => 'why' in hold),
    next: last && { expiresAt: integer(last, 'expires_at'), posting: integer(last, 'posting') },
  }
}

type HoldKey = Pick<Transfer, 'signerId' | 'id'>

/** Where it is refused nothing of it has happened. */
function expireHold(database: Database, key: HoldKey, at: bigint): Transfer | StuckHold {
  database.control('savepoint hold')
  const over = giveBackOver(database, key, at)
  if ('why' in over) database.control('rollback to hold')
  database.control('release hold')
  return over
}

/** Throws only what concerns the whole group. */
function giveBackOver(database: Database, { signerId, id }: HoldKey, at: bigint): Transfer | StuckHold {
  try {
    const hold = readAgain(database, { signerId, id })
    return closeHold(database, hold, 'expired', giveBack(database, hold, { at, kind: 'expire', signerId, id, signed: undefined }))
  } catch (reason) {
    if (SealwireError.is(reason)) return { signerId, id, why: reason.code }
    throw reason
  }
}

type BySomebody = Pick<NewPosting, 'at' | 'kind' | 'signerId' | 'id' | 'signed'>

function giveBack(database: Database, hold: Transfer, by: BySomebody): bigint {
  const { unit, decimals, amount, signerId, posting: ref } = hold
  const legs: readonly Leg[] = [ownLeg(database, 'held', unit, -amount), legOn(openBook(database, signerId, unit), amount)]
  return addPosting(database, { ...by, unit, decimals, legs, ref, memo: undefined }).seq
}

/** A hold of which the account is a party: for everybody else it is not there. */
function findHold(database: Database, holdPayer: bigint, id: Uint8Array, accountId: bigint): Transfer & { readonly expiresAt: bigint } {
  const hold = findTransfer(database, holdPayer, id)
  const isParty = hold?.kind === 'hold' && (hold.payee?.id === accountId || hold.signerId === accountId)
  if (!isParty) throw new SealwireError('not_found', 'there is no such hold')
  assert(hold.expiresAt !== undefined, 'a hold without an end')
  return { ...hold, expiresAt: hold.expiresAt }
}

const beginning: HoldPlace = { expiresAt: 0n, posting: 0n }

// Transfers: what was ordered, and what has become of it. A hold is pending until it is captured, voided or expired; everything
// else is what it is from the beginning, but for how much of it was refunded.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Ordered, Transfer, TransferPart, TransferStatus } from '../../ledger.ts'
import type { Person } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalBlob, optionalInteger, optionalText, type Row, text } from '../statement.ts'
import { legBefore } from './ledger-legs.ts'

/** What a new transfer says; everything else of it follows. */
export type NewTransfer = Pick<Transfer, 'signerId' | 'id' | 'kind' | 'unit' | 'decimals' | 'amount' | 'at' | 'posting'> &
  Partial<Pick<Transfer, 'payer' | 'payee' | 'parts' | 'expiresAt' | 'original' | 'memo'>>

/** Stores a transfer with the SHA-256 of the bytes that ordered it, and with the request that it pays. */
export function insertTransfer(database: Database, made: NewTransfer, digest: Uint8Array, request?: Uint8Array): Transfer {
  const transfer = asNew(made)
  const { signerId, id, kind, unit, amount, payer, payee, memo = null, at, posting } = transfer
  const columns = { posting, signerId, id, kind, digest, unit, amount, payerId: payer?.id ?? null, payeeId: payee?.id ?? null, memo, at }
  if (isPlain(transfer, request)) insertPlain(database, columns)
  else insertWhole(database, columns, transfer, request)
  for (const [index, part] of transfer.parts.entries()) insertPart(database, transfer, BigInt(index), part)
  return transfer
}

/** Most are a payment of one to another and nothing else: written with half the parameters, in two thirds of the time. */
function isPlain({ kind, original }: Transfer, request: Uint8Array | undefined): boolean {
  return kind !== 'hold' && original === undefined && request === undefined
}

type Columns = Readonly<Record<'posting' | 'signerId' | 'amount' | 'at', bigint>> &
  Readonly<Record<'id' | 'digest', Uint8Array>> &
  Readonly<Record<'kind' | 'unit', string>> &
  Readonly<Record<'payerId' | 'payeeId', bigint | null>> & { readonly memo: string | null }

function insertPlain(database: Database, columns: Columns): void {
  database
    .prepare(
      `insert into transfer (posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, memo, at)
       values (:posting, :signerId, :id, :kind, :digest, :unit, :amount, :payerId, :payeeId, :memo, :at)`,
    )
    .run(columns)
}

function insertWhole(database: Database, columns: Columns, transfer: Transfer, request: Uint8Array | undefined): void {
  const { status, expiresAt = null, original } = transfer
  const [ofSignerId, ofId] = [original?.signerId ?? null, original?.id ?? null]
  database
    .prepare(
      `insert into transfer (posting, signer_id, id, kind, digest, unit, amount, payer_id, payee_id, memo, at, status, expires_at,
         of_signer_id, of_id, request)
       values (:posting, :signerId, :id, :kind, :digest, :unit, :amount, :payerId, :payeeId, :memo, :at, :status, :expiresAt,
         :ofSignerId, :ofId, :request)`,
    )
    .run({ ...columns, status, expiresAt, ofSignerId, ofId, request: request ?? null })
}

/** Undefined when nobody ever ordered it. */
export function findTransfer(database: Database, signerId: bigint, id: Uint8Array): Transfer | undefined {
  const row = database.prepare(`${transferSelect} where signer_id = :signerId and transfer.id = :id`).row({ signerId, id })
  return row && transferOf(database, row)
}

/** Transfers by their postings, in that order. */
export function transfersAt(database: Database, postings: readonly bigint[]): readonly Transfer[] {
  const find = database.prepare(`${transferSelect} where posting = :posting`)
  return postings.flatMap((posting) => {
    const row = find.row({ posting })
    return row === undefined ? [] : [transferOf(database, row)]
  })
}

/** The transfer again after something was done with it. */
export function readAgain(database: Database, { signerId, id }: Pick<Transfer, 'signerId' | 'id'>): Transfer {
  const transfer = findTransfer(database, signerId, id)
  if (transfer === undefined) throw new SealwireError('internal', 'internal error', { cause: 'a transfer is gone' })
  return transfer
}

/**
 * What was answered when these bytes came first; undefined when the id is new. `viewerId`: whose balance is told.
 * @throws {SealwireError} `conflict` when other bytes came, or they pay a `request` now that they did not pay then.
 */
export function repeatedOrder(
  database: Database,
  {
    signerId,
    id,
    digest,
    request,
  }: Pick<Transfer, 'signerId' | 'id'> & { readonly digest: Uint8Array; readonly request?: Uint8Array | undefined },
  viewerId: bigint,
): Ordered | undefined {
  const row = database.prepare('select digest, request from transfer where signer_id = :signerId and id = :id').row({ signerId, id })
  if (row === undefined) return undefined
  if (Buffer.compare(blob(row, 'digest'), digest) !== 0) {
    throw new SealwireError('conflict', 'the id stands for something else', { hint: 'make a new id for a new payment' })
  }
  requirePaid(optionalBlob(row, 'request'), request)
  const transfer = asNew(readAgain(database, { signerId, id }))
  const balance = balanceAfter(database, viewerId, transfer.unit, transfer.posting)
  return { transfer, balance, repeated: true, posted: [], changed: undefined, request: undefined }
}

/** What somebody had in a unit after a posting, whether or not it moved anything of theirs. */
export function balanceAfter(database: Database, holderId: bigint, unit: string, posting: bigint): bigint {
  const row = database
    .prepare("select id from ledger_account where holder_id = :holderId and unit = :unit and kind = 'user'")
    .row({ holderId, unit })
  return (row && legBefore(database, integer(row, 'id'), posting + 1n))?.balance ?? 0n
}

/** Ends a hold. Answers it as it is now. */
export function closeHold(database: Database, hold: Transfer, status: TransferStatus, closedBy: bigint, captured = 0n): Transfer {
  const { signerId, id } = hold
  const closed = database
    .prepare(
      `update transfer set status = :status, captured = :captured, closed_by = :closedBy
       where signer_id = :signerId and id = :id and kind = 'hold' and status = 'pending'`,
    )
    .run({ signerId, id, status, captured, closedBy })
  if (closed !== 1n) throw holdEnded()
  return { ...hold, status, captured }
}

export function holdEnded(): SealwireError {
  return new SealwireError('gone', 'the hold has ended')
}

/** Whoever names no request, as a payee who brings the payment, is answered. */
function requirePaid(paid: Uint8Array | undefined, request: Uint8Array | undefined): void {
  if (request === undefined || (paid !== undefined && Buffer.compare(paid, request) === 0)) return
  throw new SealwireError('conflict', 'the payment was made and is not one of this request', {
    hint: 'a new id pays once more',
  })
}

/** A transfer of a row of {@link transferSelect}. */
function transferOf(database: Database, row: Row): Transfer {
  const [signerId, id] = [integer(row, 'signer_id'), blob(row, 'id')]
  // The columns have checks of their own.
  const kind = text(row, 'kind') as Transfer['kind']
  const ofId = optionalBlob(row, 'of_id')
  return {
    ...{ signerId, id, kind, status: text(row, 'status') as TransferStatus },
    ...{ unit: text(row, 'unit'), decimals: integer(row, 'decimals'), amount: integer(row, 'amount') },
    ...{ payer: personOf(row, 'payer'), payee: personOf(row, 'payee'), parts: kind === 'split' ? partsOf(database, signerId, id) : [] },
    ...{ captured: integer(row, 'captured'), refunded: integer(row, 'refunded'), expiresAt: optionalInteger(row, 'expires_at') },
    original: ofId && { signerId: integer(row, 'of_signer_id'), id: ofId },
    ...{ posting: integer(row, 'posting'), at: integer(row, 'at'), memo: optionalText(row, 'memo') },
  }
}

/** As it was before anything was done with it. */
function asNew(transfer: NewTransfer): Transfer {
  const { payer, payee, parts = [], expiresAt, original, memo } = transfer
  const status = transfer.kind === 'hold' ? 'pending' : 'posted'
  const unrefunded = parts.map((part) => ({ ...part, refunded: 0n }))
  return { ...transfer, payer, payee, parts: unrefunded, expiresAt, original, memo, status, captured: 0n, refunded: 0n }
}

function insertPart(database: Database, { signerId, id }: Transfer, place: bigint, { payee, amount, memo }: TransferPart): void {
  database
    .prepare(
      `insert into split_part (signer_id, id, place, payee_id, amount, memo) values (:signerId, :id, :place, :payeeId, :amount, :memo)`,
    )
    .run({ signerId, id, place, payeeId: payee.id, amount, memo: memo ?? null })
}

function partsOf(database: Database, signerId: bigint, id: Uint8Array): readonly TransferPart[] {
  const rows = database
    .prepare(
      `select payee_id, key as payee_key, name as payee_name, amount, refunded, memo from split_part join account on account.id = payee_id
       where signer_id = :signerId and split_part.id = :id order by place`,
    )
    .rows({ signerId, id })
  return rows.map(partOf)
}

function partOf(row: Row): TransferPart {
  const payee = { id: integer(row, 'payee_id'), key: text(row, 'payee_key'), name: text(row, 'payee_name') }
  return { payee, amount: integer(row, 'amount'), refunded: integer(row, 'refunded'), memo: optionalText(row, 'memo') }
}

function personOf(row: Row, who: 'payer' | 'payee'): Person | undefined {
  const id = optionalInteger(row, `${who}_id`)
  return id === undefined ? undefined : { id, key: text(row, `${who}_key`), name: text(row, `${who}_name`) }
}

/** What {@link transferOf} reads. */
const transferSelect = `select signer_id, transfer.id, kind, status, transfer.unit, decimals, amount, captured, refunded, expires_at,
    of_signer_id, of_id, posting, at, memo, payer_id, payer.key as payer_key, payer.name as payer_name,
    payee_id, payee.key as payee_key, payee.name as payee_name
  from transfer join unit on unit.code = transfer.unit
  left join account as payer on payer.id = payer_id left join account as payee on payee.id = payee_id` as const

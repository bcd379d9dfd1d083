// Verifies that a posting moves what its transfer says, and that the transfer is what was signed. The signatures themselves
// are for who asked for the verification.

import { decodeCbor, encodeCbor } from '../../../protocol/contract/cbor.ts'
import { decodeOrder, type Order, type OrderKind, orderPurposes, orderSigner } from '../../../protocol/contract/order.ts'
import type { Posting } from '../../ledger.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalBlob, optionalInteger, optionalText, type Row, text } from '../statement.ts'
import { sha256 } from './ledger-row.ts'
import { type Progress, requireThat } from './ledger-progress.ts'
import { sameBytes } from '../../../protocol/same-bytes.ts'

/** A transfer as its row has it, without names. */
interface TransferRow {
  readonly kind: string
  readonly amount: bigint
  readonly payerId: bigint | undefined
  readonly payeeId: bigint | undefined
  readonly parts: readonly Part[]
  /** Of a capture and a void: what was on hold. Of those and a refund: whose it was, and its posting. */
  readonly of:
    | (Pick<TransferRow, 'amount' | 'payerId' | 'payeeId'> & {
        readonly signerId: bigint
        readonly id: Uint8Array
        readonly posting: bigint
      })
    | undefined
  readonly row: Row
}

interface Part {
  readonly payeeId: bigint
  readonly amount: bigint
  readonly memo: string | undefined
}

export function verifyOrder(database: Database, posting: Posting, progress: Progress): void {
  const row = database.prepare(select).row({ signerId: posting.signerId, id: posting.id })
  requireThat(row !== undefined, 'its transfer is missing')
  const ordered = orderedOf(database, row)
  if (posting.kind === 'expire') {
    verifyExpiry(posting, ordered)
    return
  }
  const { seq, kind, unit, at } = posting
  const isSame = ordered.kind === kind && integer(row, 'posting') === seq && text(row, 'unit') === unit && integer(row, 'at') === at
  requireThat(isSame, 'its transfer says something else')
  requireThat(isOfKind(kind, ordered, posting), 'its transfer has what is not of its kind')
  requireThat(posting.ref === ordered.of?.posting, 'it is about another posting than its transfer')
  verifyLegs(posting, expectedLegs(kind, ordered))
  requireThat(sameBytes(blob(row, 'digest'), digestOf(posting, ordered)), 'its transfer was ordered with other bytes')
  if (posting.signed !== undefined && kind !== 'mint' && kind !== 'burn') verifySigned(posting, posting.signed, kind, ordered, progress)
}

/** Beside what was signed and what moves: nothing stands where its kind has nothing, and who is in a hold is in its end. */
function isOfKind(kind: OrderKind | 'mint' | 'burn', { payerId, payeeId, of, row }: TransferRow, posting: Posting): boolean {
  const isEnd = kind === 'capture' || kind === 'void'
  const isMade = kind === 'mint' || kind === 'burn'
  const has = (column: string): boolean => row[column] !== null
  const sides = has('payer_id') === (kind !== 'mint') && has('payee_id') === (kind !== 'burn' && kind !== 'split')
  const original = has('of_signer_id') === has('of_id') && has('of_id') === (isEnd || kind === 'refund')
  const hold = kind === 'hold' ? has('expires_at') : !has('expires_at') && !has('closed_by')
  const memo = isEnd || kind === 'split' ? !has('memo') : !isMade || optionalText(row, 'memo') === posting.memo
  return sides && original && hold && memo && (!isEnd || (payerId === of?.payerId && payeeId === of?.payeeId))
}

/** The hold of it must have ended so. */
function verifyExpiry(posting: Posting, hold: TransferRow): void {
  const { row } = hold
  const isSame =
    hold.kind === 'hold' &&
    text(row, 'status') === 'expired' &&
    integer(row, 'closed_by') === posting.seq &&
    integer(row, 'posting') === posting.ref &&
    posting.signed === undefined
  requireThat(isSame, 'its hold says something else')
  verifyLegs(posting, heldBack(hold.amount, hold.payerId))
}

/** Deltas by holder; 0 is the operator's own account. */
type Moves = ReadonlyMap<bigint | undefined, bigint>

function verifyLegs({ legs }: Posting, expected: Moves): void {
  const moves = [...expected].filter(([, delta]) => delta !== 0n)
  const isSame = legs.length === moves.length && legs.every(({ holderId, delta }) => expected.get(holderId) === delta)
  requireThat(isSame, 'it moves something else than its transfer says')
}

function expectedLegs(kind: Exclude<Posting['kind'], 'expire'>, { amount, payerId, payeeId, parts, of }: TransferRow): Moves {
  switch (kind) {
    case 'pay':
    case 'refund':
      return new Map([
        [payerId, -amount],
        [payeeId, amount],
      ])
    case 'hold':
    case 'burn':
      return new Map([
        [payerId, -amount],
        [0n, amount],
      ])
    case 'mint':
      return new Map([
        [0n, -amount],
        [payeeId, amount],
      ])
    case 'capture':
      return new Map([...heldBack(of?.amount ?? 0n, payerId), [payerId, (of?.amount ?? 0n) - amount], [payeeId, amount]])
    case 'void':
      return heldBack(amount, payerId)
    case 'split':
      return new Map([[payerId, -amount], ...parts.map((part) => [part.payeeId, part.amount] as const)])
  }
}

function heldBack(amount: bigint, payerId: bigint | undefined): Moves {
  return new Map([
    [0n, -amount],
    [payerId, amount],
  ])
}

function digestOf({ signed, kind, unit, memo }: Posting, { amount, payerId, payeeId }: TransferRow): Uint8Array {
  if (signed !== undefined) return sha256(signed)
  requireThat(kind === 'mint' || kind === 'burn', 'nobody has signed it')
  return sha256(encodeCbor([kind, payeeId ?? payerId ?? 0n, unit, amount, memo ?? null]))
}

function verifySigned(posting: Posting, cose: Uint8Array, kind: OrderKind, ordered: TransferRow, progress: Progress): void {
  const order = orderIn(cose, kind)
  requireThat(orderSigner(order) === posting.signerId && sameBytes(order.id, posting.id), 'what was signed is for another transfer')
  requireThat(saysSame(order, posting, ordered), 'what was signed is something else')
  const { row, signatures } = progress
  signatures.push({ row, purpose: orderPurposes[kind], cose, signerId: posting.signerId, checkpoint: undefined })
}

function orderIn(cose: Uint8Array, kind: OrderKind): Order {
  const parts = decodeCbor(cose)
  const payload: unknown = Array.isArray(parts) ? parts[2] : undefined
  requireThat(payload instanceof Uint8Array, 'what was signed has another form')
  return decodeOrder(kind, payload)
}

function saysSame(order: Order, { unit }: Posting, { amount, payerId, payeeId, parts, of, row }: TransferRow): boolean {
  const memo = optionalText(row, 'memo')
  switch (order.kind) {
    case 'pay':
    case 'hold': {
      const isSame = order.payer === payerId && order.payee === payeeId && order.unit === unit && order.amount === amount
      const endsThen = order.kind === 'pay' || order.expiresAt === optionalInteger(row, 'expires_at')
      return isSame && endsThen && isMemo(memo, order.memoHash)
    }
    case 'split':
      return order.payer === payerId && order.unit === unit && sameParts(order, parts)
    case 'capture':
      return order.payee === payeeId && order.amount === amount && order.holdPayer === of?.signerId && sameBytes(order.hold, of.id)
    case 'void':
      return order.holdPayer === of?.signerId && sameBytes(order.hold, of.id)
    case 'refund': {
      const isSame = order.payee === payerId && order.amount === amount && order.originalPayer === of?.signerId
      return isSame && sameBytes(order.original, of.id) && isMemo(memo, order.memoHash)
    }
  }
}

function sameParts({ parts: signed }: Extract<Order, { kind: 'split' }>, parts: readonly Part[]): boolean {
  const isPart = ({ payeeId, amount, memo }: Part, place: number): boolean => {
    const part = signed[place]
    return part !== undefined && part.payee === payeeId && part.amount === amount && isMemo(memo, part.memoHash)
  }
  return signed.length === parts.length && parts.every(isPart)
}

function isMemo(memo: string | undefined, hash: Uint8Array): boolean {
  return sameBytes(sha256(new TextEncoder().encode(memo ?? '')), hash)
}

function orderedOf(database: Database, row: Row): TransferRow {
  const ofId = optionalBlob(row, 'of_id')
  const kind = text(row, 'kind')
  return {
    ...{ kind, amount: integer(row, 'amount'), payerId: optionalInteger(row, 'payer_id'), payeeId: optionalInteger(row, 'payee_id') },
    parts: kind === 'split' ? partsOf(database, row) : [],
    of: ofId && originalOf(database, integer(row, 'of_signer_id'), ofId),
    row,
  }
}

function originalOf(database: Database, signerId: bigint, id: Uint8Array): NonNullable<TransferRow['of']> {
  const row = database.prepare(select).row({ signerId, id })
  requireThat(row !== undefined, 'the transfer that it is about is missing')
  const [payerId, payeeId] = [optionalInteger(row, 'payer_id'), optionalInteger(row, 'payee_id')]
  return { signerId, id, amount: integer(row, 'amount'), payerId, payeeId, posting: integer(row, 'posting') }
}

function partsOf(database: Database, row: Row): readonly Part[] {
  return database
    .prepare('select payee_id, amount, memo from split_part where signer_id = :signerId and id = :id order by place')
    .rows({ signerId: integer(row, 'signer_id'), id: blob(row, 'id') })
    .map((part) => ({ payeeId: integer(part, 'payee_id'), amount: integer(part, 'amount'), memo: optionalText(part, 'memo') }))
}

const select = `select signer_id, id, kind, digest, unit, amount, payer_id, payee_id, status, expires_at, of_signer_id, of_id, memo, at,
    posting, closed_by
  from transfer where signer_id = :signerId and id = :id` as const

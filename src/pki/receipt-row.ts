// The row of a posting (ledger.md), as a receipt has it: what the ledger says. Whether it is what somebody has ordered is for
// receipt-order.ts.

import { amountMax, decimalsMax } from '../domain/money.ts'
import { decodeCbor } from '../protocol/contract/cbor.ts'
import { type OrderKind, orderKinds, unitPattern } from '../protocol/contract/order.ts'
import { SealwireError } from '../protocol/errors.ts'
import { isBytes, isWhole, receiptInvalid } from './checkpoint.ts'
import { endOfDates } from './history.ts'

/** What one ledger account got by a posting, or lost. */
export interface ReceiptLeg {
  readonly ledgerAccount: bigint
  /** Number of the account whose it is; 0: the operator. */
  readonly holder: bigint
  readonly delta: bigint
}

/** A posting as its row says it. */
export interface ReceiptPosting {
  readonly seq: bigint
  /** Milliseconds since 1970. */
  readonly at: bigint
  readonly kind: OrderKind | 'mint' | 'burn' | 'expire'
  readonly unit: string
  readonly decimals: bigint
  readonly legs: readonly ReceiptLeg[]
  /** The posting that this one settles. */
  readonly ref: bigint | undefined
  /** Who ordered it; 0: the operator. */
  readonly signer: bigint
  readonly id: Uint8Array
  /** The order as it was signed; `undefined` where nobody signed. */
  readonly signed: Uint8Array | undefined
  readonly memo: string | undefined
}

/** What a row says, if it is one that a ledger can have. @throws {SealwireError} `receipt_invalid`. */
export function readRow(row: Uint8Array): ReceiptPosting {
  const items = listOf(decoded(row))
  const [version, seq, at, kind, unit, decimals, moves, ref, signer, id, signed, memo] = items
  const isIts = items.length === 12 && version === 1 && isKind(kind) && isUnit(unit) && isBytes(id, 16)
  const isKept = (signed === null || isBytes(signed)) && (memo === null || typeof memo === 'string')
  if (!isIts || !isKept) throw wrongRow()
  const posting: ReceiptPosting = {
    ...{ seq: whole(seq), at: whole(at), kind, unit, decimals: whole(decimals), legs: listOf(moves).map(legOf), signer: whole(signer), id },
    ...{ ref: ref === null ? undefined : whole(ref), signed: signed ?? undefined, memo: memo ?? undefined },
  }
  if (posting.at > endOfDates || posting.decimals > decimalsMax || !settlesRightly(posting)) throw wrongRow()
  if (memo !== null && kind !== 'mint' && kind !== 'burn') throw receiptInvalid('only the operator gives a posting a memo')
  verifyLegs(posting)
  return posting
}

/** What came to somebody. */
export function amountOf({ legs }: ReceiptPosting): bigint {
  return legs.reduce((sum, { delta }) => (delta > 0n ? sum + delta : sum), 0n)
}

/** Some kinds are about an earlier posting, and the others about none. */
function settlesRightly({ kind, ref, seq }: ReceiptPosting): boolean {
  return settling.has(kind) ? ref !== undefined && ref > 0n && ref < seq : ref === undefined
}

function verifyLegs(posting: ReceiptPosting): void {
  const { legs } = posting
  if (legs.reduce((sum, { delta }) => sum + delta, 0n) !== 0n) throw receiptInvalid('the posting makes or loses money')
  const amount = amountOf(posting)
  if (amount < 1n || amount > amountMax) throw receiptInvalid('the posting moves nothing, or more than moves at once')
  const accounts = [new Set(legs.map(({ ledgerAccount }) => ledgerAccount)), new Set(legs.map(({ holder }) => holder))]
  if (accounts.some(({ size }) => size !== legs.length)) throw receiptInvalid('the posting names an account twice')
}

function legOf(value: unknown): ReceiptLeg {
  const [ledgerAccount, holder, delta, ...others] = listOf(value)
  if (typeof delta !== 'number' && typeof delta !== 'bigint') throw wrongRow()
  if (others.length > 0) throw wrongRow()
  return { ledgerAccount: whole(ledgerAccount), holder: whole(holder), delta: BigInt(delta) }
}

function decoded(row: Uint8Array): unknown {
  try {
    return decodeCbor(row)
  } catch (cause) {
    throw SealwireError.from(cause).code === 'malformed' ? wrongRow() : cause
  }
}

function isKind(value: unknown): value is ReceiptPosting['kind'] {
  return typeof value === 'string' && kinds.has(value)
}

function isUnit(value: unknown): value is string {
  return typeof value === 'string' && unitPattern.test(value)
}

function whole(value: unknown): bigint {
  if (isWhole(value)) return BigInt(value)
  throw wrongRow()
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrongRow()
}

function wrongRow(): SealwireError {
  return receiptInvalid('the row of the posting does not say what it should')
}

const kinds: ReadonlySet<string> = new Set([...orderKinds, 'mint', 'burn', 'expire'])
const settling: ReadonlySet<string> = new Set(['capture', 'void', 'expire', 'refund'])

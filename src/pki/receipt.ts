// A receipt (receipts.md): one COSE_Sign1 by the key of the ledger, which says that a posting is in the ledger and proves it by
// the path from the posting to the root of a signed checkpoint. Whoever has the public key verifies it without anybody's help,
// for ever; whoever has a later checkpoint as well can prove that the ledger was changed since, if it was.

import { createHash } from 'node:crypto'
import { leafHash, verifyInclusion } from '../domain/merkle.ts'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { receiptPurpose } from '../protocol/contract/cose.ts'
import { decodeOrder, type OrderKind, orderKinds, orderPurposes, orderSigner } from '../protocol/contract/order.ts'
import { SealwireError } from '../protocol/errors.ts'
import { isBytes, isWhole, openCheckpoint, openLedgerStatement, receiptInvalid, type SignedCheckpoint } from './checkpoint.ts'
import { openCose } from './cose-sign1.ts'
import type { LedgerKey } from './ledger-key.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** What a receipt is made of. */
export interface ReceiptParts {
  /** 16 bytes. */
  readonly server: Uint8Array
  readonly posting: {
    readonly seq: bigint
    /** Deterministic CBOR: what the hash is over, behind the hash before. */
    readonly row: Uint8Array
    readonly hash: Uint8Array
    readonly previous: Uint8Array
  }
  /** From the posting to the root of the checkpoint. */
  readonly path: readonly Uint8Array[]
  readonly checkpoint: { readonly size: bigint; readonly root: Uint8Array; readonly cose: Uint8Array }
}

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

/** What a receipt proves. */
export interface Receipt {
  readonly server: Uint8Array
  readonly posting: ReceiptPosting
  readonly hash: Uint8Array
  readonly checkpoint: SignedCheckpoint
  /** The Ed25519 key that has signed the order; its signature is good. Whose key it was is said by the ledger alone. */
  readonly device: Uint8Array | undefined
}

/** Signs a receipt: COSE_Sign1. The same parts bring the same bytes. */
export function makeReceipt({ server, posting, path, checkpoint }: ReceiptParts, key: Pick<LedgerKey, 'sign'>): Uint8Array {
  const { row, seq, hash, previous } = posting
  const payload = [server, row, Number(seq), hash, previous, path, Number(checkpoint.size), checkpoint.root, checkpoint.cose]
  return key.sign(encodeCbor(payload), receiptPurpose)
}

/**
 * What a receipt proves, if all of it is true; `key` is the public key of the ledger.
 * @throws {SealwireError} `receipt_invalid` with the reason.
 */
export function verifyReceipt(receipt: Uint8Array, key: Uint8Array): Receipt {
  const { server, row, seq, hash, previous, path, checkpoint } = fieldsOf(openLedgerStatement(receipt, receiptPurpose, key))
  if (!sameBytes(sha256(previous, row), hash)) throw receiptInvalid('the hash of the posting is not that of its row')
  const posting = readRow(row)
  if (posting.seq !== seq) throw receiptInvalid('the posting has another number')
  const claim = openCheckpoint(checkpoint.cose, key)
  const isIts = sameBytes(claim.server, server) && claim.size === checkpoint.size && sameBytes(claim.root, checkpoint.root)
  if (!isIts) throw receiptInvalid('the checkpoint says something else than the receipt')
  const leaf = leafHash(sha256, hash)
  if (seq < 1n || !verifyInclusion(sha256, { leaf, index: seq - 1n, size: claim.size, path, root: claim.root })) {
    throw receiptInvalid('the posting is not below the root of the checkpoint')
  }
  return { server, posting, hash, checkpoint: claim, device: deviceOf(posting, server) }
}

interface Fields extends ReceiptParts {
  readonly row: Uint8Array
  readonly seq: bigint
  readonly hash: Uint8Array
  readonly previous: Uint8Array
}

function fieldsOf(items: readonly unknown[]): Omit<Fields, 'posting'> {
  const [server, row, seq, hash, previous, path, size, root, cose, ...others] = items
  const hasPosting = isBytes(server, 16) && isBytes(row) && isWhole(seq) && isBytes(hash, 32) && isBytes(previous, 32)
  const hasProof = Array.isArray(path) && path.every(isHash) && isWhole(size) && isBytes(root, 32) && isBytes(cose)
  if (!hasPosting || !hasProof || others.length > 0) throw receiptInvalid('it does not say what a receipt says')
  return { server, row, seq: BigInt(seq), hash, previous, path, checkpoint: { size: BigInt(size), root, cose } }
}

function isHash(value: unknown): value is Uint8Array {
  return isBytes(value, 32)
}

/** The row of a posting (ledger.md). */
function readRow(row: Uint8Array): ReceiptPosting {
  const items = listOf(decoded(row))
  const [version, seq, at, kind, unit, decimals, moves, ref, signer, id, signed, memo] = items
  const isIts = items.length === 12 && version === 1 && isKind(kind) && typeof unit === 'string' && isBytes(id, 16)
  const isKept = (signed === null || isBytes(signed)) && (memo === null || typeof memo === 'string')
  if (!isIts || !isKept) throw wrongRow()
  const legs = listOf(moves).map(legOf)
  if (legs.reduce((sum, { delta }) => sum + delta, 0n) !== 0n) throw receiptInvalid('the posting makes or loses money')
  return {
    ...{ seq: whole(seq), at: whole(at), kind, unit, decimals: whole(decimals), legs, signer: whole(signer), id },
    ...{ ref: ref === null ? undefined : whole(ref), signed: signed ?? undefined, memo: memo ?? undefined },
  }
}

function legOf(value: unknown): ReceiptLeg {
  const [ledgerAccount, holder, delta, ...others] = listOf(value)
  if (typeof delta !== 'number' && typeof delta !== 'bigint') throw wrongRow()
  if (others.length > 0) throw wrongRow()
  return { ledgerAccount: whole(ledgerAccount), holder: whole(holder), delta: BigInt(delta) }
}

/** The key that has signed the order in a posting. @throws {SealwireError} `receipt_invalid` when it is not that order, or not signed. */
function deviceOf({ kind, signed, id, signer }: ReceiptPosting, server: Uint8Array): Uint8Array | undefined {
  if (signed === undefined) return undefined
  const ordered = orderKinds.find((each) => each === kind)
  if (ordered === undefined) throw receiptInvalid('nobody signs what the posting says')
  try {
    const { signer: device, payload } = openCose(signed, orderPurposes[ordered])
    const order = decodeOrder(ordered, payload)
    if (sameBytes(order.id, id) && sameBytes(order.server, server) && orderSigner(order) === signer) return device
  } catch (cause) {
    throw receiptInvalid('the order in the posting is not signed', cause)
  }
  throw receiptInvalid('the posting is of another order than the one in it')
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

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

const kinds: ReadonlySet<string> = new Set([...orderKinds, 'mint', 'burn', 'expire'])

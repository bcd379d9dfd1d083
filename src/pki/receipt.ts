// A receipt (receipts.md): one COSE_Sign1 by the key of the ledger, which says that a posting is in the ledger and proves it by
// the path from the posting to the root of a signed checkpoint. Whoever has the public key verifies it without anybody's help,
// for ever; whoever has a later checkpoint as well can prove that the ledger was changed since, if it was.

import { createHash } from 'node:crypto'
import { leafHash, verifyInclusion } from '../domain/merkle.ts'
import { encodeCbor } from '../protocol/contract/cbor.ts'
import { receiptPurpose } from '../protocol/contract/cose.ts'
import { isBytes, isWhole, openCheckpoint, openLedgerStatement, receiptInvalid, type SignedCheckpoint } from './checkpoint.ts'
import { endOfDates } from './history.ts'
import type { LedgerKey } from './ledger-key.ts'
import { verifyOrdered } from './receipt-order.ts'
import { readRow, type ReceiptPosting } from './receipt-row.ts'
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

/** What a receipt proves. */
export interface Receipt {
  readonly server: Uint8Array
  readonly posting: ReceiptPosting
  readonly hash: Uint8Array
  readonly checkpoint: SignedCheckpoint
  /** The Ed25519 key that has signed the order, and the posting is what it says. Whose key it was is said by the ledger alone. */
  readonly device: Uint8Array | undefined
  /** Of a hold: for which account it is put aside. */
  readonly heldFor: bigint | undefined
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
  if (claim.at > endOfDates) throw receiptInvalid('the checkpoint has a time that no calendar has')
  const leaf = leafHash(sha256, hash)
  if (seq < 1n || !verifyInclusion(sha256, { leaf, index: seq - 1n, size: claim.size, path, root: claim.root })) {
    throw receiptInvalid('the posting is not below the root of the checkpoint')
  }
  const { device, heldFor } = verifyOrdered(posting, server) ?? {}
  return { server, posting, hash, checkpoint: claim, device, heldFor }
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

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

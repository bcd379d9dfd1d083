// A checkpoint (receipts.md): the ledger's key says what the Merkle root of its first postings is. Whoever keeps checkpoints can
// prove that the ledger was changed behind one of them.

import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { checkpointPurpose } from '../protocol/contract/cose.ts'
import { SealwireError } from '../protocol/errors.ts'
import { openCose } from './cose-sign1.ts'
import type { LedgerKey } from './ledger-key.ts'

/** What a checkpoint says. */
export interface CheckpointClaim {
  /** 16 bytes. */
  readonly server: Uint8Array
  /** How many postings. */
  readonly size: bigint
  /** RFC 9162 §2.1, over their hashes. */
  readonly root: Uint8Array
  /** Milliseconds since 1970. */
  readonly at: bigint
}

/** What a checkpoint says, and the COSE_Sign1 that says it. */
export interface SignedCheckpoint extends CheckpointClaim {
  readonly cose: Uint8Array
}

/** Signs a checkpoint: COSE_Sign1. */
export function makeCheckpoint({ server, size, root, at }: CheckpointClaim, key: Pick<LedgerKey, 'sign'>): Uint8Array {
  return key.sign(encodeCbor([server, Number(size), root, Number(at)]), checkpointPurpose)
}

/**
 * What a checkpoint says, if it was signed by this ledger key.
 * @throws {SealwireError} `receipt_invalid`.
 */
export function openCheckpoint(cose: Uint8Array, key: Uint8Array): SignedCheckpoint {
  const payload = openLedgerStatement(cose, checkpointPurpose, key)
  const [server, size, root, at, ...others] = payload
  if (isBytes(server, 16) && isWhole(size) && isBytes(root, 32) && isWhole(at) && others.length === 0) {
    return { server, size: BigInt(size), root, at: BigInt(at), cose }
  }
  throw receiptInvalid('the checkpoint does not say what it should')
}

/**
 * The array in a COSE_Sign1 by this key.
 * @throws {SealwireError} `receipt_invalid`.
 */
export function openLedgerStatement(cose: Uint8Array, purpose: string, key: Uint8Array): readonly unknown[] {
  try {
    const { signer, payload } = openCose(cose, purpose)
    if (Buffer.compare(signer, key) !== 0) throw receiptInvalid('it was signed by another key')
    const fields = decodeCbor(payload)
    if (Array.isArray(fields)) return fields
  } catch (cause) {
    const error = SealwireError.from(cause)
    throw error.code === 'receipt_invalid' ? error : receiptInvalid(error.sentence.replace('statement', 'receipt'), cause)
  }
  throw receiptInvalid('it does not say what it should')
}

/** The refusal of a receipt or a checkpoint. */
export function receiptInvalid(sentence: string, cause?: unknown): SealwireError {
  return new SealwireError('receipt_invalid', sentence, { cause })
}

/** Bytes of this length. */
export function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length)
}

/** A whole number from 0 to 2^53 − 1. */
export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

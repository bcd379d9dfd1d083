// A posting as bytes: what is hashed, kept, and shown in receipts. A deterministic CBOR array; ledger.md says what is where.

import { hash } from 'node:crypto'
import { type CborValue, decodeCbor, encodeCbor } from '../../../protocol/contract/cbor.ts'
import { assert } from '../../../protocol/errors.ts'
import type { Leg, Posting, PostingKind } from '../../ledger.ts'

/** The version of this form: the first item of every row. */
const version = 1n

/** What is before the first posting. */
export const firstHash: Uint8Array = new Uint8Array(32)

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** The hash of a posting. */
export function chainHash(previous: Uint8Array, row: Uint8Array): Uint8Array {
  const both = new Uint8Array(previous.length + row.length)
  both.set(previous)
  both.set(row, previous.length)
  return sha256(both)
}

export function encodePosting(posting: Posting): Uint8Array {
  const { seq, at, kind, unit, decimals, legs, ref = null, signerId, id, signed = null, memo = null } = posting
  const moves = legs.map(({ ledgerAccountId, holderId, delta }) => [ledgerAccountId, holderId, delta])
  return encodeCbor([version, seq, at, kind, unit, decimals, moves, ref, signerId, id, signed, memo])
}

/** Reads what {@link encodePosting} wrote; what it cannot have written is `internal`. */
export function decodePosting(row: Uint8Array): Posting {
  const items = decodeCbor(row)
  assert(Array.isArray(items) && items.length === 12 && whole(items[0]) === version, 'a posting of another form')
  const [, seq, at, kind, unit, decimals, moves, ref, signerId, id, signed, memo] = items as readonly CborValue[]
  assert(isKind(kind) && typeof unit === 'string' && id instanceof Uint8Array && Array.isArray(moves), 'a posting of another form')
  return {
    ...{ seq: whole(seq), at: whole(at), kind, unit, decimals: whole(decimals), legs: moves.map(legOf) },
    ...{ ref: ref === null ? undefined : whole(ref), signerId: whole(signerId), id },
    signed: signed instanceof Uint8Array ? signed : undefined,
    memo: typeof memo === 'string' ? memo : undefined,
  }
}

function legOf(value: unknown): Leg {
  assert(Array.isArray(value) && value.length === 3, 'a leg of another form')
  return { ledgerAccountId: whole(value[0]), holderId: whole(value[1]), delta: whole(value[2]) }
}

function whole(value: unknown): bigint {
  assert(typeof value === 'number' || typeof value === 'bigint', 'a posting without a number')
  return BigInt(value)
}

function isKind(value: unknown): value is PostingKind {
  return typeof value === 'string' && kinds.has(value)
}

const kinds: ReadonlySet<string> = new Set<PostingKind>(['mint', 'burn', 'pay', 'hold', 'capture', 'void', 'expire', 'refund', 'split'])

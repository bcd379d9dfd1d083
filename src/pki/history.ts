// What checkpoints of one ledger say together. Each is a signed promise that the ledger began so: two that cannot both be kept are
// proof against whoever signed them, for everybody who has the key, and no server has to be asked.

import { sameBytes } from '../protocol/same-bytes.ts'
import type { CheckpointClaim } from './checkpoint.ts'

/** Two checkpoints that cannot both be true. */
export interface Contradiction<T extends CheckpointClaim = CheckpointClaim> {
  /** A sentence about the server: `it …`. */
  readonly why: string
  readonly pair: readonly [T, T]
}

/**
 * The first contradiction: two roots of one size, or fewer postings at a later time. `undefined` when there is none, which does
 * not mean that one extends the other: that takes the proof of RFC 9162 §2.1.4. All are of one server.
 */
export function contradictionIn<T extends CheckpointClaim>(checkpoints: readonly T[]): Contradiction<T> | undefined {
  // In this order each one agrees with all before it when it agrees with the last.
  const inOrder = [...checkpoints].sort((one, other) => Number(one.size - other.size) || Number(one.at - other.at))
  for (const [at, later] of inOrder.entries()) {
    const earlier = inOrder[at - 1]
    const why = earlier && whyNot(earlier, later)
    if (earlier !== undefined && why !== undefined) return { why, pair: [earlier, later] }
  }
  return undefined
}

/** A checkpoint in a sentence: `96 postings (2026-11-21T18:40:02.120Z)`. */
export function checkpointText({ size, at }: CheckpointClaim): string {
  return `${size} ${size === 1n ? 'posting' : 'postings'} (${momentText(at)})`
}

/** A moment in milliseconds since 1970; what no calendar has is a number. */
export function momentText(at: bigint | number): string {
  return at <= endOfDates ? new Date(Number(at)).toISOString() : `${at} ms`
}

function whyNot(smaller: CheckpointClaim, larger: CheckpointClaim): string | undefined {
  if (smaller.size === larger.size) {
    if (sameBytes(smaller.root, larger.root)) return undefined
    return `it has signed two different roots of ${checkpointText(smaller)} and ${checkpointText(larger)}`
  }
  return smaller.at > larger.at ? `it has signed ${checkpointText(smaller)} after ${checkpointText(larger)}` : undefined
}

/** The last moment that a date can be, in milliseconds since 1970. */
export const endOfDates = 8_640_000_000_000_000n

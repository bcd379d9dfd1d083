// Holds whose time is over, and what became of them.

import type { Code } from '../protocol/errors.ts'
import type { Transfer } from './ledger.ts'

/** Those that a step has looked at. */
export interface OverHolds {
  /** Given back. */
  readonly holds: readonly Transfer[]
  readonly stuck: readonly StuckHold[]
  /** Of the last one; undefined when there was none. */
  readonly next: HoldPlace | undefined
}

/** One that cannot go back for now. */
export interface StuckHold {
  readonly signerId: bigint
  readonly id: Uint8Array
  readonly why: Code
}

/** Where a hold stands among those that end: by its end, and at one moment by its posting. */
export interface HoldPlace {
  readonly expiresAt: bigint
  readonly posting: bigint
}

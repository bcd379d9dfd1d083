// What a step of a verification has done so far, and how it says that something is wrong.

import { SealwireError } from '../../../protocol/errors.ts'
import type { SignatureToCheck } from '../../ledger-verification.ts'

/** What is done in a step: where it is, and what it has found so far. */
export class Progress {
  readonly signatures: SignatureToCheck[] = []
  /** Of which row a fault would be. */
  row = 'database'
  rows = 0n

  /** The next row is looked at. */
  begin(row: string): void {
    this.row = row
    this.rows++
  }
}

/** A fault of the row that is looked at. */
export function requireThat(condition: unknown, what: string): asserts condition {
  if (!condition) throw new SealwireError('ledger_broken', what)
}

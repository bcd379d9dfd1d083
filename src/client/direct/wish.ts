// The wish for a link with somebody: when it is tried for next, and why there is none yet. Waits double, and have jitter, so that
// two that look for each other, or all clients of a server that comes back, do not go on in step.

import type { Limits } from '../../protocol/limits.ts'
import type { WhyRelayed } from './ways.ts'

export interface WishParts {
  readonly limits: Pick<Limits, 'directRetryMs' | 'directRetryMsMax' | 'directSettledMs'>
  /** From 0 to 1. */
  readonly random: () => number
}

export class Wish {
  readonly #parts: WishParts
  /** When it is tried for, in ms of the monotonic clock. */
  dueAt: number
  why: WhyRelayed = 'connecting'
  /** Tries in a row that brought nothing, and links that did not last. */
  failures = 0

  constructor(parts: WishParts, now: number) {
    this.#parts = parts
    this.dueAt = now
  }

  /** It was tried for, and there is no link. */
  failed(now: number, why: WhyRelayed): void {
    this.why = why
    this.dueAt = now + this.#waitMs()
    this.failures++
  }

  /** A link that there was for so long is over. */
  lost(now: number, lastedMs: number): void {
    if (lastedMs >= this.#parts.limits.directSettledMs) this.failures = 0
    this.failed(now, 'lost')
  }

  /** Something has changed that may help. */
  hasten(now: number): void {
    this.dueAt = Math.min(this.dueAt, now)
  }

  /** From half of 2 s, 4 s, 8 s … 5 min to all of it. */
  #waitMs(): number {
    const { limits, random } = this.#parts
    const longest = Math.min(limits.directRetryMsMax, limits.directRetryMs * 2 ** Math.min(this.failures, 30))
    return (longest * (1 + random())) / 2
  }
}

// Trying again: what may pass within seconds is asked once more, under the same id, before anybody is told of it.

import type { Clock } from '../../domain/clock.ts'
import { codes, SealwireError } from '../../protocol/errors.ts'
import { type Advice, advised } from '../advice.ts'

/** For how long, and what is said when it has not helped. */
export interface Tries {
  readonly clock: Clock
  /** On the monotonic clock: no attempt begins later. */
  readonly until: number
  readonly advice: Advice
}

/**
 * Does something that changes nothing when it is done twice, again and again while it fails with what may pass, with pauses of
 * 0.2 s to 2 s.
 * @throws {SealwireError} why the last attempt has failed, with what to do next.
 */
export async function tryUntil<T>({ clock, until, advice }: Tries, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    try {
      return await attempt()
    } catch (reason) {
      if (!isPassing(reason) || until - clock.monotonic() <= pauseMs) throw advised(reason, advice)
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
    }
  }
}

/** True for lost connections, a server that starts or stops, and whatever is busy for a moment. */
export function isPassing(reason: unknown): boolean {
  return passing.has(SealwireError.from(reason).code)
}

const passing: ReadonlySet<string> = new Set([
  ...Object.entries(codes).flatMap(([code, { fatal, retry }]) =>
    fatal && retry && code !== 'internal' && code !== 'data_locked' ? [code] : [],
  ),
  ...['busy', 'rate_limited', 'unavailable', 'unknown_outcome'],
])
/** For how long commands try by themselves, in ms. */
export const usualTryMs = 15_000
const pauseMsMin = 200
const pauseMsMax = 2_000

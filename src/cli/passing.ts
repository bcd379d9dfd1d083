// What another try may mend within seconds.

import { codes, SealwireError } from '../protocol/errors.ts'

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

// What an error means to something that tries again.

import { type Code, codes, SealwireError } from '../protocol/index.ts'

/** Whether the same may be asked again, because nothing was decided: the connection ended, or the server could not answer now. */
export function isPassing({ code }: SealwireError): boolean {
  return codes[code].fatal || undecided.has(code)
}

/** Whether a server, or what is known of it, lets nobody in, however often it is tried; a bug does not go away by itself either. */
export function isFinal(reason: unknown): boolean {
  return !SealwireError.is(reason) || reason.code === 'login_refused' || !codes[reason.code].retry
}

const undecided: ReadonlySet<Code> = new Set(['unknown_outcome', 'busy', 'rate_limited', 'unavailable', 'storage_full'])

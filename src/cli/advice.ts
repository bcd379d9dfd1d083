// What a server refuses arrives as a code and a sentence; what the person can do next is for us to say.

import { type Code, SealwireError } from '../protocol/errors.ts'

/** What to do next, by the code of the refusal. */
export type Advice = Readonly<Partial<Record<Code, string>>>

/** `reason` with what to do next: that of `advice`, else what is said to everybody. One that says it already stays as it is. */
export function advised(reason: unknown, advice: Advice = {}): SealwireError {
  const error = SealwireError.from(reason)
  if (error.hint !== undefined || error.code === 'internal') return error
  // Here it would read as if our own disk were full.
  const code = error.code === 'storage_full' ? 'unavailable' : error.code
  const hint = advice[code] ?? usual[code]
  return new SealwireError(code, error.sentence, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

const later = 'try again later'
const otherServer = 'check that a Sealwire server of this version answers there'

const usual: Advice = {
  name_invalid: 'choose another name',
  name_taken: 'choose another name; if it is yours already, join with --login',
  password_invalid: 'choose another password',
  login_refused: 'check the name and the password',
  registration_closed: 'ask the operator for an invite link',
  invitation_invalid: 'ask for a new link: this one is void, or of another server',
  invitation_used: 'ask for a new link',
  invitation_expired: 'ask for a new link',
  account_banned: 'ask the operator',
  enrolment_invalid: 'join again with --login, from a home of its own',
  joining_only: 'ask the operator for the address of the server',
  session_ended: 'if you did not wish for it, ask the operator',
  busy: later,
  rate_limited: 'wait a little and try again',
  unavailable: 'try again later, or tell the operator',
  unknown_outcome: 'look whether it was done before you try again',
  not_found: 'check the name, or wait until they are here',
  is_self: 'name somebody else',
  declined: later,
  peer_left: later,
  peer_lost: later,
  type_unsupported: 'send plain text',
  stopping: 'try again when the server is back',
  connection_lost: 'see whether the server is there, and try again',
  dialect_unavailable: otherServer,
  version_unsupported: otherServer,
  unexpected: otherServer,
}

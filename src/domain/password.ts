// What a password may be: long enough, not too long, and always the same bytes however a keyboard composes its accents.

import { SealwireError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'

/** The bounds that {@link parsePassword} keeps. */
export type PasswordLimits = Pick<Limits, 'passwordCharactersMin' | 'passwordCharactersMax'>

/**
 * The password in NFC; length is counted in characters (code points) of that form. No character is forbidden.
 * @throws {SealwireError} `password_invalid`; the message never holds any of the password.
 */
export function parsePassword(text: string, limits: PasswordLimits): string {
  const { passwordCharactersMin: min, passwordCharactersMax: max } = limits
  // Told from the length alone, before any work: composing makes at most four characters of two units into one.
  if (text.length > 8 * max) throw wrongLength(min, max)
  // Half a surrogate pair has no bytes of its own: two different passwords would be hashed as one.
  if (!text.isWellFormed()) throw new SealwireError('password_invalid', 'a password holds whole characters only')
  const password = text.normalize('NFC')
  const { length } = Array.from(password)
  if (length < min || length > max) throw wrongLength(min, max)
  return password
}

function wrongLength(min: number, max: number): SealwireError {
  return new SealwireError('password_invalid', `a password has ${min} to ${max} characters`, { hint: 'choose another password' })
}

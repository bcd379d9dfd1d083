// The classic dialect's words (classic.md): commands 01 to 0A with text bodies, the seed chat's with its bugs mended.

import type { Code } from './errors.ts'

/** The commands by their names; the numbers are the seed chat's. */
export const classicCommands = {
  register: 0x01,
  login: 0x02,
  message: 0x03,
  ack: 0x04,
  error: 0x05,
  findPeer: 0x06,
  chatRequest: 0x07,
  chatAccept: 0x08,
  chatDecline: 0x09,
  exitChat: 0x0a,
} as const

/** Commands from here on belong to the contract. */
export const contractCommandFirst = 0x10

/** Bodies of an Ack: logged in or handed over, a chat begins, a chat was left. */
export const classicAcks = { ok: 'OK', chat: 'CHAT', bye: 'BYE' } as const

/** The text that leaves a chat when it is the whole body of a Message. */
export const classicExitText = '/exit'

/** Body of the Error that stands for a code. Codes that a classic client cannot meet share `FAIL`. */
const words: Partial<Record<Code, string>> = {
  bad_magic: 'MAGIC',
  bad_checksum: 'CRC',
  frame_too_large: 'LIMIT',
  overrun: 'LIMIT',
  frame_too_slow: 'SLOW',
  login_too_slow: 'SLOW',
  slow_consumer: 'SLOW',
  stopping: 'STOP',
  dialect_unavailable: 'UNKN',
  unknown_command: 'UNKN',
  malformed: 'BADF',
  name_invalid: 'BADF',
  password_invalid: 'BADF',
  message_too_large: 'BADF',
  not_logged_in: 'NOLOG',
  already_logged_in: 'DENY',
  registration_closed: 'DENY',
  declined: 'DENY',
  name_taken: 'USER!',
  login_refused: 'AUTH!',
  account_banned: 'AUTH!',
  busy: 'BUSY',
  rate_limited: 'BUSY',
  quota_exceeded: 'BUSY',
  not_found: 'NOPE',
  is_self: 'SELF',
  not_in_chat: 'NOCHAT',
  not_contact: 'NOCHAT',
  peer_left: 'EXIT',
  peer_lost: 'LOST',
}

/** The word: three to six capital letters, or four and an exclamation mark. */
export function classicWord(code: Code): string {
  return words[code] ?? 'FAIL'
}

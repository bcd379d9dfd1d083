// What a message says, apart from its id: so that one which was said over a direct link, and what comes through the server under
// the same id, can be told apart when they are not the same.

import { encodeCbor, type Entry, paymentType } from '../../protocol/contract/index.ts'
import { Sha256 } from '../sha256.ts'

/** As much of an entry as says something. */
export type Words = Pick<Entry, 'kind' | 'type' | 'body' | 'replyTo' | 'mentions' | 'file' | 'edited' | 'deleted'>

/** SHA-256 of what it says, as hex. */
export function wordsHash({
  type = 'text/plain',
  body,
  replyTo = 0,
  mentions = [],
}: Pick<Words, 'type' | 'body' | 'replyTo' | 'mentions'>): string {
  const hash = new Sha256()
  hash.update(encodeCbor([type, body ?? new Uint8Array(), replyTo, [...mentions]]))
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Whether an entry that the server brings is what was said directly under its id.
 * @param hash `wordsHash` of that; empty where a power cut took it
 */
export function isSameWords(entry: Words, hash: string): boolean {
  const { kind, type, file, edited, deleted } = entry
  if (kind !== 'message' || isOfMoney(type) || file !== undefined) return false
  // What it says now is not what it said; its change has an entry of its own.
  return hash === '' || edited !== undefined || deleted === true || wordsHash(entry) === hash
}

/** Only the server says what became of money. A media type is the same in capitals, and with parameters (RFC 2045 §5.1). */
export function isOfMoney(type = ''): boolean {
  return type.split(';', 1)[0]?.trim().toLowerCase() === paymentType
}

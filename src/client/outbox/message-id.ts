// Ids of messages: UUIDs of version 7 (RFC 9562 §5.7), bytes on the wire and text for programs. Whoever says something
// chooses its id, and saying it again under the same id says nothing new.

import type { Randomness } from '../../domain/randomness.ts'
import { stampUuid7 } from '../../domain/uuid7.ts'
import { messageIdBytes } from '../../protocol/contract/index.ts'

export type { Randomness } from '../../domain/randomness.ts'

/** A fresh id, as text. `now` is milliseconds since 1970. */
export function newMessageId(now: number, random: Randomness): string {
  return formatMessageId(stampUuid7(random(new Uint8Array(messageIdBytes)), now))
}

/**
 * An id for what a program says because of an entry: always the same for the same one, so that a program which does its work
 * again after a crash says nothing twice. It is made of the numbers that the server gave, which no sender can choose. A message
 * that may come over a direct link has no numbers then: with direct links its id is `messageKey`, whose time the sender chooses
 * with its own id; so somebody may give messages of their own one and the same, and nobody else's.
 */
export function answerId({ conversation, seq, at }: { conversation: number; seq: number; at: number }): string {
  const bytes = new Uint8Array(messageIdBytes)
  const view = new DataView(bytes.buffer)
  // Both have a place of their own among the 74 bits that are random otherwise.
  const place = (BigInt(conversation) << 32n) | BigInt(seq)
  view.setUint16(6, Number((place >> 62n) & 0xfffn))
  view.setBigUint64(8, place & 0x3fff_ffff_ffff_ffffn)
  return formatMessageId(stampUuid7(bytes, at))
}

/** `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export function formatMessageId(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** @throws {TypeError} for what is no UUID of version 7. */
export function parseMessageId(text: string): Uint8Array {
  if (typeof text !== 'string' || !uuid7.test(text)) throw new TypeError('an id is a UUID of version 7')
  return anyIdBytes(text)
}

/** Of whatever version: ids of others are what they chose. @throws {TypeError} for what is no UUID. */
export function anyIdBytes(text: string): Uint8Array {
  if (typeof text !== 'string' || !uuid.test(text)) throw new TypeError('an id is a UUID')
  return Uint8Array.from(text.replaceAll('-', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

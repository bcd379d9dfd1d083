// The first eight bytes of a connection (channel.md, "Preamble"), and the prologue that puts them into the transcript:
//
//   "SWv2" | pattern u8 | flags u8 = 0 | length of the first handshake message u16 BE

import { assert } from '../protocol/errors.ts'
import { channelBroken } from './broken.ts'
import { firstMessageBytes, type PatternName } from './patterns.ts'

/** Bytes of the preamble. */
export const preambleBytes = 8
/** Bytes that bind a channel to what carries it. */
export const bindingBytes = 32

const magic = new TextEncoder().encode('SWv2')
const prologueLabel = new TextEncoder().encode('sealwire/channel/2\0')
const numbers: Readonly<Record<PatternName, number>> = { XX: 1, IK: 2, NK: 3 }
const unbound = new Uint8Array(bindingBytes)

/** Which version a connection speaks by its first byte; `undefined` for what is no channel. */
export function channelVersion(firstByte: number): 1 | 2 | undefined {
  if (firstByte === magic[0]) return 2
  return firstByte === 0x01 ? 1 : undefined
}

/** The preamble of a handshake. */
export function encodePreamble(pattern: PatternName): Uint8Array {
  const length = firstMessageBytes[pattern]
  return Uint8Array.of(...magic, numbers[pattern], 0, length >>> 8, length & 0xff)
}

/**
 * The pattern of a preamble. The first message carries no payload, so that the pattern says how long it is.
 * @throws {SealwireError} `channel_broken` for everything that {@link encodePreamble} does not write.
 */
export function parsePreamble(bytes: Uint8Array): PatternName {
  for (const pattern of ['XX', 'IK', 'NK'] as const) {
    const expected = encodePreamble(pattern)
    if (bytes.length === expected.length && expected.every((byte, at) => byte === bytes[at])) return pattern
  }
  throw channelBroken()
}

/** What both ends must agree on before the first message. `binding`: 32 bytes of what carries the channel. Default: zeros, for TCP. */
export function prologueOf(preamble: Uint8Array, binding: Uint8Array = unbound): Uint8Array {
  assert(preamble.length === preambleBytes && binding.length === bindingBytes, 'a prologue of other parts')
  const prologue = new Uint8Array(prologueLabel.length + preambleBytes + bindingBytes)
  prologue.set(prologueLabel)
  prologue.set(preamble, prologueLabel.length)
  prologue.set(binding, prologueLabel.length + preambleBytes)
  return prologue
}

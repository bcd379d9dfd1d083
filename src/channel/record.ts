// A record, which is what a channel carries once its handshake is done (channel.md, "Records"):
//
//   length of what follows the header u32 BE | nonce 12 | ciphertext | tag 16
//   └────────────── authenticated with it ─┘   └ type u8, data
//
// The nonce is four zeros and the number of the record in its direction: a record that is missing, repeated or out of
// its place is noticed by its header, before anything is decrypted. Whatever a reader checks of a peer is this table; what a
// writer keeps to may be less (limits.ts).

import { limitTable } from '../protocol/limits.ts'
import { nonceBytes, tagBytes } from './aead.ts'

/** Of the length that a record begins with. */
export const lengthBytes = 4
/** Length and nonce. */
export const recordHeaderBytes = lengthBytes + nonceBytes
/** What a record costs beside its data: header, type and tag. */
export const recordOverheadBytes = recordHeaderBytes + 1 + tagBytes
/** The shortest record after its header: a type without data. */
export const recordBytesMin = 1 + tagBytes

/** What a record is: `data` of the byte stream, `rekey` the last one under its key, `close` the end, `pad` and `ping` nothing. */
export const recordTypes = { data: 0, rekey: 1, close: 2, pad: 3, ping: 4 } as const

/** What no peer may exceed. */
export const recordBounds = {
  /** Bytes of one record after its header. */
  recordBytesMax: limitTable.channelRecordBytesMax.max,
  /** Records under one key. */
  keyFramesMax: limitTable.channelKeyFramesMax.max,
  /** Bytes after the header, under one key. */
  keyBytesMax: limitTable.channelKeyBytesMax.max,
  /** Records of one direction. */
  framesMax: limitTable.channelFramesMax.max,
  /** Records without data that may come at once, beyond {@link emptyPerSecond} and two for each with data. */
  emptyMax: limitTable.channelEmptyMax.value,
  /** Records without data in a second, in the long run. */
  emptyPerSecond: limitTable.channelEmptyPerSecondMax.value,
} as const

/** How much one key, and one direction, has carried. */
export class KeyUse {
  frames = 0
  bytes = 0

  /** Counts a record of `length` bytes after its header. */
  add(length: number): void {
    this.frames++
    this.bytes += length
  }

  /** Whether a rekey record still fits behind a record of `length` bytes: if not, only the rekey may come now. */
  leavesRoom(length: number, { keyFramesMax, keyBytesMax }: { readonly keyFramesMax: number; readonly keyBytesMax: number }): boolean {
    return this.frames + 1 < keyFramesMax && this.bytes + length + recordBytesMin <= keyBytesMax
  }

  reset(): void {
    this.frames = this.bytes = 0
  }
}

/** How many records without data may come: nobody else bounds them, and each costs as much as one with a few bytes. */
export class EmptyAllowance {
  readonly #clock: ChannelClock
  #left: number = recordBounds.emptyMax
  #at: number

  constructor(clock: ChannelClock) {
    this.#clock = clock
    this.#at = clock.monotonic()
  }

  /** A record with data: a rekey in front of it and one behind it are nobody's flood. */
  earn(): void {
    this.#left = Math.min(recordBounds.emptyMax, this.#left + 2)
  }

  /** Whether there may be one without. */
  spend(): boolean {
    const now = this.#clock.monotonic()
    this.#left = Math.min(recordBounds.emptyMax, this.#left + ((now - this.#at) / 1_000) * recordBounds.emptyPerSecond) - 1
    this.#at = now
    return this.#left >= 0
  }
}

/** The time that records need. */
export interface ChannelClock {
  /** Milliseconds that never go back. */
  monotonic(): number
}

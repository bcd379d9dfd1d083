// Seals records straight into a sink, normally a link's output. It replaces its key in time by itself, and keeps one record
// back so that a channel can always be closed.

import type { FrameSink } from '../protocol/frame.ts'
import type { Limits } from '../protocol/limits.ts'
import { channelBroken } from './broken.ts'
import type { CipherState } from './cipher-state.ts'
import { type ChannelClock, KeyUse, lengthBytes, recordBytesMin, recordHeaderBytes, recordTypes } from './record.ts'

/** The bounds that a writer keeps to. */
export type WriterLimits = Pick<
  Limits,
  'channelRecordBytesMax' | 'channelKeyFramesMax' | 'channelKeyBytesMax' | 'channelKeyMsMax' | 'channelFramesMax' | 'channelAgeMsMax'
>

const nothing = new Uint8Array(0)

/** The outbound direction of a channel. */
export class RecordWriter {
  readonly #cipher: CipherState
  readonly #clock: ChannelClock
  readonly #limits: WriterLimits
  readonly #startedAt: number
  #keyAt: number
  readonly #use = new KeyUse()
  #isClosed = false

  constructor(cipher: CipherState, clock: ChannelClock, limits: WriterLimits) {
    this.#cipher = cipher
    this.#clock = clock
    this.#limits = limits
    this.#startedAt = this.#keyAt = clock.monotonic()
  }

  /**
   * Until when a client makes a new connection, before this one ends: ms of the monotonic clock, in the past once the records
   * of this direction are about to end.
   */
  get renewBefore(): number {
    const { channelAgeMsMax, channelFramesMax, channelKeyFramesMax } = this.#limits
    if (this.#cipher.count >= channelFramesMax - channelKeyFramesMax) return this.#startedAt
    return this.#startedAt + channelAgeMsMax - 2 * closingMs(this.#limits)
  }

  /** When the channel is to be closed in order, a while before its records are not taken any more. */
  get closesAt(): number {
    return this.#startedAt + this.#limits.channelAgeMsMax - closingMs(this.#limits)
  }

  /** True after {@link close}. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Writes `bytes[start, end)` in as few records as it takes; nothing for no bytes. The byte before `start`, where there is
   * one, is borrowed while this runs and left as it was.
   * @throws {SealwireError} `channel_broken` when the channel is closed or its life is over.
   */
  write(sink: FrameSink, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const dataBytesMax = this.#limits.channelRecordBytesMax - recordBytesMin
    for (let at = start; at < end; at += dataBytesMax) {
      this.#record(sink, recordTypes.data, bytes, at, Math.min(at + dataBytesMax, end))
    }
  }

  /** Writes a record that says nothing, as a sign of life. @throws {SealwireError} as {@link write}. */
  ping(sink: FrameSink): void {
    this.#record(sink, recordTypes.ping, nothing, 0, 0)
  }

  /** Writes a record of `count` zeros that the peer throws away, up to 65,518. @throws {SealwireError} as {@link write}. */
  pad(sink: FrameSink, count: number): void {
    this.#record(sink, recordTypes.pad, new Uint8Array(count), 0, count)
  }

  /** Replaces the key now. @throws {SealwireError} as {@link write}. */
  rekey(sink: FrameSink): void {
    this.#expectLife()
    this.#replaceKey(sink)
  }

  /** Writes the authenticated end; nothing can be written after it. Closing again does nothing. */
  close(sink: FrameSink): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#seal(sink, recordTypes.close, nothing, 0, 0)
    this.destroy()
  }

  /** Zeroes the key. Nothing may be written any more. */
  destroy(): void {
    this.#isClosed = true
    this.#cipher.destroy()
  }

  #record(sink: FrameSink, type: number, bytes: Uint8Array, start: number, end: number): void {
    this.#expectLife()
    if (this.#isKeySpent(recordBytesMin + end - start)) {
      this.#replaceKey(sink)
      this.#expectLife()
    }
    this.#seal(sink, type, bytes, start, end)
  }

  #isKeySpent(length: number): boolean {
    const { channelKeyFramesMax: keyFramesMax, channelKeyBytesMax: keyBytesMax, channelKeyMsMax } = this.#limits
    return !this.#use.leavesRoom(length, { keyFramesMax, keyBytesMax }) || this.#clock.monotonic() - this.#keyAt >= channelKeyMsMax
  }

  #replaceKey(sink: FrameSink): void {
    this.#seal(sink, recordTypes.rekey, nothing, 0, 0)
    this.#cipher.rekey()
    this.#use.reset()
    this.#keyAt = this.#clock.monotonic()
  }

  /** One record is kept for the end. */
  #expectLife(): void {
    const { channelFramesMax, channelAgeMsMax } = this.#limits
    const isOver = this.#cipher.count + 1 >= channelFramesMax || this.#clock.monotonic() - this.#startedAt >= channelAgeMsMax
    if (this.#isClosed || isOver) throw channelBroken()
  }

  #seal(sink: FrameSink, type: number, bytes: Uint8Array, start: number, end: number): void {
    const length = recordBytesMin + end - start
    const at = sink.reserve(recordHeaderBytes + length)
    const output = sink.bytes
    const header = new Uint8Array(recordHeaderBytes)
    header[2] = length >>> 8
    header[3] = length & 0xff
    header.set(this.#cipher.nonce, lengthBytes)
    output.set(header, at)
    this.#sealPlaintext(output, at + recordHeaderBytes, header, { type, bytes, start, end })
    this.#use.add(length)
  }

  /** The type stands before the data for as long as it takes, where there is a byte for it: joining the two would be a copy. */
  #sealPlaintext(output: Uint8Array, at: number, header: Uint8Array, { type, bytes, start, end }: Plaintext): void {
    if (start === 0) return this.#cipher.sealInto(output, at, header, Uint8Array.of(type), bytes.subarray(0, end))
    const borrowed = bytes[start - 1] ?? 0
    bytes[start - 1] = type
    try {
      this.#cipher.sealInto(output, at, header, bytes.subarray(start - 1, end))
    } finally {
      bytes[start - 1] = borrowed
    }
  }
}

interface Plaintext {
  readonly type: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** The last part of a channel's life. */
function closingMs({ channelAgeMsMax, channelKeyMsMax }: WriterLimits): number {
  return Math.min(channelKeyMsMax, channelAgeMsMax / 4)
}

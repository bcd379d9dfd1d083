// Opens records out of any split of the stream. The header is judged when it is complete: a length out of range, a number
// that is not the next one. Only then are the bytes of the record waited for, in memory that grows with what really came.
//
// The first thing that is wrong ends the reader: it throws the same error from then on, has no key any more, and gives back
// nothing of the record it failed at.

import { nonceBytes } from './aead.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import { ByteQueue } from './byte-queue.ts'
import type { CipherState } from './cipher-state.ts'
import {
  type ChannelClock,
  EmptyAllowance,
  KeyUse,
  lengthBytes,
  recordBounds,
  recordBytesMin,
  recordHeaderBytes,
  recordTypes,
} from './record.ts'

/** What a reader accepts; each default is what the protocol allows at most. */
export interface ReaderBounds {
  /** Bytes of one record after its header. Default 65,535. */
  readonly recordBytesMax?: number
  /** Records under one key. Default 2^20. */
  readonly keyFramesMax?: number
  /** Bytes after the header under one key. Default 2^32. */
  readonly keyBytesMax?: number
  /** Records in all. Default 2^32. */
  readonly framesMax?: number
  /** Milliseconds from now until nothing is accepted any more. */
  readonly ageMsMax: number
}

/** The inbound direction of a channel. */
export class RecordReader {
  readonly #cipher: CipherState
  readonly #clock: ChannelClock
  readonly #bounds: Required<ReaderBounds>
  readonly #queue: ByteQueue
  readonly #endsAt: number
  readonly #use = new KeyUse()
  readonly #empty: EmptyAllowance
  readonly #header = new Uint8Array(recordHeaderBytes)
  readonly #headerView = new DataView(this.#header.buffer)
  readonly #first = new FirstFailure(() => this.destroy())
  /** Of the record whose header was judged; 0 between records. */
  #length = 0
  /** Data that was opened before anybody asked. */
  #held: Uint8Array | undefined
  #isClosed = false

  /** The reader owns `cipher` and `queue` from now on. */
  constructor(cipher: CipherState, clock: ChannelClock, bounds: ReaderBounds, queue = new ByteQueue()) {
    this.#cipher = cipher
    this.#clock = clock
    this.#empty = new EmptyAllowance(clock)
    this.#bounds = { ...recordBounds, ...bounds }
    this.#queue = queue
    this.#endsAt = clock.monotonic() + bounds.ageMsMax
  }

  /** True when the peer has said that this was all. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Bytes pushed and not yet given back. */
  get heldBytes(): number {
    return this.#queue.length + (this.#held?.length ?? 0)
  }

  /** Bytes that came of a record that is not whole yet; 0 between records. */
  get partialBytes(): number {
    return this.#queue.length + (this.#length > 0 ? recordHeaderBytes : 0)
  }

  /** Records opened. */
  get count(): number {
    return this.#cipher.count
  }

  /** Takes what one read brought. The reader owns `chunk` from now on. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk)
  }

  /**
   * The data of the next record, in memory of its own, or `undefined` when more bytes are needed or the peer has closed.
   * @throws {SealwireError} `channel_broken`; the same one at every later call.
   */
  next(): Uint8Array | undefined {
    const held = this.#held
    this.#held = undefined
    return held ?? this.#first.run(this.#nextData)
  }

  /** Whether a record has been opened; opens the first one if it is there. @throws {SealwireError} as {@link next}. */
  confirm(): boolean {
    if (this.#cipher.count === 0) this.#held = this.#first.run(this.#nextData)
    return this.#cipher.count > 0
  }

  /** To be called at the end of the stream. @throws {SealwireError} `channel_broken` unless the peer had closed: something was cut off. */
  ended(): void {
    if (this.#isClosed) return
    this.#first.run(() => {
      throw channelBroken()
    })
  }

  /** Zeroes the key and forgets what was not opened; nothing can be read any more. */
  destroy(): void {
    this.#first.fail()
    this.#cipher.destroy()
    this.#queue.clear()
    this.#held = undefined
  }

  /** A field, so that no call has to make a function of it. */
  readonly #nextData = (): Uint8Array | undefined => {
    for (;;) {
      if (this.#isClosed) return this.#expectNothing()
      const plaintext = this.#nextPlaintext()
      if (plaintext === undefined) return undefined
      if (plaintext[0] === recordTypes.data && plaintext.length > 1) {
        this.#empty.earn()
        return plaintext.subarray(1)
      }
      this.#obey(plaintext)
    }
  }

  /** Everything but data. Only a pad may be longer than its type. */
  #obey(plaintext: Uint8Array): void {
    const [type] = plaintext
    if (!this.#empty.spend()) throw channelBroken()
    if (type === recordTypes.pad) return
    if (plaintext.length > 1) throw channelBroken()
    if (type === recordTypes.ping) return
    if (type === recordTypes.rekey) return this.#rekey()
    if (type !== recordTypes.close) throw channelBroken()
    this.#isClosed = true
    this.#cipher.destroy()
  }

  #rekey(): void {
    this.#cipher.rekey()
    this.#use.reset()
  }

  #nextPlaintext(): Uint8Array | undefined {
    if (this.#length === 0 && !this.#readHeader()) return undefined
    const sealed = this.#queue.take(this.#length)
    if (sealed === undefined) return undefined
    const plaintext = this.#cipher.open(this.#header, sealed)
    if (!this.#use.leavesRoom(this.#length, this.#bounds) && !endsKey(plaintext)) throw channelBroken()
    this.#use.add(this.#length)
    this.#length = 0
    return plaintext
  }

  #readHeader(): boolean {
    const header = this.#queue.take(recordHeaderBytes)
    if (header === undefined) return false
    this.#header.set(header)
    this.#length = this.#headerView.getUint32(0)
    const isInRange = this.#length >= recordBytesMin && this.#length <= this.#bounds.recordBytesMax
    if (!isInRange || !this.#isNext() || this.#clock.monotonic() >= this.#endsAt) throw channelBroken()
    return true
  }

  /** Whether the nonce is that of the next record, and there may be one. */
  #isNext(): boolean {
    if (this.#cipher.count >= this.#bounds.framesMax) return false
    const { nonce } = this.#cipher
    for (let at = 0; at < nonceBytes; at++) if (nonce[at] !== this.#header[lengthBytes + at]) return false
    return true
  }

  /** Behind the end there is nothing. */
  #expectNothing(): undefined {
    if (this.#queue.length > 0) throw channelBroken()
  }
}

/** A key that has no room for one more record behind this one has to be replaced by it, or not needed after it. */
function endsKey([type]: Uint8Array): boolean {
  return type === recordTypes.rekey || type === recordTypes.close
}

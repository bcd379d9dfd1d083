// The streaming decoder. It is handed what a read brought and gives back packets one by one, decoded in place: only a
// frame that a read cut in two is copied, once, into a buffer that grows with the bytes that really came. So a length
// that lies costs nothing, and 64 KiB in one-byte reads cost no more than 64 KiB in one.
//
//   push(chunk) ──▶ [ chunks that wait ] ──next()──▶ packet, packet, … undefined (push more)
//                          │ cut frame
//                          ▼
//                     [ partial ]
//
// Bad magic, a bad checksum and a length over the limit are fatal: what follows in the stream means nothing, so the
// decoder throws the same error from then on and never looks for the next frame (framing.md, "Errors").

import { type Checksum, crc32 } from './crc32.ts'
import { assert, SealwireError } from './errors.ts'
import { frameBodyBytesLimit, frameHeaderBytes, frameOverheadBytes, frameTrailerBytes, type Packet } from './frame.ts'
import { roomFor } from './room-for.ts'

/** What a decoder accepts, and how it checks. */
export interface FrameDecoderOptions {
  /** The longest body accepted, in bytes. Default 65,535. */
  readonly bodyBytesMax?: number
  /** Default: the portable CRC-32. */
  readonly checksum?: Checksum
}

const magic = [0x4d, 0x41, 0x47, 0x43] as const
const nothing = new Uint8Array(0)

/** Turns the reads of one connection into packets. */
export class FrameDecoder {
  readonly #checksum: Checksum
  #bodyBytesMax: number
  /** What is being decoded, from `#at` on; further reads wait in `#waiting`. */
  #chunk: Uint8Array = nothing
  #at = 0
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** The beginning of a frame that its read cut off. */
  #partial: Uint8Array = nothing
  #partialLength = 0
  /** Its whole length, once its header is complete. */
  #partialTotal: number | undefined
  #failure: SealwireError | undefined

  constructor({ bodyBytesMax = frameBodyBytesLimit, checksum = crc32 }: FrameDecoderOptions = {}) {
    assert(bodyBytesMax <= frameBodyBytesLimit, 'a limit that no length can reach')
    this.#bodyBytesMax = bodyBytesMax
    this.#checksum = checksum
  }

  /** Changes the longest body accepted, from the next frame header on. */
  set bodyBytesMax(bytes: number) {
    this.#bodyBytesMax = bytes
  }

  /** Bytes pushed and not yet given back in a packet. */
  get heldBytes(): number {
    return this.#chunk.length - this.#at + this.#waitingBytes + this.#partialLength
  }

  /** Bytes of a started frame that `next` could not finish yet; 0 between frames. */
  get partialBytes(): number {
    return this.#partialLength
  }

  /** Takes what one read brought. The decoder owns `chunk` from now on. */
  push(chunk: Uint8Array): void {
    // Also when the current read is used up to its last byte: reads that wait behind it come first.
    if (this.#at < this.#chunk.length || this.#waiting.length > 0) {
      this.#waiting.push(chunk)
      this.#waitingBytes += chunk.length
      return
    }
    this.#chunk = chunk
    this.#at = 0
  }

  /**
   * The next packet, or `undefined` when more bytes are needed.
   * @throws {SealwireError} `bad_magic`, `frame_too_large`, `bad_checksum`; the same one at every later call.
   */
  next(): Packet | undefined {
    if (this.#failure !== undefined) throw this.#failure
    for (;;) {
      const packet = this.#partialLength > 0 ? this.#finishPartial() : this.#decodeInPlace()
      if (packet !== undefined || !this.#takeWaiting()) return packet
    }
  }

  #decodeInPlace(): Packet | undefined {
    const chunk = this.#chunk
    const start = this.#at
    const available = chunk.length - start
    const total = this.#frameBytes(chunk, start, available)
    if (total === undefined || available < total) {
      this.#partialTotal = total
      if (available > 0) this.#keep(available)
      return undefined
    }
    this.#at = start + total
    return this.#packet(chunk, start, total)
  }

  #finishPartial(): Packet | undefined {
    const wanted = this.#partialTotal ?? frameHeaderBytes
    const available = this.#chunk.length - this.#at
    this.#keep(Math.min(wanted - this.#partialLength, available))
    // The length is looked at as soon as it is there, and a wrong beginning fails at its first wrong byte.
    this.#partialTotal ??= this.#frameBytes(this.#partial, 0, this.#partialLength)
    if (this.#partialLength < wanted) return undefined
    if (wanted !== this.#partialTotal) return this.#finishPartial()
    this.#partialLength = 0
    return this.#packet(this.#partial, 0, wanted)
  }

  /** Moves `count` bytes of the chunk to the end of the partial frame. */
  #keep(count: number): void {
    const length = this.#partialLength + count
    this.#partial = roomFor(this.#partial, this.#partialLength, length)
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + count), this.#partialLength)
    this.#partialLength = length
    this.#at += count
  }

  #takeWaiting(): boolean {
    const chunk = this.#waiting.shift()
    if (chunk === undefined) {
      if (this.#at === this.#chunk.length) this.#release()
      return false
    }
    this.#waitingBytes -= chunk.length
    this.#chunk = chunk
    this.#at = 0
    return true
  }

  /** An idle decoder holds no memory: ten thousand idle connections each have one. */
  #release(): void {
    this.#chunk = nothing
    this.#at = 0
    if (this.#partialLength === 0) this.#partial = nothing
  }

  /** The whole frame's length, checked against the limit; `undefined` while the header is incomplete. */
  #frameBytes(bytes: Uint8Array, start: number, available: number): number | undefined {
    for (let i = 0; i < 4 && i < available; i++) {
      if (bytes[start + i] !== magic[i]) this.#fail(new SealwireError('bad_magic', 'a frame must start with MAGC'))
    }
    if (available < frameHeaderBytes) return undefined
    const bodyBytes = ((bytes[start + 5] as number) << 8) | (bytes[start + 6] as number)
    if (bodyBytes > this.#bodyBytesMax) {
      this.#fail(new SealwireError('frame_too_large', `a body of ${bodyBytes} bytes is over the limit of ${this.#bodyBytesMax}`))
    }
    return frameOverheadBytes + bodyBytes
  }

  #packet(bytes: Uint8Array, start: number, total: number): Packet {
    const end = start + total - frameTrailerBytes
    if (this.#checksum(bytes, start, end) !== readTrailer(bytes, end)) {
      this.#fail(new SealwireError('bad_checksum', 'the checksum of a frame does not match'))
    }
    return { command: bytes[start + 4] as number, body: bodyOf(bytes, start + frameHeaderBytes, end) }
  }

  #fail(error: SealwireError): never {
    this.#failure = error
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#partialLength = 0
    this.#release()
    throw error
  }
}

/** A view, or of a short read that is one frame a copy: its first view would move the read out of the collected heap, at four times the price. */
function bodyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isShortRead = bytes.length < copiedBelowBytes && bytes.length === end + frameTrailerBytes
  return isShortRead ? bytes.slice(start, end) : bytes.subarray(start, end)
}

const copiedBelowBytes = 300

function readTrailer(bytes: Uint8Array, at: number): number {
  const crc =
    ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  return crc >>> 0
}

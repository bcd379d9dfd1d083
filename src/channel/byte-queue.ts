// What came in and was not taken yet. It is handed whole reads and gives back pieces of a length that the caller knows:
// views of the read where it has all of the piece, else one copy in memory that grows with the bytes that really came. So a
// length that lies costs nothing, and a record in one-byte reads costs no more than a record in one.

import { roomFor } from '../protocol/room-for.ts'

const nothing = new Uint8Array(0)

export class ByteQueue {
  /** What is being taken from, from `#at` on; further reads wait. */
  #chunk: Uint8Array = nothing
  #at = 0
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #partial: Uint8Array = nothing
  #partialLength = 0

  /** Bytes that came and were not taken. */
  get length(): number {
    return this.#chunk.length - this.#at + this.#waitingBytes + this.#partialLength
  }

  /** Takes what one read brought. The queue owns `chunk` from now on. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length || this.#waiting.length > 0) {
      this.#waiting.push(chunk)
      this.#waitingBytes += chunk.length
      return
    }
    this.#chunk = chunk
    this.#at = 0
  }

  /**
   * The next `count` bytes, or `undefined` while they are not all there; whoever asks again asks for as many. The view is
   * good until the next call.
   */
  take(count: number): Uint8Array | undefined {
    for (;;) {
      const available = this.#chunk.length - this.#at
      if (this.#partialLength === 0 && available >= count) {
        this.#at += count
        return this.#chunk.subarray(this.#at - count, this.#at)
      }
      this.#keep(Math.min(count - this.#partialLength, available))
      if (this.#partialLength === count) {
        this.#partialLength = 0
        return this.#partial.subarray(0, count)
      }
      if (!this.#takeWaiting()) return undefined
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#partialLength = 0
    this.#chunk = this.#partial = nothing
    this.#at = 0
  }

  /** Moves `count` bytes of the chunk to the end of the partial piece. */
  #keep(count: number): void {
    const length = this.#partialLength + count
    this.#partial = roomFor(this.#partial, this.#partialLength, length)
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + count), this.#partialLength)
    this.#partialLength = length
    this.#at += count
  }

  #takeWaiting(): boolean {
    const chunk = this.#waiting.shift()
    this.#waitingBytes -= chunk?.length ?? 0
    this.#chunk = chunk ?? nothing
    this.#at = 0
    // An idle queue holds no memory: ten thousand idle connections each have one.
    if (chunk === undefined && this.#partialLength === 0) this.#partial = nothing
    return chunk !== undefined
  }
}

import type { FrameSink } from '../protocol/index.ts'

/** Memory for what is sealed in one go. Whoever takes it keeps it: there is a new one each time. */
export class RecordSink implements FrameSink {
  bytes: Uint8Array
  #length = 0

  /** `count`: how many bytes there will probably be. */
  constructor(count: number) {
    this.bytes = Buffer.allocUnsafe(count)
  }

  reserve(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.bytes.length) this.#grow()
    return at
  }

  /** What was written. */
  take(): Uint8Array {
    return this.bytes.subarray(0, this.#length)
  }

  #grow(): void {
    const before = this.bytes
    this.bytes = Buffer.allocUnsafe(Math.max(2 * before.length, this.#length))
    this.bytes.set(before)
  }
}

// Log lines on their way to one output. Whoever logs never waits: lines are queued, written in batches one after the
// other, and lost, but counted, when the output is slower than the log for so long that the queue is full.

/** Hands a batch of whole lines to the output; never rejects. */
export type LogWriter = (batch: string) => Promise<void>

export class LogQueue {
  readonly #bytesMax: number
  readonly #write: LogWriter
  readonly #lossLine: (lines: number) => string
  readonly #lines: string[] = []
  #bytes = 0
  #lost = 0
  #writing = false
  #drained: Promise<void> | undefined

  /** `lossLine` says that `lines` lines are missing; it stands in their place. */
  constructor(bytesMax: number, write: LogWriter, lossLine: (lines: number) => string) {
    this.#bytesMax = bytesMax
    this.#write = write
    this.#lossLine = lossLine
  }

  /** Whether the output has not taken yet what it was given. */
  get writing(): boolean {
    return this.#writing
  }

  push(line: string): void {
    if (this.#bytes + Buffer.byteLength(line) > this.#bytesMax) {
      this.#lost++
      return
    }
    this.#tellLoss()
    this.#enqueue(line)
    this.#drained ??= this.#drain()
  }

  /** Resolves when everything pushed so far has been handed over. */
  async drained(): Promise<void> {
    await this.#drained
  }

  /** Takes everything that waits, for an end that cannot. */
  takeAll(): string {
    this.#tellLoss()
    return this.#take(Infinity)
  }

  async #drain(): Promise<void> {
    // The lines of one moment go out together.
    await Promise.resolve()
    while (this.#lines.length > 0) {
      this.#writing = true
      await this.#write(this.#take(batchBytesMax))
      this.#writing = false
      if (this.#lines.length === 0) this.#tellLoss()
    }
    this.#drained = undefined
  }

  #enqueue(line: string): void {
    this.#lines.push(line)
    this.#bytes += Buffer.byteLength(line)
  }

  #tellLoss(): void {
    if (this.#lost === 0) return
    this.#enqueue(this.#lossLine(this.#lost))
    this.#lost = 0
  }

  /** At least one line, and further ones as long as they fit. */
  #take(bytesMax: number): string {
    let bytes = 0
    const rest = this.#lines.findIndex((line, index) => {
      bytes += Buffer.byteLength(line)
      return index > 0 && bytes > bytesMax
    })
    const batch = this.#lines.splice(0, rest < 0 ? this.#lines.length : rest).join('')
    this.#bytes -= Buffer.byteLength(batch)
    return batch
  }
}

/** Small enough that a batch fits into the smallest log file. */
const batchBytesMax = 32 * 1024

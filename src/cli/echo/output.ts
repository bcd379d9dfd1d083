// Text on its way to a terminal, a file or a pipe that may stop taking it. Whoever writes never waits: what the output
// has not taken yet is queued up to a bound. It goes through the descriptor and not through `process.stdout`, because
// the runtime writes to a terminal on the event loop: one Ctrl-S there would stop every connection.

import { write } from 'node:fs'
import type { Clock } from '../../domain/index.ts'
import { errorCode } from '../../pki/durable-file.ts'
import type { Limits } from '../../protocol/index.ts'

/** Where text goes. */
export interface TextOutput {
  /** Whether nobody is there any more to take what is written; then it is thrown away. */
  readonly closed: boolean
  /** Takes `text`, or says false and takes nothing of it, because too much waits already. */
  write(text: string): boolean
  /** Resolves when everything has been taken, or nobody is there any more to take it. */
  drained(): Promise<void>
}

export class EchoOutput implements TextOutput {
  readonly #descriptor: number
  readonly #bytesMax: number
  readonly #clock: Clock
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #drained: Promise<void> | undefined
  #closed = false

  /** `descriptor` is 1 for standard output, 2 for standard error. */
  constructor(descriptor: number, { echoOutputBytesMax }: Limits, clock: Clock) {
    this.#descriptor = descriptor
    this.#bytesMax = echoOutputBytesMax
    this.#clock = clock
  }

  get closed(): boolean {
    return this.#closed
  }

  write(text: string): boolean {
    const bytes = Buffer.from(text)
    if (this.#waitingBytes + bytes.length > this.#bytesMax) return false
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    this.#drained ??= this.#drain()
    return true
  }

  async drained(): Promise<void> {
    await this.#drained
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = Buffer.concat(this.#waiting.splice(0))
      await this.#hand(batch)
      this.#waitingBytes -= batch.length
    }
    this.#drained = undefined
  }

  async #hand(batch: Uint8Array): Promise<void> {
    for (let rest = batch; rest.length > 0; ) {
      const taken = await this.#writeSome(rest)
      if (taken === undefined) {
        this.#closed = true
        return
      }
      rest = rest.subarray(taken)
    }
  }

  /** How many bytes were taken, or `undefined` when the output cannot be written to. */
  #writeSome(bytes: Uint8Array): Promise<number | undefined> {
    return new Promise((resolve) => {
      write(this.#descriptor, bytes, (error, taken) => {
        if (error === null) resolve(taken)
        // Whoever started us may have made the descriptor non-blocking, so that a full pipe is told and not waited for.
        else if (errorCode(error) === 'EAGAIN') this.#clock.after(retryMs, () => resolve(0))
        else resolve(undefined)
      })
    })
  }
}

const retryMs = 20

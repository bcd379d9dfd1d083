// Lines that strangers can cause thousands of times a second, printed at most `echoLinesPerSecondMax` times in any
// second. Once a line has been left out, all are, until a line has told how many; that one comes once a second at most.
// So a flood costs one comparison a line, and what is printed has no holes that are not told.

import type { Clock, Timer } from '../../domain/index.ts'
import type { Limits } from '../../protocol/index.ts'
import type { TextOutput } from './output.ts'

export class EchoLines implements Disposable {
  readonly #output: TextOutput
  readonly #clock: Clock
  /** When the last lines were printed, on the monotonic clock; a ring whose oldest entry is at `#oldest`. */
  readonly #printedAt: Float64Array
  #oldest = 0
  #leftOut = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined

  constructor(output: TextOutput, { echoLinesPerSecondMax }: Limits, clock: Clock) {
    this.#output = output
    this.#clock = clock
    this.#printedAt = new Float64Array(echoLinesPerSecondMax).fill(Number.NEGATIVE_INFINITY)
  }

  /** Whether a line may be printed now; if not, it counts as left out. Ask before the line is made. */
  admit(): boolean {
    if (this.#leftOut > 0) {
      this.#leftOut++
      return false
    }
    const now = this.#clock.monotonic()
    const free = (this.#printedAt[this.#oldest] ?? now) + windowMs
    if (now < free) {
      this.#leaveOut(Math.max(free, this.#toldAt + windowMs) - now)
      return false
    }
    this.#printedAt[this.#oldest] = now
    this.#oldest = (this.#oldest + 1) % this.#printedAt.length
    return true
  }

  /** Prints a line that was admitted. One that the output does not take is left out like any other. */
  print(line: string): void {
    if (!this.#output.write(`${line}\n`)) this.#leaveOut(windowMs)
  }

  /** Tells now what has been left out, and prints no more of it. */
  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#tell()
  }

  #leaveOut(forMs: number): void {
    this.#leftOut++
    this.#tellAfter(Math.ceil(forMs))
  }

  #tellAfter(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      // An output that does not take this line would not take the others either.
      if (!this.#tell()) this.#tellAfter(windowMs)
    })
  }

  #tell(): boolean {
    if (this.#leftOut === 0) return true
    if (!this.#output.write(`(${this.#leftOut} ${this.#leftOut === 1 ? 'line' : 'lines'} left out)\n`)) return false
    this.#leftOut = 0
    this.#toldAt = this.#clock.monotonic()
    return true
  }
}

const windowMs = 1000

// How late the event loop is: by how much more than its interval a timer comes. Whatever keeps the loop busy (a long callback,
// a collection of garbage, other programs on the machine) keeps every session waiting as long. The runtimes' own
// measurement of it says other things on Bun and on Node, and says them as percentiles, which nobody can add up.

import type { Clock, Timer } from '../../domain/index.ts'
import { limitTable } from '../../protocol/index.ts'
import { Histogram } from './histogram.ts'

export class Lateness implements Disposable {
  readonly seconds = new Histogram(bounds)
  readonly #timer: Timer

  constructor(clock: Clock) {
    let due = clock.monotonic() + everyMs
    this.#timer = clock.every(everyMs, () => {
      const now = clock.monotonic()
      this.seconds.observe(Math.max(0, now - due) / 1000)
      due = now + everyMs
    })
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
  }
}

const everyMs = limitTable.latenessEveryMs.value
const bounds = Object.freeze([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1])

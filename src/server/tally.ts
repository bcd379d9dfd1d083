// Counts what an attacker can make happen thousands of times a second and logs it as one line a second, so that a flood
// of connections is never a flood of lines.

import type { Clock, Timer } from '../domain/index.ts'
import type { Log } from './log.ts'
import { Tallies } from './metrics/tallies.ts'

export class Tally implements Disposable {
  readonly #log: Log
  readonly #counts = new Map<string, Map<string, number>>()
  readonly #totals = new Map<string, Tallies<string>>()
  readonly #timer: Timer

  constructor(clock: Clock, log: Log) {
    this.#log = log
    this.#timer = clock.every(1000, () => this.#report())
  }

  /** Both words come from closed sets of ours, so the table is as small as they are. */
  count(event: string, why: string): void {
    const counts = this.#counts.get(event) ?? new Map<string, number>()
    this.#counts.set(event, counts)
    counts.set(why, (counts.get(why) ?? 0) + 1)
    this.totals(event).add(why)
  }

  /** Since the start. */
  totals(event: string): Tallies<string> {
    const totals = this.#totals.get(event) ?? new Tallies<string>()
    this.#totals.set(event, totals)
    return totals
  }

  [Symbol.dispose](): void {
    this.#timer.cancel()
    this.#report()
  }

  #report(): void {
    for (const [event, counts] of this.#counts) this.#log.warning(event, Object.fromEntries(counts))
    this.#counts.clear()
  }
}

// A clock whose master is the test. Timers fire in order of their time while it is moved on.

import type { Clock, Timer } from '../../src/domain/index.ts'

interface Pending {
  at: number
  readonly everyMs: number | undefined
  readonly action: () => void
}

export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>()
  #now: number

  constructor(now = 1_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: undefined, action })
  }

  every(ms: number, action: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: ms, action })
  }

  /** Timers that have not fired and were not cancelled. */
  get timers(): number {
    return this.#pending.size
  }

  /** Moves on by `ms`, and gives promises their turn after each timer. */
  async move(ms: number): Promise<void> {
    const until = this.#now + ms
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.everyMs === undefined) this.#pending.delete(next)
      else next.at += next.everyMs
      next.action()
      await settle()
    }
    this.#now = until
    await settle()
  }

  /** The same at one go: every timer is as far away as before. */
  jump(ms: number): void {
    this.#now += ms
    for (const pending of this.#pending) pending.at += ms
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  #next(until: number): Pending | undefined {
    return [...this.#pending].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
  }
}

/** Lets everything that is ready happen: promises, immediates and what they cause. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
}

// The clock of one run of a program on a machine. What the machine shows for the time of day may be wrong and may jump; how much time
// has passed is always told right. When the program is killed nothing that it waited for happens any more.

import type { Clock, Timer } from '../../src/domain/index.ts'
import type { Schedule } from './schedule.ts'

/** How far the time of day of a machine is from that of the world, in ms. */
export interface WallClock {
  aheadMs: number
}

/** When every world begins: 2026-01-01, 00:00 UTC. */
export const epochMs = 1_767_225_600_000

export class MachineClock implements Clock {
  readonly #schedule: Schedule
  readonly #wall: WallClock
  readonly #what: string
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor(schedule: Schedule, wall: WallClock, what: string) {
    this.#schedule = schedule
    this.#wall = wall
    this.#what = `${what}: timer`
  }

  /** Timers that have not fired and were not cancelled. */
  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return Math.floor(epochMs + this.#schedule.now + this.#wall.aheadMs)
  }

  monotonic(): number {
    return this.#schedule.now
  }

  after(ms: number, action: () => void): Timer {
    return this.#wait(ms, action, false)
  }

  every(ms: number, action: () => void): Timer {
    return this.#wait(ms, action, true)
  }

  /** The program was killed. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  #wait(ms: number, action: () => void, again: boolean): Timer {
    let waiting: Timer | undefined
    const timer = {
      cancel: () => {
        this.#timers.delete(timer)
        waiting?.cancel()
      },
    }
    const fire = (): void => {
      if (again) waiting = this.#schedule.after(ms, this.#what, fire)
      else this.#timers.delete(timer)
      action()
    }
    if (this.#isStopped) return timer
    this.#timers.add(timer)
    waiting = this.#schedule.after(ms, this.#what, fire)
    return timer
  }
}

// Hands what goes to many to one after the other, a bounded part in each turn of the event loop, so that nobody else waits long.
// In the order of the entries. What is too much to be kept here is in the store: whoever missed something reads it there.

import { limitTable } from '../../protocol/index.ts'
import type { Delivery } from '../../store/index.ts'
import type { EntryFrame } from './entry-frame.ts'

/** What a fan-out works with. */
export interface FanOutParts {
  /** Entries that wait at once. */
  readonly entriesMax: number
  /** Answers whether somebody took it. */
  readonly hand: (delivery: Delivery, frame: EntryFrame) => boolean
  /** Told when some were not handed to anybody, after all others were. */
  readonly missed: () => void
}

interface Task {
  readonly deliveries: readonly Delivery[]
  readonly frame: EntryFrame
  /** How many were handed out. */
  done: number
}

export class FanOut {
  readonly #parts: FanOutParts
  readonly #waiting: Task[] = []
  #leftBytes = turnBytes
  #isScheduled = false
  #hasMissed = false

  constructor(parts: FanOutParts) {
    this.#parts = parts
  }

  /** Hands out at once what this turn has room for. */
  push(deliveries: readonly Delivery[], frame: EntryFrame): void {
    if (this.#waiting.length >= this.#parts.entriesMax) {
      this.#hasMissed = true
      return
    }
    this.#waiting.push({ deliveries, frame, done: 0 })
    if (this.#waiting.length === 1) this.#work()
  }

  #work(): void {
    for (let [task] = this.#waiting; task !== undefined && this.#leftBytes > 0; [task] = this.#waiting) {
      this.#handOut(task)
      if (task.done >= task.deliveries.length) this.#waiting.shift()
    }
    if (!this.#isScheduled) setImmediate(this.#nextTurn)
    this.#isScheduled = true
  }

  #handOut(task: Task): void {
    const { deliveries, frame } = task
    while (this.#leftBytes > 0) {
      const delivery = deliveries[task.done++]
      if (delivery === undefined) return
      this.#leftBytes -= this.#parts.hand(delivery, frame) ? frame.bytes + takerBytes : absentBytes
    }
  }

  readonly #nextTurn = (): void => {
    this.#isScheduled = false
    this.#leftBytes = turnBytes
    if (this.#waiting.length > 0) return this.#work()
    if (!this.#hasMissed) return
    this.#hasMissed = false
    this.#parts.missed()
  }
}

/** What is handed out in one turn: 8 of the longest entries, or some 700 of the shortest. About 2 ms, and at most 15. */
const turnBytes = limitTable.fanOutTurnBytesMax.value
/** What handing it to somebody costs beside its bytes, and to nobody, as if it were bytes. */
const takerBytes = 512
const absentBytes = 32

// The one order in which everything happens. Time is a number that goes to the next event; between two events everything that
// is ready (promises, immediates) has its turn, so that nothing depends on how fast the machine is.

import { createHash } from 'node:crypto'
import type { Timer } from '../../src/domain/index.ts'

interface Event {
  readonly at: number
  readonly order: number
  readonly what: string
  readonly action: () => void
  isOff: boolean
}

/** Turns of the event loop in which everything that one event causes has happened: the deepest chain has three. */
const turns = 4
const linesMax = 400

export class Schedule {
  /** Milliseconds since the world began. */
  now = 0
  steps = 0
  readonly #heap: Event[] = []
  readonly #trace = createHash('sha256')
  readonly #lines: string[] = []
  #order = 0

  /** Happens once, in so many ms. `what` goes into the trace. */
  after(ms: number, what: string, action: () => void): Timer {
    const event: Event = { at: this.now + Math.max(0, ms), order: this.#order++, what, action, isOff: false }
    this.#push(event)
    return { cancel: () => void (event.isOff = true) }
  }

  /** The same as a promise. */
  pause(ms: number, what: string): Promise<void> {
    return new Promise((resolve) => void this.after(ms, what, resolve))
  }

  /** Something that two runs of one seed have to have in common. */
  note(what: string): void {
    const line = `${this.now} ${what}\n`
    this.#trace.update(line)
    this.#lines.push(line)
    if (this.#lines.length > 2 * linesMax) this.#lines.splice(0, linesMax)
  }

  /** What was noted last. */
  get lines(): readonly string[] {
    return this.#lines.slice(-linesMax)
  }

  /** The hash of all that was noted so far. */
  get hash(): string {
    return this.#trace.copy().digest('hex')
  }

  /** One event after the other until `isOver`, for at most so many ms of the world; `check` is called after each. Answers whether it was over. */
  async run(isOver: () => boolean, msMax: number, check: () => void): Promise<boolean> {
    const until = this.now + msMax
    while (!isOver()) {
      const event = this.#next()
      if (event === undefined || event.at > until) return false
      this.now = event.at
      this.steps++
      this.note(event.what)
      event.action()
      await quiet()
      check()
    }
    return true
  }

  #next(): Event | undefined {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) if (!event.isOff) return event
    return undefined
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(event, heap[above] as Event)) break
      heap[at] = heap[above] as Event
      at = above
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Event, heap[below] as Event)) below++
      if (!isBefore(heap[below] as Event, last)) break
      heap[at] = heap[below] as Event
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

async function quiet(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

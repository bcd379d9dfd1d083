// One direction of a simulated connection. Bytes arrive late, in other pieces than they were written, and in their order. A wire
// that is cut still brings some of what is on its way; what is written afterwards vanishes, and its writer does not know.

import { crc32 } from 'node:zlib'
import type { Chance } from './chance.ts'
import type { Schedule } from './schedule.ts'

/** What arrives at an end. */
export interface WireEnd {
  /** False while it does not read. */
  readonly reads: boolean
  arrived(bytes: Uint8Array): void
  /** The other one has ended its direction. */
  ended(): void
  /** The connection broke. */
  lost(): void
}

/** How slow a connection is. */
export interface WireDelays {
  /** In nine of ten cases at most. */
  readonly usualMs: number
  readonly longMs: number
}

export interface WireParts {
  readonly schedule: Schedule
  readonly chance: Chance
  /** For the trace. */
  readonly what: string
  readonly delays: WireDelays
  /** The network holds everything back. */
  readonly isHeld: () => boolean
}

/** What may be on its way at once, in bytes. */
const windowBytes = 64 * 1024
const heldRetryMs = 250

export class Wire {
  readonly #parts: WireParts
  readonly #end: WireEnd
  /** Told when there is room again. */
  readonly #roomier: () => void
  #items: (Uint8Array | 'end')[] = []
  #bytes = 0
  #isWaiting = false
  /** What is on its way when it is cut is held up so long. */
  #stallMs = 0
  #state: 'whole' | 'cut' | 'gone' = 'whole'

  constructor(parts: WireParts, end: WireEnd, roomier: () => void) {
    this.#parts = parts
    this.#end = end
    this.#roomier = roomier
  }

  /** How many of the bytes it takes. */
  take(bytes: Uint8Array): number {
    if (this.#state !== 'whole') return bytes.length
    const count = Math.min(bytes.length, windowBytes - this.#bytes)
    for (let start = 0; start < count; ) {
      const { chance } = this.#parts
      const end = chance.happens(0.6) ? count : Math.min(count, start + 1 + chance.below(count - start))
      this.#items.push(new Uint8Array(bytes.subarray(start, end)))
      start = end
    }
    this.#bytes += count
    this.#wait()
    return count
  }

  finish(): void {
    if (this.#state !== 'whole') return
    this.#items.push('end')
    this.#wait()
  }

  /** It breaks: some of what is on its way still arrives, until the end hears of it, `afterMs` later. Default: soon. */
  cut(afterMs?: number): void {
    if (this.#state !== 'whole') return
    const { chance, schedule, what } = this.#parts
    this.#state = 'cut'
    // It may come long after who wrote it has said the same on another connection.
    this.#stallMs = chance.happens(0.2) ? chance.between(0, 10_000) : 0
    this.#items = this.#items.slice(0, chance.between(0, this.#items.length)).filter((item) => item !== 'end')
    schedule.after(this.#stallMs + (afterMs ?? chance.delay(300, 5_000)), `${what} lost`, () => this.#lose())
  }

  /** Nobody is there any more to hear anything. */
  drop(): void {
    this.#state = 'gone'
    this.#items = []
  }

  /** The end reads again. */
  resume(): void {
    this.#wait()
  }

  #lose(): void {
    if (this.#state === 'gone') return
    this.drop()
    this.#end.lost()
  }

  #wait(): void {
    if (this.#isWaiting || this.#items.length === 0 || !this.#end.reads) return
    const { schedule, chance, what, delays, isHeld } = this.#parts
    this.#isWaiting = true
    const ms = isHeld() ? heldRetryMs : chance.delay(delays.usualMs, delays.longMs)
    const stallMs = this.#stallMs
    this.#stallMs = 0
    schedule.after(stallMs + ms, what, () => this.#arrive())
  }

  #arrive(): void {
    const { schedule, what, isHeld } = this.#parts
    this.#isWaiting = false
    if (!isHeld() && this.#end.reads) {
      const item = this.#take()
      if (item === 'end') this.#end.ended()
      else if (item !== undefined) {
        schedule.note(`${what} ${item.length} ${crc32(item)}`)
        this.#bytes -= item.length
        this.#end.arrived(item)
        this.#roomier()
      }
    }
    this.#wait()
  }

  /** The next piece, now and then together with those behind it. */
  #take(): Uint8Array | 'end' | undefined {
    const item = this.#items.shift()
    if (item === undefined || item === 'end') return item
    const pieces = [item]
    for (let next = this.#items[0]; next !== undefined && next !== 'end' && this.#parts.chance.happens(0.5); next = this.#items[0]) {
      pieces.push(next)
      this.#items.shift()
    }
    return pieces.length === 1 ? item : new Uint8Array(Buffer.concat(pieces))
  }
}

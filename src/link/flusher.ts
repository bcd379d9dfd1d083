// One flusher serves all links of a process: it remembers which outputs were written to in this turn of the event loop
// and flushes each once when the turn is over, and it watches those that are blocked. Their buffers come from one pool,
// because only a few links are dirty at a time: ten thousand idle links own no output memory.
//
// What nobody waits for may wait itself: while one busy turn follows another it is flushed up to `gatherMsMax` later, so that one
// write does for what would have been two or three. Nothing waits in a process that has nothing else to do. All are looked at together,
// once in a while: whoever reads them has one large turn then in place of many small ones.

import type { Clock, Timer } from '../domain/index.ts'
import type { Limits } from '../protocol/index.ts'
import type { Output } from './output.ts'

/** Buffers of one size, kept for the next link that needs one. */
class Shelf {
  readonly bufferBytes: number
  readonly #free: Uint8Array[] = []
  readonly #freeMax: number

  constructor(bufferBytes: number, freeMax: number) {
    this.bufferBytes = bufferBytes
    this.#freeMax = freeMax
  }

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bufferBytes)
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < this.#freeMax) this.#free.push(buffer)
  }
}

/**
 * Two sizes: one in which the answers of a turn to many links fit, so that a thousand dirty links touch little memory, and
 * one for a full TLS record and more. Together at most 16 MiB are kept.
 */
export class BufferPool {
  readonly #small = new Shelf(2 * 1024, 4096)
  readonly #large = new Shelf(32 * 1024, 256)

  /** A buffer of at least `count` bytes. */
  take(count: number): Uint8Array {
    if (count <= this.#small.bufferBytes) return this.#small.take()
    return count <= this.#large.bufferBytes ? this.#large.take() : new Uint8Array(2 * count)
  }

  /** Takes a buffer back; one of another size, or one too many, is left to the garbage collector. */
  give(buffer: Uint8Array): void {
    if (buffer.length === this.#small.bufferBytes) this.#small.give(buffer)
    else if (buffer.length === this.#large.bufferBytes) this.#large.give(buffer)
  }
}

/** Flushes what a turn wrote, and cuts what makes no progress. */
export class Flusher {
  readonly pool = new BufferPool()
  readonly clock: Clock
  readonly #limits: Limits
  #dirty: Output[] = []
  #spare: Output[] = []
  /** Those that may wait for more, and when they were looked at. */
  #patient: Output[] = []
  #lookedAt = 0
  /** How often an output was scheduled, and how often it was at the last look at the patient ones. */
  #scheduled = 0
  #scheduledBefore = 0
  readonly #blocked = new Set<Output>()
  /** Outputs dropped because they were too long, and because nothing of them was taken for too long. */
  readonly dropped = { bytes: 0, stalled: 0 }
  #sweep: Timer | undefined

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits
    this.clock = clock
  }

  /** Outputs whose peer takes nothing, and what waits in them. */
  get blocked(): { readonly outputs: number; readonly bytes: number } {
    let bytes = 0
    for (const output of this.#blocked) bytes += output.queuedBytes
    return { outputs: this.#blocked.size, bytes }
  }

  /** So many links hold something that the memory of one is out of the caches before a turn is over. */
  get isCrowded(): boolean {
    return this.#patient.length >= crowd
  }

  schedule(output: Output): void {
    this.#scheduled++
    // An immediate runs after the reads of this turn and before the loop waits for the next ones.
    if (this.#dirty.push(output) === 1) atEndOfTurn(this.#flushAll)
  }

  /** To be flushed when there is enough of it, after a turn in which nothing was scheduled, or after `gatherMsMax`: the time now, in ms. */
  scheduleLater(output: Output): number {
    this.#scheduled++
    this.#wait(output)
    return this.#lookedAt
  }

  watch(output: Output): void {
    this.#blocked.add(output)
    const everyMs = Math.max(20, Math.min(1000, this.#limits.outputStallMsMax / 4))
    this.#sweep ??= this.clock.every(everyMs, () => this.#cutStalled())
  }

  unwatch(output: Output): void {
    this.#blocked.delete(output)
    if (this.#blocked.size > 0) return
    this.#sweep?.cancel()
    this.#sweep = undefined
  }

  readonly #flushAll = (): void => {
    const dirty = this.#dirty
    this.#dirty = this.#spare
    for (const output of dirty) output.flush()
    dirty.length = 0
    this.#spare = dirty
  }

  #wait(output: Output): void {
    if (this.#patient.push(output) > 1) return
    this.#lookedAt = this.clock.monotonic()
    atEndOfTurn(this.#lookAtPatient)
  }

  readonly #lookAtPatient = (): void => {
    const isQuiet = this.#scheduled === this.#scheduledBefore
    this.#scheduledBefore = this.#scheduled
    const now = this.clock.monotonic()
    const waitMs = isQuiet ? 0 : this.#waitMs()
    if (waitMs > 0 && now - this.#lookedAt < betweenLooksMs) return atEndOfTurn(this.#lookAtPatient)
    const patient = this.#patient
    this.#patient = []
    for (const output of patient) if (!output.flushLater(now - waitMs)) this.#wait(output)
  }

  /** The more links hold something, the longer it takes until one of them is written to again. */
  #waitMs(): number {
    const links = this.#patient.length
    return links < gatheredMin ? 0 : Math.min(this.#limits.gatherMsMax, links * waitMsPerLink)
  }

  #cutStalled(): void {
    const now = this.clock.monotonic()
    for (const output of [...this.#blocked]) {
      const since = output.blockedSince
      if (since === undefined || now - since <= this.#limits.outputStallMsMax) continue
      this.dropped.stalled++
      output.stalled()
    }
  }
}

/** Fewer than these do not wait: who is alone on a server gains nothing by it. */
const gatheredMin = 8
/** Links, each with some 10 KiB that a message touches: more than the cache of one processor holds. Fewer gain by answers that leave together. */
const crowd = 64
/** What a busy process needs for a message and its Ack. */
const waitMsPerLink = 0.04
const betweenLooksMs = 1

/** Browsers have no immediates: there it is the end of the task. */
function atEndOfTurn(action: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(action)
  else queueMicrotask(action)
}

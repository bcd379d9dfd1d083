// The output of one link: bytes gathered during a turn of the event loop and written in one go at its end.
//
//   idle ──reserve──▶ dirty ──flush, all taken──▶ idle          (the buffer goes back to the pool)
//     │               ▲ └────flush, some left──▶ blocked ──drained──▶ flush
//     └──reserveLater─┴─▶ patient ──flush, as a dirty one, in this turn or a later one
//
// Invariants: an idle output holds no memory; a dirty one is in the flusher's list exactly once, and a patient one in that of
// those that wait for more; a blocked one is watched for progress. Over `outputBytesMax` it is dropped when it is flushed, never
// inside `reserve`, so that no session is closed in the middle of another one's work.

import type { FrameSink, Limits } from '../protocol/index.ts'
import type { Flusher } from './flusher.ts'

/** What an output needs of its link. */
export interface OutputOwner {
  /** Hands `bytes[start, end)` to the kernel: how many of them it took; -1 when the connection is gone. */
  write(bytes: Uint8Array, start: number, end: number): number
  /** All output was handed over and `finish` had been asked for. */
  finished(): void
  /** The peer does not keep up: cut it. */
  overflowed(): void
  /** `keepsUp` was false and is true again. */
  drained(): void
}

const nothing = new Uint8Array(0)
/** A full TLS record: when as much has gathered, waiting for the end of the turn would save no write. */
const flushBytes = 16 * 1024
/** As much is worth a write of its own: waiting for more would cost the caches what it saves. */
const gatheredBytes = 1024
/** As many writes in one are most of what there is to gain, and more of them would wait twice as long. */
const gatheredWrites = 2

export class Output implements FrameSink {
  readonly #owner: OutputOwner
  readonly #flusher: Flusher
  readonly #limits: Limits
  bytes: Uint8Array = nothing
  #start = 0
  #end = 0
  #dirty = false
  #patient = false
  /** What waits for more: how many writes it would have been, and since when, on the monotonic clock in ms. */
  #held = 0
  #heldSince = 0
  #blocked = false
  #behind = false
  #finishing = false
  #discarding = false
  #progressAt = 0

  constructor(owner: OutputOwner, flusher: Flusher, limits: Limits) {
    this.#owner = owner
    this.#flusher = flusher
    this.#limits = limits
  }

  get queuedBytes(): number {
    return this.#end - this.#start
  }

  get keepsUp(): boolean {
    return !this.#behind
  }

  /** When a blocked output last made progress, on the monotonic clock in ms; `undefined` while it is not blocked. */
  get blockedSince(): number | undefined {
    return this.#blocked ? this.#progressAt : undefined
  }

  reserve(count: number): number {
    if (!this.#dirty) {
      this.#dirty = true
      this.#flusher.schedule(this)
    }
    return this.#append(count)
  }

  /** The same for what nobody waits for: little of it may be flushed a turn or more later, with what has come by then. */
  reserveLater(count: number): number {
    if (this.#end - this.#start + count >= gatheredBytes) return this.reserve(count)
    if (!this.#dirty && !this.#patient) {
      this.#patient = true
      this.#heldSince = this.#flusher.scheduleLater(this)
    }
    this.#held++
    return this.#append(count)
  }

  /** Appends a copy of `bytes`, or hands them over at once where a copy would cost more than it saves. */
  send(bytes: Uint8Array): void {
    const taken = this.#isWorthNoCopy(bytes) ? this.#owner.write(bytes, 0, bytes.length) : 0
    if (taken < 0) return this.discard()
    if (taken === bytes.length) return
    const at = this.reserve(bytes.length - taken)
    this.bytes.set(taken === 0 ? bytes : bytes.subarray(taken), at)
  }

  /** Hands everything over if the kernel takes it; called by the flusher at the end of a turn. */
  flush(): void {
    this.#dirty = false
    this.#handAll()
  }

  /** A read of the link was handled. In a crowd what it wrote to itself leaves now, while its memory is in the caches. */
  answered(): void {
    if (this.#dirty && this.#flusher.isCrowded) this.#handAll()
  }

  /** Flushes what waited for more if it is enough, or came at `since` or before: whether nothing waits any more. */
  flushLater(since: number): boolean {
    if (this.#held > 0 && this.#held < gatheredWrites && this.#heldSince > since) return false
    this.#patient = false
    if (!this.#dirty) this.flush()
    return true
  }

  /** The kernel takes bytes again. */
  resume(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#flusher.unwatch(this)
    this.flush()
  }

  /** Calls `finished` once everything queued has been handed over. */
  finish(): void {
    this.#finishing = true
    this.flush()
  }

  /** The link is over: queued bytes are forgotten and later ones thrown away. */
  discard(): void {
    if (this.#discarding) return
    this.#discarding = true
    this.#flusher.unwatch(this)
    this.#blocked = false
    this.#release()
  }

  /** No progress for too long. */
  stalled(): void {
    this.#owner.overflowed()
  }

  #append(count: number): number {
    if (this.#discarding) this.#start = this.#end = 0
    else if (!this.#blocked && this.#end - this.#start >= flushBytes) this.#hand()
    if (this.#end + count > this.bytes.length) this.#makeRoom(count)
    const at = this.#end
    this.#end += count
    if (this.#end - this.#start > this.#limits.outputBytesHigh) this.#behind = true
    return at
  }

  #handAll(): void {
    this.#held = 0
    if (this.#discarding) return
    if (!this.#blocked && this.#end > this.#start) this.#hand()
    this.#judge()
  }

  #hand(): void {
    const queued = this.#end - this.#start
    const taken = this.#owner.write(this.bytes, this.#start, this.#end)
    if (taken < 0) return this.discard()
    this.#start += taken
    if (taken === queued) return this.#release()
    this.#progressAt = this.#flusher.clock.monotonic()
    this.#blocked = true
    this.#flusher.watch(this)
  }

  /** After a write: is the peer too far behind, behind, or back? */
  #judge(): void {
    const queued = this.queuedBytes
    if (queued > this.#limits.outputBytesMax) {
      this.#flusher.dropped.bytes++
      return this.#owner.overflowed()
    }
    if (this.#behind && queued <= this.#limits.outputBytesHigh / 2) {
      this.#behind = false
      this.#owner.drained()
    }
    if (this.#finishing && queued === 0 && !this.#discarding) {
      this.#finishing = false
      this.#owner.finished()
    }
  }

  /** Nothing waits before them, and they fill a TLS record by themselves. */
  #isWorthNoCopy(bytes: Uint8Array): boolean {
    return bytes.length >= flushBytes && this.#end === this.#start && !this.#blocked && !this.#discarding
  }

  #makeRoom(count: number): void {
    const before = this.bytes
    const queued = this.#end - this.#start
    // What is left of the output moves to the front; only when that is not half the buffer does it move house.
    const roomier = queued + count <= before.length / 2 ? before : this.#flusher.pool.take(queued + count)
    if (queued > 0) roomier.set(before.subarray(this.#start, this.#end))
    this.bytes = roomier
    this.#start = 0
    this.#end = queued
    if (roomier !== before) this.#flusher.pool.give(before)
  }

  #release(): void {
    this.#flusher.pool.give(this.bytes)
    this.bytes = nothing
    this.#start = this.#end = 0
  }
}

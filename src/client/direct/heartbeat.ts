// Whether the other device is still there. A direct link that breaks in the middle of the network says nothing, so silence is
// asked about: soon on a link over which something is said, now and then on one that only stands by.
//
//   silent for directPingMs (busy) or directPingIdleMs ──▶ ping ──▶ silent for directPingMsMax more ──▶ lost
//
// Whatever comes ends the silence, not the answer alone: behind a file on its way the answer may come late.

import type { Clock, Timer } from '../../domain/clock.ts'
import type { Limits } from '../../protocol/index.ts'

/** What a heartbeat makes happen. */
export interface HeartbeatDeeds {
  ping(): void
  /** The other device is gone. */
  lost(): void
}

export class Heartbeat {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #deeds: HeartbeatDeeds
  #heardAt: number
  #stirredAt: number
  /** Since when a ping has no answer. */
  #pingedAt: number | undefined
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #over = false

  /** A link that was just made is busy. */
  constructor({ clock, limits }: { readonly clock: Clock; readonly limits: Limits }, deeds: HeartbeatDeeds) {
    this.#clock = clock
    this.#limits = limits
    this.#deeds = deeds
    this.#heardAt = this.#stirredAt = clock.monotonic()
    this.#watch()
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic()
  }

  /** Something was said or asked, here or there. */
  stirred(): void {
    this.#stirredAt = this.#clock.monotonic()
    this.#watch()
  }

  /** The ping was answered. False when there was none. */
  answered(): boolean {
    const was = this.#pingedAt !== undefined
    this.#pingedAt = undefined
    this.#watch()
    return was
  }

  stop(): void {
    this.#over = true
    this.#timer?.cancel()
  }

  /** When there is something to do, if nothing comes until then. */
  get #due(): number {
    const { directBusyMs, directPingMs, directPingIdleMs, directPingMsMax } = this.#limits
    if (this.#pingedAt !== undefined) return Math.max(this.#pingedAt, this.#heardAt) + directPingMsMax
    const isBusy = this.#clock.monotonic() - this.#stirredAt < directBusyMs
    return this.#heardAt + (isBusy ? directPingMs : directPingIdleMs)
  }

  /** A timer that comes too early finds out; only one that would come too late is set anew. */
  #watch(): void {
    const due = this.#due
    if (this.#over || due >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = due
    this.#timer = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#look())
  }

  #look(): void {
    const late = this.#clock.monotonic() - this.#timerAt
    this.#timerAt = Number.POSITIVE_INFINITY
    // This process was away itself: what has come meanwhile is read first.
    if (late > this.#limits.directLateMs) this.heard()
    if (this.#due <= this.#clock.monotonic()) this.#act()
    this.#watch()
  }

  #act(): void {
    if (this.#pingedAt !== undefined) return this.#deeds.lost()
    this.#pingedAt = this.#clock.monotonic()
    this.#deeds.ping()
  }
}

// A rate with a burst. The bucket holds `burst` tokens and gains `perSecond` of them a second. It keeps no fraction of a
// token: only when it was last full and how many whole tokens were taken since. So nothing is rounded twice, and a rate
// held for a year is as exact as one held for a second.

/** Limits a rate; of a few numbers only, so that each connection and account can have one. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #fullAtMs: number
  #taken = 0

  /**
   * A full bucket.
   * @param perSecond tokens gained a second, a whole number from 1
   * @param burst tokens that it holds, a whole number from 1
   * @param nowMs the present on a clock that never goes back; every later call reads the same clock
   */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#fullAtMs = nowMs
  }

  /** Takes `count` tokens; false, and nothing is taken, when fewer are there. */
  take(nowMs: number, count = 1): boolean {
    if (this.#missing(nowMs, count) > 0) return false
    this.#taken += count
    return true
  }

  /** Whole milliseconds until `count` tokens can be taken: 0 now, infinity when the bucket never holds as many. */
  waitMs(nowMs: number, count = 1): number {
    if (count > this.#burst) return Number.POSITIVE_INFINITY
    return Math.max(0, Math.ceil(this.#missing(nowMs, count) / this.#perSecond))
  }

  /** Whole tokens that can be taken. */
  available(nowMs: number): number {
    return Math.floor((0 - this.#missing(nowMs, 0)) / thousandths) // Not -0, which an empty bucket would be.
  }

  /** Thousandths of a token by which the bucket falls short of `count`; negative when it holds more. */
  #missing(nowMs: number, count: number): number {
    const gained = (nowMs - this.#fullAtMs) * this.#perSecond
    if (gained >= this.#taken * thousandths) {
      this.#fullAtMs = nowMs
      this.#taken = 0
      return (count - this.#burst) * thousandths
    }
    return (this.#taken + count - this.#burst) * thousandths - gained
  }
}

const thousandths = 1000

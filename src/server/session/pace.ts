// The pace of one session's requests. Over the rate they wait; whoever stays over it for too long has them refused until the
// rate is back.

import type { Clock, TokenBucket } from '../../domain/index.ts'
import type { Limits } from '../../protocol/index.ts'

/** What a pace works with. */
export interface PaceParts {
  readonly clock: Clock
  readonly limits: Pick<Limits, 'messageDelayMsMax'>
}

export class Pace {
  readonly #rate: TokenBucket
  readonly #parts: PaceParts
  /** Since when the session has been over its rate without a pause; `undefined` while it is not. */
  #overSince: number | undefined

  /** `rate` may be shared with other sessions. */
  constructor(rate: TokenBucket, parts: PaceParts) {
    this.#rate = rate
    this.#parts = parts
  }

  /** True when what counts as `cost` requests may be carried out `now`, on the monotonic clock. */
  take(now: number, cost = 1): boolean {
    if (!this.#rate.take(now, cost)) return false
    this.#overSince = undefined
    return true
  }

  /** Resolves to true as soon as the rate allows the request, to false when it has waited for `messageDelayMsMax` or the signal is aborted. */
  async wait(signal: AbortSignal, cost = 1): Promise<boolean> {
    const { clock, limits } = this.#parts
    this.#overSince ??= clock.monotonic()
    do {
      if (clock.monotonic() - this.#overSince >= limits.messageDelayMsMax) return false
      await this.#pause(this.#rate.waitMs(clock.monotonic(), cost))
      if (signal.aborted) return false
    } while (!this.#rate.take(clock.monotonic(), cost))
    return true
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#parts.clock.after(ms, resolve)
    return promise
  }
}

// How often a client makes offers. A server takes ten a minute of an account, of all its devices together; a client keeps under
// that by itself, whatever contacts make it do: answers are offers too, and leave some for its own wishes.

import type { Clock } from '../../domain/clock.ts'
import type { Limits } from '../../protocol/limits.ts'

/** The bounds of a minute. */
export type OfferRateLimits = Pick<Limits, 'directOffersMax' | 'directAnswersMax' | 'directAnswersEachMax'>

/** An offer that may be made; until one of these is called it counts as if it were made now. */
export interface Spend {
  /** It counts from now on, if it did not before. */
  made(): void
  /** It does not count, unless it was made. */
  dropped(): void
}

/** One that was made, or may be made: then it has no time yet. */
interface Made {
  at: number
  /** The key of the name of whom it answers. */
  readonly answered: string | undefined
}

export class OfferRate {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #limits: OfferRateLimits
  /** At most `directOffersMax`. */
  #made: readonly Made[] = []

  constructor(clock: Pick<Clock, 'monotonic'>, limits: OfferRateLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Until the next one may be made, in ms; infinity while that depends on those that are not made yet. */
  get waitMs(): number {
    const now = this.#clock.monotonic()
    this.#made = this.#made.filter(({ at }) => at > now - windowMs)
    if (this.#made.length < this.#limits.directOffersMax) return 0
    return Math.min(...this.#made.map(({ at }) => at)) + windowMs - now
  }

  /** One of our own; `undefined` when it has to wait. */
  offer(): Spend | undefined {
    return this.waitMs > 0 ? undefined : this.#make(undefined)
  }

  /** One that answers a contact, by the key of its name; `undefined` when none is given. */
  answer(key: string): Spend | undefined {
    if (this.waitMs > 0) return undefined
    const answers = this.#made.filter(({ answered }) => answered !== undefined)
    const { directAnswersMax, directAnswersEachMax } = this.#limits
    if (answers.length >= directAnswersMax) return undefined
    return answers.filter(({ answered }) => answered === key).length >= directAnswersEachMax ? undefined : this.#make(key)
  }

  #make(answered: string | undefined): Spend {
    const made: Made = { at: Number.POSITIVE_INFINITY, answered }
    this.#made = [...this.#made, made]
    return {
      made: () => void (made.at = Math.min(made.at, this.#clock.monotonic())),
      dropped: () => {
        if (!Number.isFinite(made.at)) this.#made = this.#made.filter((each) => each !== made)
      },
    }
  }
}

const windowMs = 60_000

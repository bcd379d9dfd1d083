// An offer of ours, to all devices of a contact. Its token is good for each of them once, and only for a while.
//
//   made ──sent──▶ open ──answer, or hello──▶ answered ──▶ over: 10 s after it was sent
//                    └──5 s──▶ unanswered ──▶ over

import type { Clock, Timer } from '../../domain/clock.ts'
import type { Limits } from '../../protocol/limits.ts'
import { directTokenBytes } from '../../protocol/contract/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { Randomness } from '../outbox/message-id.ts'

export interface OfferParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly limits: Pick<Limits, 'directTokenMsMax' | 'directAnswerMsMax'>
  /** It is over. Told once. */
  ended(offer: Offer): void
}

export class Offer {
  readonly token: Uint8Array
  readonly #parts: OfferParts
  readonly #answer = Promise.withResolvers<boolean>()
  readonly #taken = new Set<string>()
  #timers: readonly Timer[] = []
  #goodUntil = 0
  #state: 'made' | 'open' | 'settled' | 'over' = 'made'

  constructor(token: Uint8Array, parts: OfferParts) {
    this.token = token
    this.#parts = parts
  }

  /** Whether a device has answered: known after 5 s. */
  get answered(): Promise<boolean> {
    return this.#answer.promise
  }

  /** How long it is still good, in ms. */
  get lifeMs(): number {
    return this.#goodUntil - this.#parts.clock.monotonic()
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** It is on its way to the server. */
  sent(): void {
    const { clock, limits } = this.#parts
    this.#state = 'open'
    this.#goodUntil = clock.monotonic() + limits.directTokenMsMax
    this.#timers = [clock.after(limits.directAnswerMsMax, () => this.#settle()), clock.after(limits.directTokenMsMax, () => this.end())]
  }

  /**
   * Whether it goes on beside an offer with this token that comes from the other side at the same time: the smaller one does, on
   * both sides. What comes later than an answer can is another attempt.
   */
  outlasts(token: Uint8Array): boolean {
    return this.#state === 'open' && Buffer.compare(this.token, token) < 0
  }

  /** A device comes with this token: true once for each, and only as long as it is good. */
  take(token: Uint8Array, device: string): boolean {
    const isGood = (this.#state === 'open' || this.#state === 'settled') && sameBytes(token, this.token) && !this.#taken.has(device)
    if (!isGood) return false
    this.#taken.add(device)
    this.#answer.resolve(true)
    return true
  }

  /** A device is met with another token. */
  giveUp(device: string): void {
    this.#taken.add(device)
  }

  end(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const timer of this.#timers) timer.cancel()
    this.#answer.resolve(false)
    this.#parts.ended(this)
  }

  #settle(): void {
    this.#state = 'settled'
    this.#answer.resolve(false)
  }
}

/** Our own offers that are not over, one an account. There are no more of them than may be made while one is good. */
export class Offers {
  readonly #parts: Omit<OfferParts, 'ended'> & { readonly fill: Randomness }
  readonly #ended: (offer: Offer) => void
  /** By the key of the name. */
  readonly #offers = new Map<string, Offer>()

  constructor(parts: Omit<OfferParts, 'ended'> & { readonly fill: Randomness }, ended: (offer: Offer) => void) {
    this.#parts = parts
    this.#ended = ended
  }

  find(key: string): Offer | undefined {
    return this.#offers.get(key)
  }

  /** One that nobody knows of yet. */
  make(key: string): Offer {
    const { clock, limits, fill } = this.#parts
    const ended = (offer: Offer): void => {
      if (this.#offers.get(key) === offer) this.#offers.delete(key)
      this.#ended(offer)
    }
    return new Offer(fill(new Uint8Array(directTokenBytes)), { clock, limits, ended })
  }

  /** It is for this account, in the place of the one before. */
  place(key: string, offer: Offer): void {
    this.end(key)
    this.#offers.set(key, offer)
  }

  end(key: string): void {
    this.#offers.get(key)?.end()
  }

  close(): void {
    for (const offer of this.#offers.values()) offer.end()
  }
}

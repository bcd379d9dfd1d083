// How often the other device may ask on a link: what it says as often as an account may on a server, chunks of files as often as a
// fast network brings them, and all else. What is over is refused (busy), and goes through the server; whoever asks on and on all
// the same has no link.

import type { Clock } from '../../domain/clock.ts'
import { TokenBucket } from '../../domain/token-bucket.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'

export class PeerRate {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #says: TokenBucket
  readonly #chunks: TokenBucket
  readonly #others: TokenBucket
  readonly #refusals: TokenBucket

  constructor(clock: Pick<Clock, 'monotonic'>, limits: Limits) {
    const bucket = (perSecond: number, burst: number): TokenBucket => new TokenBucket(perSecond, burst, clock.monotonic())
    this.#clock = clock
    this.#says = bucket(limits.directSaysPerSecondMax, limits.directSaysBurstMax)
    this.#chunks = bucket(limits.directChunksPerSecondMax, limits.directChunksPerSecondMax)
    this.#others = bucket(limits.directAsksPerSecondMax, limits.directAsksPerSecondMax * 2)
    this.#refusals = bucket(forgivenPerSecond, limits.directExcessMax)
  }

  /**
   * Whether a request may be carried out.
   * @throws {SealwireError} `rate_limited` when the link is to end.
   */
  take(method: string): boolean {
    const now = this.#clock.monotonic()
    if (this.#bucketOf(method).take(now)) return true
    if (this.#refusals.take(now)) return false
    throw new SealwireError('rate_limited', 'the other device asks far too often')
  }

  #bucketOf(method: string): TokenBucket {
    if (method === 'direct.say') return this.#says
    return method === 'direct.file' ? this.#chunks : this.#others
  }
}

const forgivenPerSecond = 100

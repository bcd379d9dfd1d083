// Puts what was said into the index of what can be searched, after it was acknowledged and in small groups. Between two
// groups it rests, the longer the longer a group took: while much is said the index may stay behind, sends may not.

import type { Clock, Timer } from '../../domain/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Store } from '../../store/index.ts'
import type { Log } from '../log.ts'

/** What an indexer works with. */
export interface IndexerParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'searchGroupMax' | 'retentionSweepMs'>
}

/** From the first message to the first group: what is said together is indexed together. */
const gatherMs = 100
/** Between groups; it takes at most every fourth moment of the store. */
const restMsMin = 5
const restsPerGroup = 3

export class Indexer {
  readonly #parts: IndexerParts
  #timer: Timer | undefined
  #working: Promise<void> | undefined
  /** Something was said that the group under way may not hold. */
  #isBehind = false
  #isClosed = false

  constructor(parts: IndexerParts) {
    this.#parts = parts
  }

  /** Something was said. */
  wake(): void {
    this.#isBehind = true
    if (this.#timer === undefined && this.#working === undefined) this.#rest(gatherMs)
  }

  /** Resolves when nothing is being indexed any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#working
  }

  #rest(ms: number): void {
    if (this.#isClosed) return
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = undefined
      this.#working = this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#isBehind = false
    const restMs = await this.#group()
    this.#working = undefined
    if (restMs !== undefined || this.#isBehind) this.#rest(restMs ?? gatherMs)
  }

  /** How long to rest before the next group; undefined when there is none. */
  async #group(): Promise<number | undefined> {
    const { store, clock, limits, log } = this.#parts
    const began = clock.monotonic()
    try {
      const isMore = await store.run('search.index', { max: BigInt(limits.searchGroupMax) })
      return isMore ? Math.max(restMsMin, (clock.monotonic() - began) * restsPerGroup) : undefined
    } catch (reason) {
      log.warning('messages not indexed', { why: SealwireError.from(reason).code })
      return limits.retentionSweepMs
    }
  }
}

// What is older than it is kept goes: bodies by the retention of their conversation, entries of inboxes that no device came
// for. In small steps, so that nobody waits for it.

import type { Clock, Timer } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { Store } from '../store/index.ts'
import type { Log } from './log.ts'

/** What housekeeping works with. */
export interface HousekeepingParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'inboxTtlMs' | 'retentionSweepMs'>
  /** Told which files no message has any more. */
  readonly freed: (files: readonly Uint8Array[]) => void
}

/** Rows of one step. */
const stepMax = BigInt(limitTable.housekeepingStepMax.value)

export class Housekeeping {
  readonly #parts: HousekeepingParts
  readonly #timer: Timer
  #working: Promise<void> | undefined
  #isClosed = false

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
    this.#timer = parts.clock.every(parts.limits.retentionSweepMs, () => this.#sweep())
  }

  /** Resolves when nothing is being removed any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer.cancel()
    await this.#working
  }

  #sweep(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isClosed && (await this.#expireBodies()));
      while (!this.#isClosed && (await this.#expireInboxes()));
    } catch (reason) {
      this.#parts.log.warning('nothing removed', { why: SealwireError.from(reason).code })
    }
  }

  /** True when there may be more. */
  async #expireBodies(): Promise<boolean> {
    const { store, clock, log, freed } = this.#parts
    const { entries, bytes, files, more } = await store.run('conversation.expire', { at: BigInt(clock.now()), max: stepMax })
    if (files.length > 0) freed(files)
    if (entries > 0n) log.info('expired messages deleted', { entries: Number(entries), bytes: Number(bytes) })
    return more
  }

  async #expireInboxes(): Promise<boolean> {
    const { store, clock, log, limits } = this.#parts
    const before = BigInt(Math.max(0, clock.now() - limits.inboxTtlMs))
    const { entries, more } = await store.run('inbox.expire', { before, max: stepMax })
    if (entries > 0n) log.info('inbox entries expired', { entries: Number(entries) })
    return more
  }
}

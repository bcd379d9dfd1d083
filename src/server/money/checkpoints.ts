// When the ledger is signed: every `checkpointPostingsMax` postings, every `checkpointMs` if there are new ones, and at once when a
// receipt needs it, but at most one each `checkpointOnDemandMs`, which all who wait then share.

import type { Clock, Timer } from '../../domain/index.ts'
import { makeCheckpoint } from '../../pki/checkpoint.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Checkpoint, Store } from '../../store/index.ts'
import type { LedgerSigner } from './ledger-signer.ts'
import type { Log } from '../log.ts'

/** What checkpoints work with. */
export interface CheckpointsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'checkpointLookMs' | 'checkpointMs' | 'checkpointOnDemandMs' | 'checkpointPostingsMax'>
  readonly serverId: Uint8Array
  readonly signer: LedgerSigner
}

export class Checkpoints {
  readonly #parts: CheckpointsParts
  readonly #timer: Timer
  /** Postings that may lack a checkpoint; at the start what the last run has left. */
  #posted = 1
  /** Those since the last look: after one that was too early the next tick is soon enough. */
  #unseen = 0
  #postedAt: number
  #looking: Promise<void> | undefined
  /** The next one that receipts need; whoever comes before it is begun shares it. */
  #next: { covers: bigint; readonly made: Promise<void> } | undefined
  /** Settles when that before it is over. */
  #demanded: Promise<void> = Promise.resolve()
  #demandedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(parts: CheckpointsParts) {
    this.#parts = parts
    this.#postedAt = parts.clock.monotonic()
    this.#timer = parts.clock.every(parts.limits.checkpointLookMs, () => this.#look())
  }

  /** There is a new posting. */
  posted(): void {
    this.#posted++
    this.#unseen++
    this.#postedAt = this.#parts.clock.monotonic()
    if (this.#unseen >= this.#parts.limits.checkpointPostingsMax) this.#look()
  }

  /** The newest one, made if there is none yet; `undefined` while nothing was ever posted. @throws {SealwireError} those of the store. */
  async newest(): Promise<Checkpoint | undefined> {
    const known = await this.#parts.store.run('ledger.checkpointFind', {})
    if (known !== undefined) return known
    await this.#make({ covers: 1n })
    return this.#parts.store.run('ledger.checkpointFind', {})
  }

  /** Resolves when there is one that covers the posting. @throws {SealwireError} `unavailable` when this ends; those of the store. */
  cover(posting: bigint): Promise<void> {
    if (this.#next !== undefined) {
      if (posting > this.#next.covers) this.#next.covers = posting
      return this.#next.made
    }
    const next = { covers: posting, made: this.#demanded.then(() => this.#demand()) }
    this.#next = next
    this.#demanded = next.made.catch(() => undefined)
    return next.made
  }

  /** Resolves when nothing is being signed any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer.cancel()
    await this.#looking
  }

  async #demand(): Promise<void> {
    const { clock, limits } = this.#parts
    const waitMs = this.#demandedAt + limits.checkpointOnDemandMs - clock.monotonic()
    if (waitMs > 0) await pause(clock, waitMs)
    const covers = this.#next?.covers
    this.#next = undefined
    if (this.#isClosed) throw new SealwireError('unavailable', 'the server is stopping')
    this.#demandedAt = clock.monotonic()
    await this.#make({ covers })
  }

  #look(): void {
    if (this.#isClosed || this.#posted === 0) return
    this.#unseen = 0
    this.#looking ??= this.#makeIfDue().finally(() => {
      this.#looking = undefined
    })
  }

  async #makeIfDue(): Promise<void> {
    const { clock, limits } = this.#parts
    const posted = this.#posted
    // What is not due yet is looked at again with the next tick, for as long as it can become due.
    const isOver = clock.monotonic() - this.#postedAt > limits.checkpointMs + limits.checkpointLookMs
    try {
      if ((await this.#make({ isOver })) || isOver) this.#posted -= posted
    } catch (reason) {
      this.#parts.log.warning('no checkpoint made', { why: SealwireError.from(reason).code })
    }
  }

  /** Whether one was made. `isOver`: `checkpointMs` is over for all that was posted, whatever the time of day says. */
  async #make({ covers, isOver = false }: { readonly covers?: bigint | undefined; readonly isOver?: boolean }): Promise<boolean> {
    const { store, clock, serverId: server, signer, log } = this.#parts
    const now = BigInt(clock.now())
    const needed = await store.run('ledger.checkpointNeeded', { at: isOver ? endOfTime : now, covers })
    if (needed === undefined) return false
    const { size, root, last } = needed
    // More postings at an earlier time would be a contradiction to whoever audits, also where only a clock was put right.
    const at = last !== undefined && last.at > now ? last.at : now
    await store.run('ledger.checkpointStore', { size, root, at, cose: makeCheckpoint({ server, size, root, at }, signer) })
    log.debug('checkpoint made', { postings: Number(size) })
    return true
  }
}

const endOfTime = 1n << 62n

async function pause(clock: Clock, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  clock.after(ms, resolve)
  await promise
}

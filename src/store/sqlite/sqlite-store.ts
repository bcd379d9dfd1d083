// The store of a server. The requests of a moment go to a worker thread as one group: groups grow with the load, and one fsync serves
// all of a group. The next one is sent when the one before has been answered, or, when much waits, sooner: then the worker goes from
// one to the other without waiting for this thread. More than two it is never given.

import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Input, OperationName, Outcome, Output, Request, Store, StoreLimits } from '../store.ts'
import { databaseLocation } from './database.ts'
import type { WorkerSetup } from './messages.ts'
import { type StoreComponents, SupervisedWorker } from './supervised-worker.ts'

/**
 * Opens the store of a data folder in a worker thread.
 * @throws {SealwireError} `data_unusable`, `data_locked`, `storage_full`, `runtime_unsupported`; `unavailable` when the
 * worker could not be started.
 */
export async function openStore(folder: string, limits: StoreLimits, components: StoreComponents): Promise<Store> {
  const setup: WorkerSetup = { location: databaseLocation(folder), limits, presence: 'may-be-new' }
  return new SqliteStore(limits, await SupervisedWorker.start(setup, components))
}

interface Waiting {
  readonly request: Request
  readonly settle: (outcome: Outcome) => void
}

export class SqliteStore implements Store {
  readonly #limits: StoreLimits
  readonly #worker: SupervisedWorker
  readonly #waiting: Waiting[] = []
  /** Groups that the worker has. */
  #underWay = 0
  /** How many requests were in the last one. */
  #sentSize = 0
  #isScheduled = false
  /** Set by `close`: told when nothing waits and nothing is under way. */
  #closing: PromiseWithResolvers<void> | undefined

  /** Owns the worker from now on. */
  constructor(limits: StoreLimits, worker: SupervisedWorker) {
    this.#limits = limits
    this.#worker = worker
  }

  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> {
    if (this.#closing !== undefined) return Promise.reject(new SealwireError('unavailable', 'the store is closed'))
    if (this.#waiting.length >= this.#limits.storeQueueMax) {
      return Promise.reject(new SealwireError('busy', 'too many requests wait for the store'))
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if ('error' in outcome) reject(outcome.error)
        // The worker answers a request with the output of the step that its own name chose.
        else resolve(outcome.value as Output<N>)
      }
      this.#waiting.push({ request: { name, input } as Request, settle })
      this.#schedule()
    })
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers<void>()
    this.#schedule()
    await this.#closing.promise
    await this.#worker.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What else this turn of the event loop asks for joins the group. */
  #schedule(): void {
    if (this.#isScheduled || !this.#maySend()) return this.#endIfClosed()
    this.#isScheduled = true
    setImmediate(this.#sendNow)
  }

  readonly #sendNow = (): void => {
    this.#isScheduled = false
    if (this.#maySend()) this.#send()
    this.#schedule()
  }

  /** A second group is sent while the worker has one when much waits, and as much as that: so groups grow, and do not break up. */
  #maySend(): boolean {
    if (this.#underWay === 0) return this.#waiting.length > 0
    return this.#underWay < underWayMax && this.#muchWaits && this.#waiting.length >= this.#sentSize
  }

  get #muchWaits(): boolean {
    return this.#waiting.length >= this.#limits.storeGroupMax / 2
  }

  #send(): void {
    const group = this.#waiting.splice(0, this.#limits.storeGroupMax)
    this.#underWay++
    this.#sentSize = group.length
    void this.#outcomes(group.map(({ request }) => request)).then((outcomes) => {
      this.#underWay--
      // With less waiting, who asks for one thing after the other would come a group later each time.
      if (this.#muchWaits && this.#maySend()) this.#send()
      giveOut(group, outcomes)
      this.#schedule()
    })
  }

  #endIfClosed(): void {
    if (this.#underWay === 0 && this.#waiting.length === 0) this.#closing?.resolve()
  }

  /** Never rejects: a group that cannot even be sent is answered as well. */
  async #outcomes(group: readonly Request[]): Promise<readonly Outcome[]> {
    try {
      return await this.#worker.execute(group)
    } catch (reason) {
      const error = SealwireError.from(reason)
      return group.map(() => ({ error }))
    }
  }
}

function giveOut(group: readonly Waiting[], outcomes: readonly Outcome[]): void {
  for (const [index, { settle }] of group.entries()) settle(outcomes[index] ?? { error: new SealwireError('internal', 'internal error') })
}

/** With a third one what waits would make smaller groups, and each message wait for as many commits. */
const underWayMax = limitTable.storeGroupsUnderWayMax.value

// The store of a server. The requests of a moment go to a worker thread as one group, and the next group is sent when the
// one before has been answered: groups grow with the load, and one fsync serves all of a group. When much waits by then, it is
// sent before the answers are given out, so that both threads have something to do.

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { SealwireError } from '../../protocol/errors.ts'
import type { Input, OperationName, Outcome, Output, Request, Store, StoreLimits } from '../store.ts'
import { databaseLocation } from './database.ts'
import type { WorkerSetup } from './messages.ts'
import { type StoreComponents, type StoreWatch, SupervisedWorker } from './supervised-worker.ts'

/**
 * Opens the store of a data folder in a worker thread.
 * @throws {SealwireError} `data_unusable`, `data_locked`, `storage_full`, `runtime_unsupported`; `unavailable` when the
 * worker could not be started.
 */
export async function openStore(folder: string, limits: StoreLimits, components: StoreComponents): Promise<Store> {
  const setup: WorkerSetup = { location: databaseLocation(folder), limits, presence: 'may-be-new' }
  return new SqliteStore(limits, await SupervisedWorker.start(setup, components), components.watch)
}

/** What carries out groups, one after the other. */
export type GroupWorker = Pick<SupervisedWorker, 'execute' | 'close'>

interface Waiting {
  readonly request: Request
  readonly settle: (outcome: Outcome) => void
}

/** A group with an outcome for each, in the order of the commit. Empty once they were given out. */
interface Answered {
  readonly group: Waiting[]
  readonly outcomes: readonly Outcome[]
}

export class SqliteStore implements Store {
  readonly #limits: StoreLimits
  readonly #worker: GroupWorker
  readonly #watch: StoreWatch | undefined
  readonly #waiting: Waiting[] = []
  readonly #ended: Promise<void>
  /** Set while nothing waits: the next request calls it. */
  #wake: (() => void) | undefined
  #closing = false

  /** Owns the worker from now on. */
  constructor(limits: StoreLimits, worker: GroupWorker, watch?: StoreWatch) {
    this.#limits = limits
    this.#worker = worker
    this.#watch = watch
    this.#ended = this.#live()
  }

  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> {
    if (this.#closing) return Promise.reject(new SealwireError('unavailable', 'the store is closed'))
    if (this.#waiting.length >= this.#limits.storeQueueMax) {
      this.#watch?.overflowed()
      return Promise.reject(new SealwireError('busy', 'too many requests wait for the store'))
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if ('error' in outcome) reject(outcome.error)
        // The worker answers a request with the output of the step that its own name chose.
        else resolve(outcome.value as Output<N>)
      }
      this.#waiting.push({ request: { name, input } as Request, settle })
      this.#wake?.()
    })
  }

  close(): Promise<void> {
    this.#closing = true
    this.#wake?.()
    return this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The whole life of the store: one group after another, until it is closed and nothing waits. */
  async #live(): Promise<void> {
    let before: Answered = { group: [], outcomes: [] }
    while (await this.#somethingWaits(before)) {
      const group = this.#waiting.splice(0, this.#limits.storeGroupMax)
      const asked = this.#outcomes(group.map(({ request }) => request))
      giveOut(before)
      before = { group, outcomes: await asked }
    }
    await this.#worker.close()
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

  /**
   * False when the store is closed and empty. The answers of the group before are given out first, unless so much waits that
   * it need not wait for what they cause: who asks for one thing after the other would come a group later each time.
   */
  async #somethingWaits(before: Answered): Promise<boolean> {
    if (this.#waiting.length >= this.#limits.storeGroupMax / 2) return true
    giveOut(before)
    if (!this.#closing && this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    // What else this turn of the event loop asks for, answers that were just given out included, joins the group.
    await turnOfTheLoop()
    return this.#waiting.length > 0
  }
}

/** At most once each. */
function giveOut(answered: Answered): void {
  for (const [index, { settle }] of answered.group.splice(0).entries())
    settle(answered.outcomes[index] ?? { error: new SealwireError('internal', 'internal error') })
}

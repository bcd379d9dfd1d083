// A worker that is replaced when it dies. The group it had is `unknown_outcome`: perhaps its commit was made. The next group
// waits for a fresh worker. After `storeRestartsMax` deaths without an answered group between them there is no further one,
// and every group is `unavailable`.

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Clock } from '../../domain/clock.ts'
import { type Code, SealwireError } from '../../protocol/errors.ts'
import type { Outcome, Request } from '../store.ts'
import { receiveAnswers, type Trouble, type WorkerSetup } from './messages.ts'
import { StoreWorker, workerProgram } from './store-worker.ts'

/** Where the store tells its operator about failures; a server's log fits. */
export interface StoreLog {
  warning(event: string, fields?: Readonly<Record<string, string | number>>): void
  error(event: string, fields?: Readonly<Record<string, string | number>>, cause?: unknown): void
}

/** What a store is given. */
export interface StoreComponents {
  readonly clock: Clock
  readonly log: StoreLog
  /** Told what happens to groups. Default: nobody is. */
  readonly watch?: StoreWatch | undefined
}

/** Who measures a store. Both are called often and must be cheap. */
export interface StoreWatch {
  /** A group was answered, so many ms after it was sent. */
  grouped(ms: number): void
  /** A request was refused because too many waited. */
  overflowed(): void
}

export class SupervisedWorker {
  readonly #setup: WorkerSetup
  readonly #components: StoreComponents
  readonly #program: URL
  /** When a failure with this code was last logged, on the monotonic clock. */
  readonly #loggedAt = new Map<Code, number>()
  #worker: StoreWorker
  /** Deaths since the last answered group. */
  #deaths = 0

  private constructor(setup: WorkerSetup, components: StoreComponents, program: URL, worker: StoreWorker) {
    this.#program = program
    this.#setup = setup
    this.#components = components
    this.#worker = worker
  }

  /**
   * The first start is not tried again. Tests give a program of their own.
   * @throws {SealwireError} what {@link StoreWorker.start} throws.
   */
  static async start(setup: WorkerSetup, components: StoreComponents, program = workerProgram()): Promise<SupervisedWorker> {
    return new SupervisedWorker(setup, components, program, await StoreWorker.start(setup, program))
  }

  /** Returns one outcome for each request. The next group is given after that only. */
  async execute(group: readonly Request[]): Promise<readonly Outcome[]> {
    if (!this.#worker.alive && !(await this.#replace())) {
      // Who asks again at once lets others have their turn.
      await turnOfTheLoop()
      return all(group, new SealwireError('unavailable', 'the store has failed'))
    }
    const { clock, watch } = this.#components
    const sentAt = watch === undefined ? 0 : clock.monotonic()
    const executed = await this.#worker.execute(group)
    watch?.grouped(clock.monotonic() - sentAt)
    if (executed === undefined) {
      this.#logTrouble({ code: 'unknown_outcome', detail: 'the worker died' }, this.#worker.failure)
      return all(group, new SealwireError('unknown_outcome', 'it may or may not have been stored'))
    }
    this.#deaths = 0
    for (const trouble of executed.troubles) this.#logTrouble(trouble)
    return receiveAnswers(group, executed)
  }

  /** Closes the database and ends the worker. */
  close(): Promise<void> {
    return this.#worker.close()
  }

  /** Returns false when there have been too many deaths. */
  async #replace(): Promise<boolean> {
    const { storeRestartMs, storeRestartsMax } = this.#setup.limits
    while (this.#deaths < storeRestartsMax) {
      await this.#pause(storeRestartMs * 2 ** this.#deaths)
      this.#deaths += 1
      try {
        this.#worker = await StoreWorker.start({ ...this.#setup, presence: 'must-exist' }, this.#program)
        this.#components.log.warning('store.restarted', { attempt: this.#deaths })
        return true
      } catch (cause) {
        this.#components.log.error('store.restart_failed', { attempt: this.#deaths }, cause)
      }
    }
    return false
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#components.clock.after(ms, resolve)
    })
  }

  /** A full disk fails thousands of requests a second: one line of a kind each `storeLogMs` says enough. */
  #logTrouble({ code, detail }: Trouble, cause?: unknown): void {
    const now = this.#components.clock.monotonic()
    const loggedAt = this.#loggedAt.get(code)
    if (loggedAt !== undefined && now - loggedAt < this.#setup.limits.storeLogMs) return
    this.#loggedAt.set(code, now)
    this.#components.log.error('store.failed', { code, detail }, cause)
  }
}

function all(group: readonly Request[], error: SealwireError): readonly Outcome[] {
  return group.map(() => ({ error }))
}

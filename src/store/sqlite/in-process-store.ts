// The store in this thread and without promises: every request is a group of its own and has been committed when `run`
// returns. For the simulator, for commands of the operator, and for tests; a server uses {@link openStore}.

import { assert } from '../../protocol/errors.ts'
import type { Input, OperationName, Output, Request, StoreLimits, SynchronousStore } from '../store.ts'
import { databaseLocation } from './database.ts'
import { Engine } from './engine.ts'

class InProcessStore implements SynchronousStore {
  readonly #engine: Engine

  /** Owns the engine from now on. */
  constructor(engine: Engine) {
    this.#engine = engine
  }

  run<N extends OperationName>(name: N, input: Input<N>): Output<N> {
    const [outcome] = this.#engine.execute([{ name, input } as Request])
    assert(outcome, 'a request without an outcome')
    if ('error' in outcome) throw outcome.error
    // The engine answers a request with the output of the step that its own name chose.
    return outcome.value as Output<N>
  }

  close(): void {
    this.#engine.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * Opens the store of a data folder, or an empty one that lives in memory ({@link inMemory}).
 * @throws {SealwireError} `data_unusable`, `data_locked`, `storage_full`, `runtime_unsupported`.
 */
export function openInProcessStore(folder: string, limits: StoreLimits): InProcessStore {
  return new InProcessStore(new Engine(databaseLocation(folder), limits))
}

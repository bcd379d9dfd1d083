// What an operation is to SQLite. Steps run inside a savepoint of their own: a SealwireError undoes what the step did and
// is its answer. They are synchronous; an `async` one does not compile, because its transaction would be committed at the
// first `await`.

import type { Input, OperationName, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'

export type Run<N extends OperationName> = (database: Database, input: Input<N>, limits: StoreLimits) => Output<N>

/** `read` steps change nothing; they are carried out even when there is no room on the disk. */
export interface Step<N extends OperationName> {
  readonly kind: 'read' | 'write'
  readonly run: Run<N>
  /** For a `write` that can also answer without changing anything: it does when there is no room. */
  readonly runWithoutRoom?: Run<N>
}

/** One step for every operation: a forgotten or misspelt one does not compile. */
export type Steps = { readonly [N in OperationName]: Step<N> }

/** The steps of those operations whose names begin with one of these words. */
export type StepsOf<Family extends string> = Pick<Steps, Extract<OperationName, `${Family}.${string}`>>

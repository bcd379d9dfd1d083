// The contract of a store: what the server keeps, as named operations. One operation is one atomic step. Each runs under
// a savepoint of its own inside a group's transaction, and no answer (refusals included) leaves before that group's
// commit. An operation that throws a SealwireError is rolled back alone; when the COMMIT fails, every request of the
// group is answered `unknown_outcome`, because it may have happened.

import type { SealwireError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'

/** An account as it is stored. Times are milliseconds since 1970, UTC. */
export interface Account {
  readonly id: bigint
  /** The name as its owner wrote it (NFC); what others are shown. */
  readonly name: string
  /** The case-folded form by which it is found; unique. */
  readonly key: string
  /** A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  readonly passwordHash: string
  readonly createdAt: bigint
}

export interface NewAccount {
  readonly name: string
  readonly key: string
  /** What the name looks like: two accounts with one skeleton could be taken for each other; unique. */
  readonly skeleton: string
  readonly passwordHash: string
  readonly createdAt: bigint
}

/** Failed logins remembered under a key such as `address:192.0.2.1`. */
export interface Throttle {
  readonly key: string
  readonly failures: bigint
  /** When the first failure that still counts and the newest one happened. */
  readonly since: bigint
  readonly lastAt: bigint
}

/** Every operation, declared once: its input and its output. Errors are named beside it. */
export interface Operations {
  /** Throws `name_taken` when the key or the skeleton is in use. */
  'account.create': { input: NewAccount; output: Account }
  'account.find': { input: { readonly key: string }; output: Account | undefined }
  /** Replaces a hash if it is still `from`; false when it is not. */
  'account.rehash': { input: { readonly id: bigint; readonly from: string; readonly to: string }; output: boolean }
  /** The rows that exist, in no order. */
  'throttle.read': { input: { readonly keys: readonly string[] }; output: readonly Throttle[] }
  /**
   * Counts one failure under each key and returns the rows in the order of `keys`. A row under `account:…` starts again
   * at 1 when its last failure is older than the window, so that a patient guesser gains nothing; every other row when
   * its first failure is. Keeps at most `throttlesTrackedMax` rows, forgetting those whose last failure is oldest.
   */
  'throttle.fail': {
    input: { readonly keys: readonly string[]; readonly at: bigint; readonly windowMs: bigint }
    output: readonly Throttle[]
  }
  'throttle.clear': { input: { readonly keys: readonly string[] }; output: undefined }
}

export type OperationName = keyof Operations
export type Input<N extends OperationName> = Operations[N]['input']
export type Output<N extends OperationName> = Operations[N]['output']

/** One request: an operation's name with its input. */
export type Request<N extends OperationName = OperationName> = { readonly [M in N]: { readonly name: M; readonly input: Input<M> } }[N]

/** What became of one request. */
export type Outcome = { readonly value: unknown } | { readonly error: SealwireError }

/** The bounds that a store keeps. */
export type StoreLimits = Pick<
  Limits,
  | 'diskBytesFreeMin'
  | 'storeBusyMsMax'
  | 'storeGroupMax'
  | 'storeLogMs'
  | 'storeQueueMax'
  | 'storeRestartMs'
  | 'storeRestartsMax'
  | 'throttlesTrackedMax'
>

/** A store that commits in groups, off the event loop. */
export interface Store extends AsyncDisposable {
  /**
   * Resolves after the commit that made the operation durable.
   * @throws {SealwireError} the operation's own refusals; `busy` when `storeQueueMax` requests wait; `storage_full`;
   * `unknown_outcome` when the commit failed; `unavailable` after that until the store has been reopened.
   */
  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>>
  /** Commits what waits and closes. */
  close(): Promise<void>
}

/** The same store in this thread and without promises, for the simulator and for commands of the operator. */
export interface SynchronousStore extends Disposable {
  run<N extends OperationName>(name: N, input: Input<N>): Output<N>
  close(): void
}

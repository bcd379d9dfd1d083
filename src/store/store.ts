// The contract of a store: what the server keeps, as named operations. One operation is one atomic step. Each runs under
// a savepoint of its own inside a group's transaction, in the order in which it was asked for, and no answer (refusals
// included) leaves before that group's commit. An operation that throws a SealwireError is rolled back alone and uses up no
// number; when the commit fails, every request of the group is answered `unknown_outcome`, because it may have happened.

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

/** An account to be made. */
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

/** The name of an operation. */
export type OperationName = keyof Operations
/** What an operation is given. */
export type Input<N extends OperationName> = Operations[N]['input']
/** What an operation answers. */
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
   * Resolves after the commit that made the operation durable; promises settle in the order of the commits.
   * @throws {SealwireError} the operation's own refusals. Nothing has happened: `busy` when `storeQueueMax` requests wait;
   * `storage_full` for what would write, while reads go on; `unavailable` when the disk has failed, until the store could
   * be opened again, and after `close`. It may have happened: `unknown_outcome`; ask again with the same key.
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

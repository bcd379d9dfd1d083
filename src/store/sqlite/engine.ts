// The synchronous core: carries out one group of requests as one transaction.
//
//   begin immediate
//     step                                  for each request; one that throws before it has written has nothing to undo
//   commit                                  every answer waits for this
//
// When one throws after it has written, everything is rolled back and the group begun again with a savepoint around each step,
// so that what it throws undoes this request alone. A savepoint costs a copy of every page that the step changes.
//
// Three things can befall a whole group. `storage_full`: SQLite refused a write, in a step or in the commit, so nothing of
// the group is in the database; what can be answered without writing is carried out again. `unavailable`: the disk failed
// before the commit, again nothing happened. `unknown_outcome`: the commit failed in another way; its record may have reached
// the disk although the call says it did not. After the last two the connection is given up, and the next group opens a new one.

import { dirname } from 'node:path'
import { SealwireError } from '../../protocol/errors.ts'
import type { OperationName, Outcome, Request, StoreLimits } from '../store.ts'
import { bytesFree } from './bytes-free.ts'
import { type Database, inMemory, openDatabase, type Presence } from './database.ts'
import { failureOf, isDamaged } from './failure.ts'
import { rewriteLog } from './log-file.ts'
import { type Step, type Steps, steps as sqliteSteps } from './operations.ts'

/** `presence`: default `may-be-new`. `steps`: default those of this folder; tests replace some. */
export interface EngineOptions {
  readonly presence?: Presence
  readonly steps?: Steps
}

/** A group that writes, or one that only reads. */
type Kind = Step<OperationName>['kind']

export class Engine implements Disposable {
  readonly #location: string
  readonly #limits: StoreLimits
  readonly #steps: Steps
  /** Undefined after a failure, until a group has opened it again. */
  #database: Database | undefined
  #closed = false
  /** Something deleted may still be in the log: of a connection before this one too, even of a process that died. */
  #mustErase = true

  /**
   * Opens the database at a path or {@link inMemory}.
   * @throws {SealwireError} what {@link openDatabase} throws.
   */
  constructor(location: string, limits: StoreLimits, { presence = 'may-be-new', steps = sqliteSteps }: EngineOptions = {}) {
    this.#location = location
    this.#limits = limits
    this.#steps = steps
    this.#database = openDatabase(location, limits, presence)
  }

  /** Returns one outcome for each request, in their order, after the commit. Never throws. */
  execute(group: readonly Request[]): readonly Outcome[] {
    return this.#attempt(group, { mayWrite: true })
  }

  /** Ends the connection; later groups are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#database?.[Symbol.dispose]()
    this.#database = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #attempt(group: readonly Request[], { mayWrite }: { readonly mayWrite: boolean }): readonly Outcome[] {
    try {
      return this.#transact(group, mayWrite ? this.#kindOf(group) : 'read')
    } catch (reason) {
      const error = SealwireError.from(reason)
      const isReadable = error.code === 'storage_full' || isDamaged(error.cause)
      return isReadable && mayWrite ? this.#readsOnly(group, error) : group.map(() => ({ error }))
    }
  }

  #transact(group: readonly Request[], kind: Kind): readonly Outcome[] {
    if (kind === 'write') this.#requireRoom()
    const database = this.#connected()
    const outcomes = this.#uncommitted(database, group, kind)
    try {
      database.control('commit')
    } catch (cause) {
      if (kind === 'write') throw this.#commitFailure(database, cause)
      // What was read stays so, also a verification that met a damaged page: what it says of that has to be heard.
      this.#giveUp()
      return outcomes
    }
    this.#erase(database)
    return outcomes
  }

  /** The group is committed whatever befalls this; what could not be erased now is after the next group, or on closing. */
  #erase(database: Database): void {
    if (!this.#mustErase && !database.mustErase) return
    this.#mustErase = true
    try {
      database.eraseLog()
      this.#mustErase = database.mustErase
    } catch (reason) {
      if (failureOf(reason) === 'broken') this.#giveUp()
    }
  }

  #uncommitted(database: Database, group: readonly Request[], kind: Kind): readonly Outcome[] {
    try {
      return this.#together(database, group, kind) ?? this.#apart(database, group, kind)
    } catch (cause) {
      throw this.#groupFailure(database, cause)
    }
  }

  /** Without savepoints. Undefined, and nothing has happened, when a request was refused after it had written. */
  #together(database: Database, group: readonly Request[], kind: Kind): readonly Outcome[] | undefined {
    begin(database, kind)
    const outcomes: Outcome[] = []
    for (const request of group) {
      const unsettled = attempt(database, () => database.settle({ request, kind: this.#steps[request.name].kind }))
      const { writes } = database
      const outcome = unsettled ?? this.#perform(database, request, kind)
      if (unsettled !== undefined || ('error' in outcome && database.writes !== writes)) {
        database.control('rollback')
        return undefined
      }
      outcomes.push(outcome)
    }
    if (attempt(database, () => database.settleGroup()) === undefined) return outcomes
    database.control('rollback')
    return undefined
  }

  /** Each in a savepoint of its own. */
  #apart(database: Database, group: readonly Request[], kind: Kind): readonly Outcome[] {
    begin(database, kind)
    return group.map((request) => {
      database.control('savepoint request')
      const performed = this.#perform(database, request, kind)
      const outcome = 'error' in performed ? performed : (attempt(database, () => database.settle()) ?? performed)
      if ('error' in outcome) database.control('rollback to request')
      database.control('release request')
      return outcome
    })
  }

  /** Throws only what concerns the whole group. */
  #perform<N extends OperationName>(database: Database, request: Request<N>, kind: Kind): Outcome {
    const { run, runWithoutRoom = run } = this.#steps[request.name]
    try {
      return { value: synchronous((kind === 'write' ? run : runWithoutRoom)(database, request.input, this.#limits)) }
    } catch (reason) {
      return requestError(database, reason)
    }
  }

  #groupFailure(database: Database, cause: unknown): SealwireError {
    const failure = failureOf(cause)
    if (failure === 'full') {
      this.#rollBack(database)
      return storageFull(cause)
    }
    if (failure === 'locked') {
      this.#rollBack(database)
      return new SealwireError('unavailable', 'another program holds the database', { cause })
    }
    this.#giveUp()
    return new SealwireError('unavailable', 'the store has failed', { cause })
  }

  #commitFailure(database: Database, cause: unknown): SealwireError {
    // A write was refused before the commit's record was complete, and an incomplete record never counts.
    if (failureOf(cause) === 'full') return this.#groupFailure(database, cause)
    this.#giveUp()
    return new SealwireError('unknown_outcome', 'it may or may not have been stored', { cause })
  }

  #rollBack(database: Database): void {
    try {
      if (database.inTransaction) database.control('rollback')
    } catch {
      this.#giveUp()
    }
  }

  #giveUp(): void {
    try {
      this.#database?.[Symbol.dispose]()
    } catch {
      // It is of no use any more, whatever it says.
    }
    this.#database = undefined
  }

  #connected(): Database {
    if (this.#database !== undefined) return this.#database
    // Memory does not come back: an empty store in its place would be a lie.
    if (this.#closed || this.#location === inMemory) throw new SealwireError('unavailable', 'the store is closed')
    try {
      rewriteLog(this.#location)
      this.#database = openDatabase(this.#location, this.#limits, 'must-exist')
      return this.#database
    } catch (cause) {
      throw new SealwireError('unavailable', 'the store cannot be opened again', { cause })
    }
  }

  /** Carries out what can be answered without writing and refuses the rest; nothing of the rest has happened. */
  #readsOnly(group: readonly Request[], error: SealwireError): readonly Outcome[] {
    const reads = group.filter((request) => this.#canRead(request))
    const answers = this.#attempt(reads, { mayWrite: false }).values()
    return group.map((request) => (this.#canRead(request) ? (answers.next().value ?? { error }) : { error }))
  }

  #kindOf(group: readonly Request[]): Kind {
    return group.some(({ name }) => this.#steps[name].kind === 'write') ? 'write' : 'read'
  }

  #canRead({ name }: Request): boolean {
    const { kind, runWithoutRoom } = this.#steps[name]
    return kind === 'read' || runWithoutRoom !== undefined
  }

  /** Asked before SQLite is, so that logs and certificates keep some room of their own. */
  #requireRoom(): void {
    if (this.#location !== inMemory && bytesFree(dirname(this.#location)) < BigInt(this.#limits.diskBytesFreeMin)) throw storageFull()
  }
}

/** Writes what was deferred. Why it could not, when that concerns requests alone. */
function attempt(database: Database, write: () => void): { readonly error: SealwireError } | undefined {
  try {
    write()
    return undefined
  } catch (reason) {
    return requestError(database, reason)
  }
}

/** What a request is answered that failed for itself. Throws what concerns the whole group. */
function requestError(database: Database, reason: unknown): { readonly error: SealwireError } {
  // SQLite may have rolled back everything on its own; then there is nothing to go back to.
  if (failureOf(reason) !== 'request' || !database.inTransaction) throw reason
  return { error: SealwireError.from(reason) }
}

function begin(database: Database, kind: Kind): void {
  database.control(kind === 'write' ? 'begin immediate' : 'begin')
}

function storageFull(cause?: unknown): SealwireError {
  return new SealwireError('storage_full', 'there is no room to store it', { cause, hint: 'free some space in the data folder' })
}

/** Lets no promise pass: what is behind it would happen after the commit. */
function synchronous<T>(value: T): T {
  if (value instanceof Promise) {
    value.catch(() => undefined)
    throw new SealwireError('internal', 'internal error', { cause: 'a step of the store returned a promise' })
  }
  return value
}

// One connection to the database file: made durable and strict before anyone uses it, its statements prepared once.
//
// Operations get this object and may only be synchronous. Should one go on after an `await`, its transaction is long
// committed; every statement therefore insists on an open transaction, so that such a step changes nothing.

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { dirname, join } from 'node:path'
import { assert, SealwireError } from '../../protocol/errors.ts'
import type { Request, StoreLimits } from '../store.ts'
import { bytesFree } from './bytes-free.ts'
import { failureOf } from './failure.ts'
import { requireWholeLog } from './log-damage.ts'
import { isOfBefore, migrate } from './migrations.ts'
import { Statement } from './statement.ts'

/** Stands for a data folder: a database that lives in memory and ends with its connection. */
export const inMemory = ':memory:'

/** Where the database of a data folder is; {@link inMemory} stays what it is. */
export function databaseLocation(folder: string): string {
  return folder === inMemory ? inMemory : join(folder, 'sealwire.db')
}

/** What a step has decided and not written yet, because the next ones may add to it: one write for all of them. */
export interface Deferred {
  /** Whether this request adds to it, or does not concern it, and needs nothing of it in the database. */
  covers(request: Request, kind: 'read' | 'write'): boolean
  write(): void
  /** Whether the next group has it again, once it is written and this one is committed. Default: no. */
  readonly lasts?: boolean
}

export class Database implements Disposable {
  readonly #connection: DatabaseSync
  readonly #busyMsMax: number
  readonly #statements = new Map<string, Statement<string>>()
  readonly #controls = new Map<ControlStatement, StatementSync>()
  #deferred: Deferred | undefined
  /** Was deferred, is written, and lasts: the next group has it if this one is committed. */
  #lasting: Deferred | undefined
  #mustErase = false
  #writes = 0

  /** Takes over a connection that {@link openDatabase} has set up. */
  constructor(connection: DatabaseSync, busyMsMax: number) {
    this.#connection = connection
    this.#busyMsMax = busyMsMax
  }

  /** True between a `begin` and its `commit` or `rollback`, SQLite's own rollbacks included. */
  get inTransaction(): boolean {
    return this.#connection.isTransaction
  }

  /** How many statements were run, or deferred, that may have written. */
  get writes(): number {
    return this.#writes
  }

  /** The statement of this text, prepared at its first use. It runs only inside a transaction. */
  prepare<const S extends string>(sql: S): Statement<S> {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = new Statement<string>(this.#connection, sql, isRead(sql) ? this.#mustBeInTransaction : this.#willWrite)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** What waits to be written, if something does. */
  get deferred(): Deferred | undefined {
    return this.#deferred
  }

  /** Waits to be written until a request comes that it does not cover, or the end of the group. There is none yet. */
  defer(deferred: Deferred): void {
    assert(this.#deferred === undefined, 'something else is deferred')
    this.#deferred = deferred
  }

  /** What was deferred holds more than before: a request that is refused now has to be undone as if it had written. */
  noteDeferred(): void {
    this.#writes++
  }

  /** Writes what was deferred, but for a request that adds to it. */
  settle(next?: { readonly request: Request; readonly kind: 'read' | 'write' }): void {
    const deferred = this.#deferred
    if (deferred === undefined || (next !== undefined && deferred.covers(next.request, next.kind))) return
    this.#deferred = undefined
    deferred.write()
  }

  /** Writes what was deferred at the end of a group. What lasts is there again in the next one. */
  settleGroup(): void {
    const deferred = this.#deferred
    this.settle()
    if (deferred?.lasts === true) this.#lasting = deferred
  }

  /** Runs a statement that opens, marks or ends a transaction. */
  control(sql: ControlStatement): void {
    const lasting = this.#lasting
    this.#lasting = undefined
    // At the beginning too: SQLite may have rolled back by itself.
    if (/^(rollback|begin)/.test(sql)) this.#deferred = sql.startsWith('begin') ? lasting : undefined
    else assert(sql !== 'commit' || this.#deferred === undefined, 'something is not written')
    let statement = this.#controls.get(sql)
    if (statement === undefined) this.#controls.set(sql, (statement = this.#connection.prepare(sql)))
    statement.run()
    if (sql === 'commit') this.#lasting = lasting
  }

  /** What this transaction deletes must be gone from the files too: see {@link eraseLog}. */
  eraseAfterCommit(): void {
    this.#mustErase = true
  }

  /** Whether a transaction deleted something that may still be in the log. */
  get mustErase(): boolean {
    return this.#mustErase
  }

  /**
   * Brings all that was committed into the database file and empties the log, in which older states of its pages are. Waits
   * for nobody: when another program reads, there is more to be erased afterwards. Throws what SQLite throws; what was
   * committed stays so whatever happens here.
   */
  eraseLog(): void {
    this.#connection.exec('pragma busy_timeout = 0')
    try {
      this.#mustErase = this.#connection.prepare('pragma wal_checkpoint(truncate)').get()?.['busy'] !== 0n
    } finally {
      this.#connection.exec(`pragma busy_timeout = ${this.#busyMsMax}`)
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close()
  }

  readonly #mustBeInTransaction = (): void => {
    assert(this.#connection.isTransaction, 'a statement ran outside its transaction')
  }

  readonly #willWrite = (): void => {
    this.#mustBeInTransaction()
    this.#writes++
  }
}

/** What does not begin with the word may write, or may not. */
function isRead(sql: string): boolean {
  return /^\s*select\s/i.test(sql)
}

export type ControlStatement =
  | 'begin'
  | 'begin immediate'
  | 'commit'
  | 'rollback'
  | 'savepoint request'
  | 'release request'
  | 'rollback to request'
  | 'savepoint hold'
  | 'release hold'
  | 'rollback to hold'

/** Whether a file that is not there may be made. Never after a failure: an empty database in place of a full one lies. */
export type Presence = 'may-be-new' | 'must-exist'

/**
 * Opens the database at a path (or {@link inMemory}), with its folder if it may be new, and brings the schema up to date.
 * @throws {SealwireError} `data_unusable`, `data_locked` (another program holds it), `storage_full`, `runtime_unsupported`.
 */
export function openDatabase(location: string, limits: StoreLimits, presence: Presence): Database {
  let connection: DatabaseSync | undefined
  try {
    if (location !== inMemory && isEmpty(location)) createFile(location, hadOne(location) ? 'must-exist' : presence)
    if (location !== inMemory) requireWholeLog(location)
    connection = new DatabaseSync(location, {
      readBigInts: true,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      allowUnknownNamedParameters: false,
      timeout: limits.storeBusyMsMax,
    })
    configure(connection, location)
    if (location !== inMemory && isOfBefore(connection)) requireRoomToMigrate(location)
    migrate(connection)
    return new Database(connection, limits.storeBusyMsMax)
  } catch (reason) {
    connection?.close()
    throw openingError(location, reason)
  }
}

/** A step may make the largest table anew: it is there twice then, and once more in the log, which could not be emptied without room. */
function requireRoomToMigrate(location: string): void {
  const needed = 3n * BigInt(statSync(location).size)
  if (bytesFree(dirname(location)) >= needed) return
  throw new SealwireError('storage_full', `there is no room to bring ${location} to this version`, {
    hint: `free ${needed / 1_000_000n + 1n} MB for as long as that takes; until then the version before can be started`,
  })
}

function configure(connection: DatabaseSync, location: string): void {
  requireVersion(String(connection.prepare('select sqlite_version() as version').get()?.['version']))
  const mode = connection.prepare('pragma journal_mode = wal').get()?.['journal_mode']
  assert(mode === (location === inMemory ? 'memory' : 'wal'), `the journal mode is ${String(mode)}`)
  // fullfsync: on macOS a plain fsync does not reach the disk. temp_store: no file is opened behind our back later.
  connection.exec('pragma synchronous = full; pragma fullfsync = on; pragma checkpoint_fullfsync = on')
  connection.exec('pragma temp_store = memory; pragma trusted_schema = off')
  // What "insert or replace" would delete is asked for by the triggers that refuse deletions.
  connection.exec('pragma recursive_triggers = on')
  // What is deleted is overwritten.
  connection.exec('pragma secure_delete = on')
}

/**
 * Refuses an SQLite that may corrupt a WAL database.
 * @throws {SealwireError} `runtime_unsupported` below 3.51.3.
 */
export function requireVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major * 1_000_000 + minor * 1_000 + patch >= 3_051_003) return
  throw new SealwireError('runtime_unsupported', `SQLite ${version} is too old, 3.51.3 is needed`, {
    hint: 'use the runtime that npm ci installs',
  })
}

/** There is no file, or nothing in it: SQLite writes its first page when it is opened. */
function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0
}

/** The ledger's public key is written when there is a database, and stays: an empty one beside it would be a lie. */
function hadOne(path: string): boolean {
  return existsSync(join(dirname(path), 'ledger.pub'))
}

/** Only its owner may read it: it holds password hashes. The files that SQLite makes beside it get the same mode. */
function createFile(path: string, presence: Presence): void {
  if (presence === 'must-exist') {
    const hint = 'restore it from a backup; for a new server take another folder'
    throw new SealwireError('data_unusable', `the database ${path} is gone`, { hint })
  }
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  synchronize(openSync(path, 'a', 0o600))
  // Without this a power cut may forget the file's name, and with it everything that was acknowledged.
  synchronize(openSync(folder, 'r'))
  synchronize(openSync(dirname(folder), 'r'))
}

function synchronize(descriptor: number): void {
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function openingError(location: string, cause: unknown): SealwireError {
  if (SealwireError.is(cause)) return cause
  if (failureOf(cause) === 'full') return new SealwireError('storage_full', `there is no room for ${location}`, { cause })
  if (failureOf(cause) === 'locked') {
    return new SealwireError('data_locked', `another program holds ${location}`, { cause, hint: 'end the other program' })
  }
  return new SealwireError('data_unusable', `the database ${location} cannot be opened`, {
    cause,
    hint: 'check the folder, its owner and the disk',
  })
}

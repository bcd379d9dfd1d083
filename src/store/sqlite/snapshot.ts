// One moment of a database that others go on writing to, as the bytes of its two files: what a backup is made of. Nothing is
// written for it but a copy of the log, and who writes waits only while the end of the log is looked for.
//
//   write lock ─▶ read transaction: from here on the moment stays ─▶ end of the log ─▶ lock released ─▶ log copied and checked
//                 └ the log is not begun anew, and the database file gets no page that is not in the log up to there ┘
//
// So the database file, whatever is brought into it while it is read, together with the log up to that end is the moment. There is
// one exception: a reader that found everything in the database file already does not keep the log from being begun anew. Then its
// header changes, nothing of it was needed, and it is left out. (https://sqlite.org/walformat.html#locks)

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { assert, SealwireError } from '../../protocol/errors.ts'
import type { StoreLimits } from '../store.ts'
import { databaseLocation } from './database.ts'
import { failureOf } from './failure.ts'
import { committedBytes, damagedLog } from './log-damage.ts'
import { logEnd } from './log-end.ts'
import { type RowCounts, rowCounts } from './row-counts.ts'
import { blob, integer } from './statement.ts'

/** A file of the moment, open for reading. */
export interface SnapshotPart {
  readonly descriptor: number
  readonly bytes: number
}

/** A file of a conversation that is whole. */
export interface SnapshotFile {
  readonly id: Uint8Array
  readonly size: number
  /** 32 bytes. */
  readonly sha256: Uint8Array
}

/** How much there is. */
export interface SnapshotCount {
  readonly accounts: number
  /** Of conversations. */
  readonly entries: number
  /** Of the ledger. */
  readonly postings: number
  /** Those that are whole. */
  readonly files: number
}

/** The moment. It stays until it is released or disposed, and as long the log grows. */
export class Snapshot implements Disposable {
  readonly database: SnapshotPart
  /** Empty where everything is in the database. */
  readonly log: SnapshotPart
  readonly #reader: DatabaseSync
  readonly #held: DisposableStack

  /** @internal Made by {@link takeSnapshot}. */
  constructor(parts: { readonly database: SnapshotPart; readonly log: SnapshotPart }, reader: DatabaseSync, held: DisposableStack) {
    this.database = parts.database
    this.log = parts.log
    this.#reader = reader
    this.#held = held
  }

  count(): SnapshotCount {
    const row = this.#reader
      .prepare(
        `select (select count(*) from account) as accounts, (select count(*) from entry) as entries,
           (select count(*) from posting) as postings, count(*) as files from file where whole = 1`,
      )
      .get()
    assert(row !== undefined, 'a count without a row')
    const of = (name: keyof SnapshotCount): number => Number(row[name])
    return { accounts: of('accounts'), entries: of('entries'), postings: of('postings'), files: of('files') }
  }

  rows(): RowCounts {
    return rowCounts(this.#reader)
  }

  /** What no server leaves in its database, in words; undefined when there is nothing of it. */
  fault(): string | undefined {
    const has = (sql: string): boolean => this.#reader.prepare(sql).get() !== undefined
    if (!has("select 1 from server where name = 'id'")) return 'it has no id of its server'
    return has(overfullInbox) ? 'an inbox has entries behind its end' : undefined
  }

  /** Files that are whole, by id. */
  *files(): Generator<SnapshotFile, void, undefined> {
    for (const row of this.#reader.prepare('select id, size, sha256 from file where whole = 1 order by id').iterate()) {
      yield { id: blob(row, 'id'), size: Number(integer(row, 'size')), sha256: blob(row, 'sha256') }
    }
  }

  /** Ends the moment where the database is read: the log does not grow for it any more. Its copy can still be read, and nothing else. */
  release(): void {
    this.#reader.exec('rollback')
  }

  [Symbol.dispose](): void {
    this.#held.dispose()
  }
}

/**
 * Holds the moment that the database of a data folder is in now.
 * @throws {SealwireError} `data_locked` when somebody else writes for longer than `storeBusyMsMax`; `storage_full`; `data_unusable`, also
 * when what was committed cannot be read from the log any more.
 */
export function takeSnapshot(folder: string, { storeBusyMsMax }: Pick<StoreLimits, 'storeBusyMsMax'>): Snapshot {
  const path = databaseLocation(folder)
  using held = new DisposableStack()
  try {
    // Closed after the connections: to close a file gives up the locks that connections of this process have on it.
    const database = held.adopt(openSync(path, 'r'), closeSync)
    const reader = new DatabaseSync(path, { timeout: storeBusyMsMax, readBigInts: true })
    const log = held.adopt(holdMoment(path, reader, { timeout: storeBusyMsMax, held }), ({ descriptor }) => closeSync(descriptor))
    held.adopt(reader, (each) => each.close())
    const parts = { database: partOf(database), log: partOf(held.adopt(copyLog(folder, log), closeSync)) }
    return new Snapshot(parts, reader, held.move())
  } catch (cause) {
    throw refusal(path, cause)
  }
}

/** The log as far as it belongs to the moment. */
interface HeldLog extends SnapshotPart {
  readonly header: Uint8Array
}

interface Holding {
  readonly timeout: number
  /** What is closed after the reader. */
  readonly held: DisposableStack
}

/** Begins the read transaction, and finds where the log ends in it. Gives the reader back, closed, when it cannot. */
function holdMoment(path: string, reader: DatabaseSync, { timeout, held }: Holding): HeldLog {
  const writer = new DatabaseSync(path, { timeout })
  try {
    writer.exec('begin immediate')
    reader.exec('begin')
    reader.prepare('select count(*) from sqlite_schema').get()
    // Not earlier: until somebody reads, a server that starts may put another file in its place.
    const end = logEnd(held.adopt(openSync(`${path}-shm`, 'r'), closeSync))
    const descriptor = openSync(`${path}-wal`, 'r')
    return { descriptor, header: headerOf(descriptor), bytes: end }
  } catch (reason) {
    reader.close()
    throw reason
  } finally {
    writer.close()
  }
}

/** The log up to its end, in a file of its own that has no name any more. It is read as a restored server will read it. */
function copyLog(folder: string, { descriptor, header, bytes }: HeldLog): number {
  const path = join(folder, `.sealwire.db-wal.${randomBytes(8).toString('hex')}.tmp`)
  const copy = openSync(path, 'wx+', 0o600)
  try {
    rmSync(path, { force: true })
    const length = copyBytes(descriptor, copy, bytes)
    // Begun anew meanwhile: everything that was in it is in the database file.
    if (length < bytes || Buffer.compare(headerOf(descriptor), header) !== 0) ftruncateSync(copy)
    else if (committedBytes(copy) !== bytes) throw damagedLog(databaseLocation(folder), damagedHint)
    return copy
  } catch (reason) {
    closeSync(copy)
    throw reason
  }
}

/** How many there were. */
function copyBytes(source: number, target: number, length: number): number {
  const piece = new Uint8Array(pieceBytes)
  let at = 0
  for (let read = -1; read !== 0 && at < length; at += read) {
    read = readSync(source, piece, 0, Math.min(piece.length, length - at), at)
    for (let written = 0; written < read; ) written += writeSync(target, piece, written, read - written, at + written)
  }
  return at
}

function headerOf(log: number): Uint8Array {
  const header = new Uint8Array(32)
  return header.subarray(0, readSync(log, header, 0, header.length, 0))
}

function partOf(descriptor: number): SnapshotPart {
  return { descriptor, bytes: fstatSync(descriptor).size }
}

function refusal(path: string, cause: unknown): SealwireError {
  if (SealwireError.is(cause)) return cause
  const failure = failureOf(cause)
  if (failure === 'locked') return new SealwireError('data_locked', `another program holds ${path}`, { cause, hint: 'try again' })
  if (failure === 'full' || isNoSpace(cause)) return new SealwireError('storage_full', `there is no room beside ${path}`, { cause })
  return new SealwireError('data_unusable', `the database ${path} cannot be read`, {
    cause,
    hint: 'check the folder, its owner and the disk',
  })
}

function isNoSpace(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
}

const damagedHint = 'check the disk, and keep the earlier backups: no server starts on this log any more'
const pieceBytes = 1 << 20
const overfullInbox = `select 1 from (select account_id, max(seq) as seq from inbox_entry group by account_id)
  left join inbox using (account_id) where last_seq is null or last_seq < seq limit 1`

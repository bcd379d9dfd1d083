// A backup, from the moment that it is of to the last byte. The server goes on: its database is read in a transaction of our own, and
// what it deletes meanwhile it leaves on the disk until we have read it.
//
//   hold the files ─▶ the moment of the database ─▶ small files ─▶ archive: what follows, small files, database, files ─▶ release
//                                                                    └ encrypted and written as it is read ┘
//
// The moment of the database is held until the database is read, and not while the files are.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, unusable } from '../../pki/durable-file.ts'
import { findLedgerKey } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { resolveLimits } from '../../protocol/limits.ts'
import { fileKey } from '../../server/files/folder.ts'
import { type Snapshot, type SnapshotCount, type SnapshotFile, type SnapshotPart, takeSnapshot } from '../../store/index.ts'
import { checkOwner } from '../operator/data-folder.ts'
import { OperatorClient } from '../operator/client.ts'
import { type ArchiveEntry, archiveBytes, encrypt, packArchive } from './archive.ts'
import { FileList } from './file-list.ts'
import { databaseName, filesName, logName, type Manifest, manifestName, missingNames } from './archive-names.ts'
import type { BackupTarget } from './backup-target.ts'
import { ServerHold } from './server-hold.ts'
import { readSmallFiles, type SmallFiles } from './small-files.ts'

/** What a backup works with. */
export interface BackUpParts {
  /** The data folder. */
  readonly folder: string
  readonly passphrase: string
  readonly target: BackupTarget
  readonly version: string
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told how many bytes were read, of how many. */
  readonly progress: (done: number, size: number) => void
}

/** What became of it. */
export interface BackedUp {
  readonly manifest: Manifest
  /** Files that the database names and that are not in it as they should be, by their ids in hexadecimal digits. */
  readonly damaged: readonly string[]
}

/**
 * Backs up a data folder. When it resolves everything is written, but not committed.
 * @throws {SealwireError} what the operator's client, the snapshot, {@link findLedgerKey} and the target throw; `data_unusable` when a key is
 * missing, or a file went away or cannot be read; the reason of the signal when that is aborted.
 */
export async function backUp(parts: BackUpParts): Promise<BackedUp> {
  const { folder, clock, target } = parts
  checkOwner(folder)
  using operator = new OperatorClient(folder, { clock })
  await using _hold = await ServerHold.begin(operator, clock)
  // Taken before the moment: what came after it is not in the backup, though a little of that may be.
  const at = new Date(clock.now()).toISOString()
  using snapshot = takeSnapshot(folder, resolveLimits())
  const small = readSmallFiles(folder)
  const source = new Source(parts, snapshot, { at, small })
  const missing = missingNames((name) => small.has(name), source.manifest)
  if (missing.length > 0) throw unrestorable(folder, missing)
  // A server runs on with a key that has gone bad beneath it; what is made of a backup would not start.
  findLedgerKey(folder)
  const archive = packArchive(source.entries(), clock.now())
  for await (const piece of await encrypt(archive, parts.passphrase)) await target.write(piece)
  return { manifest: source.manifest, damaged: source.damaged }
}

/** What is read, in the order of the archive. */
class Source {
  readonly manifest: Manifest
  readonly #parts: BackUpParts
  readonly #snapshot: Snapshot
  readonly #small: SmallFiles
  readonly #files: FileList
  /** Missing from the beginning, or shorter or longer than they were: left out. */
  readonly #missing = new Set<string>()
  readonly #changed: string[] = []
  #done = 0

  constructor(parts: BackUpParts, snapshot: Snapshot, { at, small }: { readonly at: string; readonly small: SmallFiles }) {
    this.#parts = parts
    this.#snapshot = snapshot
    this.#small = small
    const counts = snapshot.count()
    this.#files = new FileList(snapshot.files(), counts.files)
    this.manifest = this.#describe(at, counts)
  }

  get damaged(): readonly string[] {
    return [...this.#missing, ...this.#changed]
  }

  async *entries(): AsyncGenerator<ArchiveEntry, void, undefined> {
    const { database, log } = this.#snapshot
    yield smallEntry(manifestName, Buffer.from(JSON.stringify(this.manifest).padEnd(manifestBytes)))
    for (const [name, bytes] of this.#small) yield smallEntry(name, bytes)
    yield { name: databaseName, size: database.bytes, body: this.#read(database) }
    // It has been read: the log is a copy.
    this.#snapshot.release()
    yield { name: logName, size: log.bytes, body: this.#read(log) }
    for (const file of this.#files) {
      const key = fileKey(file.id)
      if (!this.#missing.has(key)) yield { name: `${filesName}/${key}`, size: file.size, body: this.#content(key, file) }
    }
  }

  #describe(at: string, { accounts, entries, postings }: SnapshotCount): Manifest {
    const { version } = this.#parts
    const { database, log } = this.#snapshot
    const sizes = this.#sizesOfFiles()
    const smallSizes = [...this.#small.values()].map(({ length }) => length)
    return {
      ...{ format: 1, version, at, database: database.bytes + log.bytes, accounts, entries, postings },
      rows: this.#snapshot.rows(),
      ...{ files: sizes.length, fileBytes: sizes.reduce((sum, size) => sum + size, 0) },
      small: [...this.#small.keys()],
      archive: archiveBytes([manifestBytes, ...smallSizes, database.bytes, log.bytes, ...sizes]),
    }
  }

  #sizesOfFiles(): readonly number[] {
    const sizes: number[] = []
    for (const { id, size } of this.#files) {
      const key = fileKey(id)
      if (this.#sizeOf(key) === size) sizes.push(size)
      else this.#missing.add(key)
    }
    return sizes
  }

  #sizeOf(key: string): number | undefined {
    const descriptor = this.#open(key)
    if (descriptor === undefined) return undefined
    try {
      return fstatSync(descriptor).size
    } finally {
      closeSync(descriptor)
    }
  }

  *#content(key: string, { size, sha256 }: SnapshotFile): Generator<Uint8Array, void, undefined> {
    const descriptor = this.#open(key)
    if (descriptor === undefined) {
      throw new SealwireError('data_unusable', `the file ${key} went away while it was backed up`, { hint: 'try again' })
    }
    try {
      const hash = createHash('sha256')
      for (const piece of this.#read({ descriptor, bytes: size })) {
        hash.update(piece)
        yield piece
      }
      if (Buffer.compare(hash.digest(), sha256) !== 0) this.#changed.push(key)
    } finally {
      closeSync(descriptor)
    }
  }

  *#read({ descriptor, bytes }: SnapshotPart): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes; ) {
      this.#parts.signal.throwIfAborted()
      const piece = new Uint8Array(Math.min(pieceBytes, bytes - at))
      const length = readSync(descriptor, piece, 0, piece.length, at)
      if (length === 0) throw new SealwireError('data_unusable', 'a file became shorter while it was backed up', { hint: 'try again' })
      at += length
      this.#done += length
      this.#parts.progress(this.#done, this.manifest.database + this.manifest.fileBytes)
      yield piece.subarray(0, length)
    }
  }

  #open(key: string): number | undefined {
    const path = join(this.#parts.folder, filesName, key)
    try {
      return openSync(path, 'r')
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return undefined
      throw unusable(`cannot read ${path}`, cause)
    }
  }
}

/** The refusal of a backup of which no server could be made. */
function unrestorable(folder: string, missing: readonly string[]): SealwireError {
  return new SealwireError('data_unusable', `what a server needs is missing in the data folder ${folder}: ${missing.join(', ')}`, {
    hint: missing.some((name) => name.endsWith('.key'))
      ? 'put it there from an earlier backup, before the server is started again'
      : 'start the server again: it makes that of its keys',
  })
}

function smallEntry(name: string, bytes: Uint8Array): ArchiveEntry {
  return { name, size: bytes.length, body: [bytes] }
}

/** What is behind the JSON is blank: how long the archive is stands in it, and must not change how long it is. */
const manifestBytes = 4_096
const pieceBytes = 256 * 1024

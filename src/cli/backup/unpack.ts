// A backup into an empty folder. Nothing in it is believed that could be dangerous: names are those that a data folder has, each comes
// once, everything is a plain file, and there is no more of it than the backup said at its beginning and the disk has room for.

import { createHash } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { damagedOr, decrypt, type Decrypted, type ReadEntry, readArchive, readSmall } from './archive.ts'
import {
  databaseName,
  filesName,
  isContentName,
  logName,
  type Manifest,
  manifestName,
  modeOf,
  notOurs,
  parseManifest,
  smallBytesMax,
} from './archive-names.ts'
import type { BackupSource } from './backup-source.ts'

/** What unpacking works with. */
export interface UnpackParts {
  readonly source: BackupSource
  readonly passphrase: string
  /** It is there, and nothing is in it that a backup has. */
  readonly folder: string
  readonly signal: AbortSignal
  /** Told how many bytes of the archive were read, of how many. */
  readonly progress: (done: number, size: number) => void
}

/** What came out of it. */
export interface Unpacked {
  readonly manifest: Manifest
  /** SHA-256 of the content of files, by their names in the folder of files. */
  readonly contents: ReadonlyMap<string, { readonly size: number; readonly sha256: Uint8Array }>
}

/**
 * Unpacks all of it; everything is on the disk when it resolves.
 * @throws {SealwireError} `backup_invalid` for another passphrase, what is damaged, cut short or none of ours; `storage_full`,
 * `data_unusable`; the reason of the signal when that is aborted.
 */
export async function unpack(parts: UnpackParts): Promise<Unpacked> {
  return unpackArchive(parts, await decrypt(parts.source.stream(parts.signal), parts.passphrase))
}

/** The same of what is decrypted. */
export async function unpackArchive(parts: Omit<UnpackParts, 'passphrase'>, { archive, bytesIn }: Decrypted): Promise<Unpacked> {
  const unpacking = new Unpacking(parts, bytesIn)
  for await (const entry of readArchive(archive)) await unpacking.take(entry)
  return unpacking.end()
}

class Unpacking {
  readonly #parts: Omit<UnpackParts, 'passphrase'>
  readonly #bytesIn: (fileBytes: number) => number | undefined
  readonly #names = new Set<string>()
  readonly #contents = new Map<string, { readonly size: number; readonly sha256: Uint8Array }>()
  #manifest: Manifest | undefined
  #databaseBytes = 0
  #contentBytes = 0
  #done = 0

  constructor(parts: Omit<UnpackParts, 'passphrase'>, bytesIn: (fileBytes: number) => number | undefined) {
    this.#parts = parts
    this.#bytesIn = bytesIn
  }

  async take(entry: ReadEntry): Promise<void> {
    if (this.#manifest === undefined) return this.#begin(entry)
    const { name, size, isFile } = entry
    if (!isFile || this.#names.has(name)) throw notOurs()
    this.#names.add(name)
    if (isContentName(name)) return this.#takeContent(entry, this.#manifest)
    if (name === databaseName || name === logName) {
      this.#databaseBytes += size
      if (this.#databaseBytes > this.#manifest.database) throw notOurs()
      await this.#write(entry)
      return
    }
    if (!this.#manifest.small.includes(name) || size > smallBytesMax) throw notOurs()
    await this.#write(entry)
  }

  end(): Unpacked {
    const { folder } = this.#parts
    const manifest = this.#manifest
    if (manifest === undefined) throw notOurs()
    const isWhole =
      [...manifest.small, databaseName, logName].every((name) => this.#names.has(name)) &&
      this.#databaseBytes === manifest.database &&
      this.#contents.size === manifest.files &&
      this.#contentBytes === manifest.fileBytes
    if (!isWhole) throw notOurs()
    syncFolder(join(folder, filesName))
    syncFolder(folder)
    return { manifest, contents: this.#contents }
  }

  /** What the backup is, before anything of it is written. */
  async #begin(entry: ReadEntry): Promise<void> {
    if (entry.name !== manifestName || !entry.isFile) throw notOurs()
    const manifest = parseManifest(Buffer.from(await readSmall(entry, smallBytesMax)).toString('utf8'))
    const { source, folder } = this.#parts
    const bytes = source.bytes === undefined ? manifest.archive : this.#bytesIn(source.bytes)
    if (bytes === undefined || bytes < manifest.archive) throw cutShort()
    if (bytes > manifest.archive)
      throw new SealwireError('backup_invalid', 'something was appended to the backup', { hint: 'take another copy of it' })
    await makeFilesFolder(folder)
    requireRoom(folder, manifest)
    this.#manifest = manifest
  }

  async #takeContent(entry: ReadEntry, manifest: Manifest): Promise<void> {
    this.#contentBytes += entry.size
    if (this.#contents.size >= manifest.files || this.#contentBytes > manifest.fileBytes) throw notOurs()
    const sha256 = await this.#write(entry)
    this.#contents.set(entry.name.slice(filesName.length + 1), { size: entry.size, sha256 })
  }

  /** Resolves with its SHA-256. */
  async #write({ name, body }: ReadEntry): Promise<Uint8Array> {
    const path = join(this.#parts.folder, name)
    const hash = createHash('sha256')
    const handle = await opened(path, modeOf(name))
    try {
      for await (const piece of body) {
        this.#parts.signal.throwIfAborted()
        hash.update(piece)
        await written(path, handle, piece)
        this.#done += piece.length
        this.#parts.progress(this.#done, this.#manifest?.archive ?? this.#done)
      }
      await synced(path, handle)
    } catch (reason) {
      throw damagedOr(reason)
    } finally {
      await handle.close()
    }
    return hash.digest()
  }
}

async function makeFilesFolder(folder: string): Promise<void> {
  const path = join(folder, filesName)
  await mkdir(path, { mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(`cannot make the folder ${path}`, cause)
  })
}

function requireRoom(folder: string, { archive }: Manifest): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= archive) return
  throw new SealwireError('storage_full', `there are ${bavail * bsize} bytes free in ${folder}, and it takes ${archive}`, {
    hint: 'free some space, or choose another folder',
  })
}

function opened(path: string, mode: number): Promise<FileHandle> {
  return open(path, 'wx', mode).catch((cause: unknown) => {
    throw unusable(`cannot write ${path}`, cause)
  })
}

async function written(path: string, handle: FileHandle, piece: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten
  } catch (cause) {
    throw unusable(`cannot write ${path}`, cause)
  }
}

async function synced(path: string, handle: FileHandle): Promise<void> {
  await handle.sync().catch((cause: unknown) => {
    throw unusable(`cannot write ${path}`, cause)
  })
}

function cutShort(): SealwireError {
  return new SealwireError('backup_invalid', 'the backup is cut short: its end is missing', { hint: 'take another copy of it' })
}

// Files of conversations: what is known of them is in the store, their content in a folder (files/folder.ts). How much of an
// upload is there is what the disk says, so that after a crash of either side it goes on where it stopped; whether the whole is
// sound says its SHA-256. The store is always first: a row is made before its file, and gone before its file is removed. What
// a crash leaves between the two is nobody's, and removed at the next start.
//
//   file.begin ──▶ announced ──file.put …──▶ file.end ──wrong hash──▶ announced, at 0
//                     │                          └──▶ whole ──message.send──▶ sent ──its message is deleted──▶ gone
//                     └──file.abandon, fileUnsentMs──▶ gone ◀──────┘ (until it is sent)

import type { Clock, Timer } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { Act, Input, Store, StoredFile } from '../store/index.ts'
import { FileContent } from './files/content.ts'
import { diskFailure, type FileFolder, fileKey } from './files/folder.ts'
import { FileHolds } from './files/holds.ts'
import type { Log } from './log.ts'
import { OpenFiles } from './files/open-files.ts'
import { Turns } from './turns.ts'

/** What files work with; whoever made the parts closes them. */
export interface FilesParts {
  /** Without it there are no files: everything is `unavailable`. */
  readonly folder: FileFolder | undefined
  readonly store: Pick<Store, 'run'>
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'diskBytesFreeMin' | 'fileBufferBytes' | 'fileOpenMax' | 'fileUnsentMs' | 'retentionSweepMs'>
}

/** A file that is announced. */
export type Announced = Omit<Input<'file.begin'>, keyof Act>

/** What an account was allowed to do with a file. */
interface Grant {
  readonly file: StoredFile
  /** On the monotonic clock. */
  readonly until: number
}

export class Files {
  readonly #parts: FilesParts
  readonly #open: OpenFiles
  readonly #hashing: Turns
  readonly #holds: FileHolds
  readonly #ended = new AbortController()
  /** Of each file the last of those who change it, one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()
  /** By account and file; those that were asked for longest ago come first. */
  readonly #grants = new Map<string, Grant>()
  #sweeping: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(parts: FilesParts) {
    const { fileOpenMax } = parts.limits
    this.#parts = parts
    this.#open = new OpenFiles(fileOpenMax)
    this.#hashing = new Turns({ width: hashingMax, waitingMax: fileOpenMax })
    this.#holds = new FileHolds({ clock: parts.clock, released: () => void this.#removeHeld() })
  }

  /** Removes what is nobody's, and from then on what nobody sent. */
  start(): void {
    if (this.#parts.folder === undefined) return
    this.#sweep(() => this.#removeOrphans())
    this.#timer = this.#parts.clock.every(this.#parts.limits.retentionSweepMs, () => this.#sweep(() => this.expire()))
  }

  /** From now on, and for a while, content stays that nothing names any more. @throws {SealwireError} as {@link FileHolds.hold}. */
  hold(job: Uint8Array): void {
    this.#holds.hold(job)
    this.#parts.log.debug('files held for a backup')
  }

  /** It need not stay for this job any more: what is nobody's is removed when no other one holds it. */
  release(job: Uint8Array): void {
    this.#holds.release(job)
  }

  /** Everything that was taken is on the disk when it resolves. Wants the sessions to have ended. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#holds.close()
    this.#ended.abort()
    await this.#sweeping
    while (this.#turns.size > 0) await Promise.all(this.#turns.values())
    await this.#open.close()
  }

  /**
   * Announces a file of `accountId`, or finds one that was announced; answers how much of it is there.
   * @throws {SealwireError} `storage_full`, `unavailable`; `busy` while a backup reads what another file of this id has left; those of
   * `file.begin` of the store.
   */
  begin(accountId: bigint, announced: Announced, device?: string): Promise<number> {
    const { id } = announced
    return this.#inTurn(id, async (key) => {
      const { store, clock } = this.#parts
      await this.#requireRoom(Number(announced.size) - (await this.#folder.bytesOf(key)))
      const known = await store.run('file.find', { accountId, id })
      if (known === undefined) await this.#requireFree(key)
      const file = await store.run('file.begin', { ...announced, accountId, device, at: BigInt(clock.now()) })
      if (file.whole) return Number(file.size)
      // What a file of the same id has left that is gone since is none of theirs.
      if (known === undefined) this.#open.drop(key)
      return this.#upload(file, async (content) => {
        if (known === undefined || content.size > file.size) await content.restart()
        return content.size
      })
    })
  }

  /**
   * Takes the next bytes of a file and answers how much there is. `data` must not be changed.
   * @throws {SealwireError} `not_found`; `conflict` when they do not belong there or it is whole; `file_invalid` when it would be
   * longer than was announced; `storage_full`, `unavailable`, `busy`; those of the store.
   */
  put(accountId: bigint, id: Uint8Array, offset: number, data: Uint8Array): Promise<number> {
    return this.#inTurn(id, async () => {
      const file = await this.#own(accountId, id)
      if (file.whole) throw new SealwireError('conflict', 'the file is whole already')
      return this.#upload(file, async (content) => {
        if (offset !== content.size) throw new SealwireError('conflict', `the next bytes belong at ${content.size}`)
        if (BigInt(offset + data.length) > file.size) throw new SealwireError('file_invalid', 'the file is longer than was announced')
        await content.append(data)
        return content.size
      })
    })
  }

  /**
   * The file is whole and durable when it resolves.
   * @throws {SealwireError} `not_found`; `file_invalid` when bytes are missing, and when they are not those that were announced:
   * then it begins at 0 again; `storage_full`, `unavailable`, `busy`; those of the store.
   */
  end(accountId: bigint, id: Uint8Array): Promise<void> {
    return this.#inTurn(id, async (key) => {
      const file = await this.#own(accountId, id)
      if (file.whole) return
      await this.#upload(file, (content) => sound(content, file))
      await this.#folder.sync()
      this.#grants.delete(grantKey(accountId, key))
      await this.#parts.store.run('file.whole', { accountId, id })
    })
  }

  /** @throws {SealwireError} `not_found` when there is no such file, or a message has it; those of the store. */
  async abandon(accountId: bigint, id: Uint8Array): Promise<void> {
    if (!(await this.#parts.store.run('file.abandon', { accountId, id }))) throw noFile()
    await this.remove([id])
  }

  /** @throws {SealwireError} `not_found`; those of the store. */
  find(accountId: bigint, id: Uint8Array): Promise<StoredFile> {
    return this.#ask(accountId, id)
  }

  /**
   * At most `length` bytes of a file, fewer only at its end. Who may not see it any more is told so within a second.
   * @throws {SealwireError} `not_found`; `file_invalid` for an own one that is not whole yet; `gone` when its content is lost;
   * `unavailable`, `busy`; those of the store.
   */
  async read(accountId: bigint, id: Uint8Array, offset: number, length: number): Promise<Uint8Array> {
    const file = await this.#granted(accountId, id)
    if (!file.whole) throw new SealwireError('file_invalid', 'the file is not whole yet')
    const key = fileKey(id)
    const opened = async (): Promise<FileContent> => this.#content(await this.#folder.openForReading(key))
    return this.#open.use(key, opened, (content) => content.read(offset, length))
  }

  /** Removes the content of files that the store has forgotten, or leaves it to {@link release}. Never rejects: what stays is removed at the next start. */
  async remove(ids: readonly Uint8Array[]): Promise<void> {
    if (this.#parts.folder === undefined) return
    for (const id of ids) {
      try {
        await this.#inTurn(id, (key) => this.#removeUnknown(id, key))
      } catch (reason) {
        this.#parts.log.warning('file not removed', { why: SealwireError.from(reason).code })
      }
    }
  }

  /** Removes files that were announced longer ago than `fileUnsentMs` and never sent. @throws {SealwireError} those of the store. */
  async expire(): Promise<void> {
    const { store, clock, limits } = this.#parts
    for (;;) {
      const ids = await store.run('file.expire', { before: BigInt(clock.now() - limits.fileUnsentMs), max: BigInt(pageMax) })
      if (ids.length === 0) return
      await this.remove(ids)
    }
  }

  /** What a backup reads is not written over. */
  async #requireFree(key: string): Promise<void> {
    if (!this.#holds.any || (await this.#folder.bytesOf(key)) === 0) return
    throw new SealwireError('busy', 'a file with this id was deleted, and a backup still reads it: try again later')
  }

  get #folder(): FileFolder {
    const { folder } = this.#parts
    if (folder === undefined) throw new SealwireError('unavailable', 'this server keeps no files')
    return folder
  }

  #upload<T>(file: StoredFile, action: (content: FileContent) => Promise<T>): Promise<T> {
    const key = fileKey(file.id)
    return this.#open.use(key, async () => this.#content(await this.#folder.openForUpload(key)), action)
  }

  #content(handle: Parameters<typeof FileContent.open>[0]): Promise<FileContent> {
    const { limits } = this.#parts
    const { signal: ended } = this.#ended
    return FileContent.open(handle, { limits, hashing: this.#hashing, ended, requireRoom: () => this.#requireRoom(0) })
  }

  /** @throws {SealwireError} `storage_full` when the disk has no room for so many bytes more. */
  async #requireRoom(bytes: number): Promise<void> {
    const free = await this.#folder.bytesFree()
    if (free - Math.max(0, bytes) >= this.#parts.limits.diskBytesFreeMin) return
    throw new SealwireError('storage_full', 'the server has no room for the file')
  }

  async #own(accountId: bigint, id: Uint8Array): Promise<StoredFile> {
    const file = await this.#granted(accountId, id)
    if (file.ownerId !== accountId) throw noFile()
    return file
  }

  /** Asks the store at most once in `grantMs`, and not for every chunk. */
  async #granted(accountId: bigint, id: Uint8Array): Promise<StoredFile> {
    const key = grantKey(accountId, fileKey(id))
    const known = this.#grants.get(key)
    if (known !== undefined && known.until > this.#parts.clock.monotonic()) return known.file
    this.#grants.delete(key)
    const file = await this.#ask(accountId, id)
    for (const oldest of this.#grants.keys()) {
      if (this.#grants.size < grantsMax) break
      this.#grants.delete(oldest)
    }
    this.#grants.set(key, { file, until: this.#parts.clock.monotonic() + grantMs })
    return file
  }

  async #ask(accountId: bigint, id: Uint8Array): Promise<StoredFile> {
    const file = await this.#parts.store.run('file.find', { accountId, id })
    if (file === undefined) throw noFile()
    return file
  }

  /** Runs `action` when those who came before have done with this file. */
  #inTurn<T>(id: Uint8Array, action: (key: string) => Promise<T>): Promise<T> {
    const key = fileKey(id)
    const before = this.#turns.get(key)
    const done = before === undefined ? action(key) : before.then(() => action(key))
    const settled = done.then(ignore, ignore).then(() => {
      if (this.#turns.get(key) === settled) this.#turns.delete(key)
    })
    this.#turns.set(key, settled)
    return done
  }

  /** Somebody may have announced another under the same id since. */
  async #removeUnknown(id: Uint8Array, key: string): Promise<void> {
    const known = await this.#parts.store.run('file.known', { ids: [id] })
    if (known.length > 0 || this.#holds.any) return
    for (const each of [...this.#grants.keys()]) if (each.endsWith(key)) this.#grants.delete(each)
    this.#open.drop(key)
    await this.#folder.remove(key)
  }

  /** What was deleted while somebody held it. */
  async #removeHeld(): Promise<void> {
    await this.#sweeping
    this.#sweep(() => this.#removeOrphans())
  }

  /** What is in the folder and not in the store. */
  async #removeOrphans(): Promise<void> {
    for await (const keys of this.#folder.keys(pageMax)) {
      if (this.#holds.any) return
      const ids = keys.map((key) => new Uint8Array(Buffer.from(key, 'hex')))
      const known = new Set((await this.#parts.store.run('file.known', { ids })).map(fileKey))
      const orphans = ids.filter((id) => !known.has(fileKey(id)))
      await this.remove(orphans)
      if (orphans.length > 0) this.#parts.log.info('files of nobody removed', { count: orphans.length })
    }
  }

  /** One at a time; what fails is tried again with the next. */
  #sweep(action: () => Promise<void>): void {
    this.#sweeping ??= action()
      .catch((reason: unknown) => this.#parts.log.warning('files not swept', { why: diskFailure(reason).code }))
      .then(() => void (this.#sweeping = undefined))
  }
}

/** @throws {SealwireError} `file_invalid` when it is not what was announced: then all of it is forgotten. */
async function sound(content: FileContent, { size, sha256 }: StoredFile): Promise<void> {
  if (BigInt(content.size) !== size) throw new SealwireError('file_invalid', `there are ${content.size} of ${size} bytes`)
  if (Buffer.compare(await content.finish(), sha256) === 0) return
  await content.restart()
  throw new SealwireError('file_invalid', 'the content has another SHA-256 than was announced; begin again at 0')
}

function grantKey(accountId: bigint, key: string): string {
  return `${accountId} ${key}`
}

function noFile(): SealwireError {
  return new SealwireError('not_found', 'there is no such file')
}

function ignore(): void {}

/** How many files are read back and hashed at once. */
const hashingMax = limitTable.fileHashingMax.value
/** How long an answer of the store is good for further chunks. */
const grantMs = limitTable.fileGrantMs.value
const grantsMax = limitTable.fileGrantsMax.value
/** How many ids the store is asked about at once. */
const pageMax = limitTable.fileSweepMax.value

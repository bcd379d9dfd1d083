// The folder with the content of files, one plain file each, named by the hexadecimal form of its id. What is known of them
// is in the store; a name says nothing of whose it is or what it is called.

import type { Stats } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { SealwireError } from '../../protocol/index.ts'

/** The hexadecimal form of the id of a file. */
export function fileKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex')
}

/** What a failure of the disk is called: `storage_full`, else `unavailable`. */
export function diskFailure(reason: unknown): SealwireError {
  if (SealwireError.is(reason)) return reason
  const code = errno(reason)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SealwireError('storage_full', 'the server has no room on its disk', { cause: reason })
  return new SealwireError('unavailable', 'the server cannot use its files now', { cause: reason })
}

export class FileFolder {
  readonly #folder: string
  #made: Promise<unknown> | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** For reading and writing; it is made when it is not there. @throws {SealwireError} {@link diskFailure}. */
  async openForUpload(key: string): Promise<FileHandle> {
    await this.#make()
    try {
      return await this.#open(key, 'r+')
    } catch (reason) {
      if (errno(reason) !== 'ENOENT') throw diskFailure(reason)
      return await this.#open(key, 'wx+').catch(thrown)
    }
  }

  /** For reading. @throws {SealwireError} `gone` when it is not there; {@link diskFailure}. */
  openForReading(key: string): Promise<FileHandle> {
    return this.#open(key, 'r').catch((reason: unknown) => {
      if (errno(reason) === 'ENOENT') throw new SealwireError('gone', 'the content of the file is lost', { cause: reason })
      throw diskFailure(reason)
    })
  }

  /** How many bytes there are of one; 0 when there is none. @throws {SealwireError} {@link diskFailure}. */
  async bytesOf(key: string): Promise<number> {
    return (await this.#stat(key))?.size ?? 0
  }

  /** Free bytes of the disk. @throws {SealwireError} {@link diskFailure}. */
  async bytesFree(): Promise<number> {
    await this.#make()
    const { bavail, bsize } = await statfs(this.#folder).catch(thrown)
    return bavail * bsize
  }

  /** Removes one, if it is there. @throws {SealwireError} {@link diskFailure}. */
  async remove(key: string): Promise<void> {
    await rm(join(this.#folder, key), { force: true }).catch(thrown)
  }

  /** The names of files are durable when it resolves. @throws {SealwireError} {@link diskFailure}. */
  async sync(): Promise<void> {
    const handle = await open(this.#folder, 'r').catch(thrown)
    try {
      await handle.sync()
    } catch (reason) {
      throw diskFailure(reason)
    } finally {
      await handle.close()
    }
  }

  /** What is there, in lists of at most `max`. @throws {SealwireError} {@link diskFailure}. */
  async *keys(max: number): AsyncIterable<readonly string[]> {
    await this.#make()
    let keys: string[] = []
    for await (const { name } of await opendir(this.#folder).catch(thrown)) {
      if (!keyPattern.test(name)) continue
      keys.push(name)
      if (keys.length < max) continue
      yield keys
      keys = []
    }
    if (keys.length > 0) yield keys
  }

  #open(key: string, flags: string): Promise<FileHandle> {
    return open(join(this.#folder, key), flags, 0o600)
  }

  async #stat(key: string): Promise<Stats | undefined> {
    try {
      return await stat(join(this.#folder, key))
    } catch (reason) {
      if (errno(reason) === 'ENOENT') return undefined
      throw diskFailure(reason)
    }
  }

  async #make(): Promise<void> {
    this.#made ??= mkdir(this.#folder, { recursive: true, mode: 0o700 })
    try {
      await this.#made
    } catch (reason) {
      this.#made = undefined
      throw diskFailure(reason)
    }
  }
}

const keyPattern = /^[0-9a-f]{32}$/

function thrown(reason: unknown): never {
  throw diskFailure(reason)
}

function errno(reason: unknown): unknown {
  return reason instanceof Error && 'code' in reason ? reason.code : undefined
}

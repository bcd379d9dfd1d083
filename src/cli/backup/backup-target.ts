// Where a backup is written to. A file gets its name when it is whole and on the disk, never earlier; standard output gets it as it comes.

import { existsSync, linkSync, renameSync, rmSync, write } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { errorCode, sweepTemporaries, syncFolder, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { unlessAborted } from '../terminal/stop-signal.ts'
import { isAbandoned, temporaryName } from './temporary.ts'

/** Where the bytes of a backup go, in their order. Disposed before its end, it leaves nothing. */
export interface BackupTarget extends AsyncDisposable {
  /** Bytes so far. */
  readonly bytes: number
  write(bytes: Uint8Array): Promise<void>
  /** Everything is written: from now on it is there. */
  commit(): Promise<void>
}

/**
 * A file beside `path`, for its owner's eyes only, which takes its name with `commit`; `force` puts it in the place of another.
 * @throws {SealwireError} `usage` when there is one already; `storage_full`, `data_unusable`.
 */
export async function fileTarget(path: string, { force }: { readonly force: boolean }): Promise<BackupTarget> {
  if (!force && existsSync(path)) throw taken(path)
  const name = basename(path)
  const temporary = join(dirname(path), temporaryName(name))
  try {
    sweepTemporaries(dirname(path), [name], isAbandoned)
    return new FileTarget(path, temporary, await open(temporary, 'wx', 0o600), force)
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') {
      const sentence = `there is no folder ${dirname(path)} to write ${name} into`
      throw new SealwireError('data_unusable', sentence, { cause, hint: 'make it first, or name another one' })
    }
    throw unusable(`cannot write ${path}`, cause)
  }
}

class FileTarget implements BackupTarget {
  readonly #path: string
  readonly #temporary: string
  readonly #handle: FileHandle
  readonly #force: boolean
  #bytes = 0

  constructor(path: string, temporary: string, handle: FileHandle, force: boolean) {
    this.#path = path
    this.#temporary = temporary
    this.#handle = handle
    this.#force = force
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += (await this.#handle.write(bytes, at)).bytesWritten
    } catch (cause) {
      throw unusable(`cannot write ${this.#path}`, cause)
    }
    this.#bytes += bytes.length
  }

  async commit(): Promise<void> {
    try {
      await this.#handle.sync()
      await this.#handle.close()
      this.#name()
      syncFolder(dirname(this.#path))
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') throw swept(this.#path, cause)
      throw SealwireError.is(cause) ? cause : unusable(`cannot write ${this.#path}`, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close().catch(() => {})
    rmSync(this.#temporary, { force: true })
  }

  /** In one step, and not over another one that came meanwhile. */
  #name(): void {
    if (this.#force) return renameSync(this.#temporary, this.#path)
    try {
      linkSync(this.#temporary, this.#path)
    } catch (reason) {
      if (errorCode(reason) === 'EEXIST' || existsSync(this.#path)) throw taken(this.#path)
      // A file system without links.
      renameSync(this.#temporary, this.#path)
    }
  }
}

/** Standard output. */
export class OutputTarget implements BackupTarget {
  readonly #signal: AbortSignal
  #bytes = 0

  /** `signal`: ends a write too that nobody takes. */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @throws {SealwireError} `connection_lost` when nobody reads it; `storage_full`, `data_unusable`; the reason of the signal when that is aborted. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += await unlessAborted(this.#signal, this.#some(bytes.subarray(at)))
    this.#bytes += bytes.length
  }

  async commit(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Whoever started us may have made it non-blocking. */
  async #some(bytes: Uint8Array): Promise<number> {
    try {
      return (await writeBytes(standardOutput, bytes)).bytesWritten
    } catch (cause) {
      if (errorCode(cause) === 'EPIPE') throw new SealwireError('connection_lost', 'nobody reads the backup any more', { cause })
      if (errorCode(cause) !== 'EAGAIN') throw unusable('cannot write to standard output', cause)
      await wait(retryMs)
      return 0
    }
  }
}

function taken(path: string): SealwireError {
  return new SealwireError('usage', `there is a file ${path} already`, { hint: 'choose another name, or replace it with --force' })
}

/** Another machine or container cannot know that we are running. */
function swept(path: string, cause: unknown): SealwireError {
  return new SealwireError('data_unusable', `what was written for ${path} was removed meanwhile`, {
    cause,
    hint: 'try again when nobody else writes a backup there',
  })
}

const writeBytes = promisify(write)
const standardOutput = 1
const retryMs = 20

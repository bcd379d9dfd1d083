// The home folder of somebody who uses a server: who they are there, and which servers they know. Its files are their
// owner's alone and are written whole. What is read from them is small and is checked like everything that comes from
// outside, because people edit and copy such files.

import { closeSync, fstatSync, openSync, readdirSync, readSync, rmdirSync, rmSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, makeFolder, sweepTemporaries, unusable, writeDurably } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'

/** A home folder, which need not be there yet. */
export class Home {
  /** Absolute. */
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  pathOf(name: string): string {
    return join(this.path, name)
  }

  /**
   * Makes the folder, for its owner only; one that is there is left as it is. Returns the folders that it has made.
   * @throws {SealwireError} `key_unsafe` when others can write in it; `data_unusable`.
   */
  make(): readonly string[] {
    const made = makeFolder(this.path)
    refuseShared(this.path)
    return made
  }

  /** Removes what `make` has made, unless there is something in it beside the file `leftover`, which goes too. */
  unmake(made: readonly string[], leftover: string): void {
    try {
      if (made.length === 0 || readdirSync(this.path).some((name) => name !== leftover)) return
      rmSync(this.pathOf(leftover), { force: true })
      for (const folder of made) rmdirSync(folder)
    } catch {
      // An empty folder stays; why it was made in vain is the error to tell.
    }
  }

  /**
   * The text of a file, or `undefined` when there is none.
   * @throws {SealwireError} `key_unsafe` when it, or the folder, is not its owner's alone; `config_invalid` when it is larger than
   * `bytesMax` or no UTF-8; `data_unusable` when it cannot be read.
   */
  read(name: string, bytesMax: number): string | undefined {
    refuseShared(this.path)
    const path = this.pathOf(name)
    const bytes = readPrivate(path, bytesMax)
    if (bytes === undefined) return undefined
    if (bytes.length > bytesMax) throw damaged(path, `is larger than ${bytesMax} bytes`)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      throw damaged(path, 'is not UTF-8 text')
    }
  }

  /**
   * Replaces a file in one step, for its owner only, and makes the folder if there is none.
   * @throws {SealwireError} `storage_full` or `data_unusable`; what was there before is then still there.
   */
  write(name: string, text: string): void {
    this.make()
    writeDurably(this.pathOf(name), text, 0o600)
  }

  /**
   * Finds out whether `write` would succeed, by writing as many bytes under another name, and removes what a crash may
   * have left of `name`. The caller sees to it that nobody else writes `name` now.
   * @throws {SealwireError} `storage_full` or `data_unusable`.
   */
  checkWritable(name: string, bytes: number): void {
    sweepTemporaries(this.path, [name])
    this.write(probe, ' '.repeat(bytes))
    rmSync(this.pathOf(probe), { force: true })
  }
}

/** The error for a file whose content is of no use. Its text may be secret, so it is never repeated and is no cause. */
export function damaged(path: string, what: string, hint = 'correct the file, or move it away'): SealwireError {
  return new SealwireError('config_invalid', `${path} ${what}`, { hint })
}

/** What a file of JSON says. @throws {SealwireError} `config_invalid`, with what to do. */
export function parseJson(path: string, text: string, hint: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw damaged(path, 'is not JSON', hint)
  }
}

/** Checks and reads one and the same open file. One byte more than `bytesMax` means that it is too large. */
function readPrivate(path: string, bytesMax: number): Uint8Array | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    refuseUnsafe(path, fstatSync(descriptor))
    return readAtMost(descriptor, bytesMax + 1)
  } catch (reason) {
    if (SealwireError.is(reason)) throw reason
    if (errorCode(reason) === 'ENOENT') return undefined
    throw unreadable(path, reason)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function readAtMost(descriptor: number, bytesMax: number): Uint8Array {
  const buffer = new Uint8Array(bytesMax)
  let length = 0
  for (let read = -1; read !== 0 && length < bytesMax; length += read) {
    read = readSync(descriptor, buffer, length, bytesMax - length, null)
  }
  return buffer.subarray(0, length)
}

/** What another user owns often cannot even be opened; then its owner says more than the system does. */
function unreadable(path: string, reason: unknown): SealwireError {
  try {
    refuseUnsafe(path, statSync(path))
  } catch (better) {
    if (SealwireError.is(better)) return better
  }
  return unusable(`cannot read ${path}`, reason)
}

function refuseUnsafe(path: string, stats: Stats): void {
  // Windows has no modes and no user ids: who may read a file there is the business of the folder's access list.
  if (process.platform === 'win32') return
  refuseForeign(path, stats)
  if ((stats.mode & 0o077) !== 0) throw open(path, stats, '600')
}

/** Whoever can write in the folder can put other files in the place of these. That others see their names is no harm. */
function refuseShared(folder: string): void {
  if (process.platform === 'win32') return
  const stats = folderStats(folder)
  if (stats === undefined) return
  refuseForeign(folder, stats)
  if ((stats.mode & 0o022) !== 0) throw open(folder, stats, '700')
}

/** What is no folder, or cannot be looked at, is told by whoever opens it. */
function folderStats(path: string): Stats | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats?.isDirectory() === true ? stats : undefined
  } catch {
    return undefined
  }
}

function refuseForeign(path: string, { uid }: Stats): void {
  if (uid === process.getuid?.()) return
  throw new SealwireError('key_unsafe', `${path} belongs to another user (id ${uid})`, {
    hint: 'run this as that user, or use another home with --home DIR',
  })
}

function open(path: string, { mode }: Stats, right: string): SealwireError {
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  return new SealwireError('key_unsafe', `${path} is open to other users (mode ${shown})`, { hint: `run: chmod ${right} ${path}` })
}

const probe = 'probe'

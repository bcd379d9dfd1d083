// Writes that a crash or a power cut leaves either undone or whole: a temporary file beside the target, its bytes
// brought to the disk, renamed over the target, and the folder's entry brought to the disk too. What a crash leaves
// behind is a temporary file at most, and `sweepTemporaries` removes it.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { SealwireError } from '../protocol/errors.ts'

/**
 * Replaces the file at `path`, which gets `mode`, in one step.
 * @throws {SealwireError} `storage_full` or `data_unusable`; the old file is then still there.
 */
export function writeDurably(path: string, text: string | Uint8Array, mode: number): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`)
  try {
    writeSynced(temporary, text, mode)
    renameSync(temporary, path)
    syncFolder(dirname(path))
  } catch (cause) {
    discard(temporary)
    throw unusable(`cannot write ${path}`, cause)
  }
}

/**
 * Removes the file at `path`, if it is there, for good: also a power cut does not bring it back.
 * @throws {SealwireError} `data_unusable`.
 */
export function removeDurably(path: string): void {
  try {
    rmSync(path, { force: true })
    syncFolder(dirname(path))
  } catch (cause) {
    throw unusable(`cannot remove ${path}`, cause)
  }
}

/**
 * Makes a folder that only its owner can enter, and its missing parents. One that exists is left as it is. Returns the
 * folders that it has made, the innermost first.
 */
export function makeFolder(path: string): readonly string[] {
  const folder = resolve(path)
  try {
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made: string[] = []
    if (first === undefined) return made
    for (let one = folder; one.length >= first.length; one = dirname(one)) made.push(one)
    for (const one of made) syncFolder(dirname(one))
    return made
  } catch (cause) {
    throw unusable(`cannot make the folder ${folder}`, cause)
  }
}

/** Removes what a crash during `writeDurably` left in `folder` of the files `names`; `isLeft` is asked about the digits of each. */
export function sweepTemporaries(folder: string, names: readonly string[], isLeft: (digits: string) => boolean = () => true): void {
  for (const entry of readdirSync(folder)) {
    const [, name, digits = ''] = /^\.(.+)\.([0-9a-f]{16})\.tmp$/.exec(entry) ?? []
    if (name !== undefined && names.includes(name) && isLeft(digits)) discard(join(folder, entry))
  }
}

/** The error for a failure of the file system: `storage_full` when the disk is full, else `data_unusable`. Default `hint`: of a folder. */
export function unusable(what: string, cause: unknown, hint: string = folderHint): SealwireError {
  const code = errorCode(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new SealwireError('storage_full', `${what}: the disk is full`, { cause, hint: 'free some space and start again' })
  }
  return new SealwireError('data_unusable', `${what} (${code ?? 'unknown reason'})`, { cause, hint })
}

/** The system's name of a failure, such as `ENOENT`. */
export function errorCode(reason: unknown): string | undefined {
  if (typeof reason !== 'object' || reason === null || !('code' in reason)) return undefined
  return typeof reason.code === 'string' ? reason.code : undefined
}

function writeSynced(path: string, text: string | Uint8Array, mode: number): void {
  const descriptor = openSync(path, 'wx', mode)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Brings the names in a folder to the disk. Throws what the file system throws. */
export function syncFolder(folder: string): void {
  // Windows cannot open a folder as a file; its file systems keep their own journal of names.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const folderHint = 'check that the folder is one, and that the user who runs this may read and write in it'

function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Whatever stopped the write is the error to tell; the file is swept when something is made the next time.
  }
}

// One server a data folder. The lock is a lock of the kernel on a file of its own, held through SQLite: it ends with the
// process however that dies, it is the same on Linux and on macOS, and no process number can mislead the next start.

import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SealwireError } from '../protocol/errors.ts'
import { failureOf } from './sqlite/failure.ts'

/**
 * Makes the data folder if there is none (`0700`) and holds it until the answer is disposed or the process ends.
 * @throws {SealwireError} `data_locked` while another process, or this one, holds it; `data_unusable` when there can be no
 * lock in the folder.
 */
export function lockData(folder: string): Disposable {
  let connection: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, 'lock')
    makePrivate(path)
    const { ino } = statSync(path)
    connection = new DatabaseSync(path, { timeout: 0 })
    // Nothing is ever written to this file, so it needs no journal beside it.
    connection.exec('pragma journal_mode = memory; begin exclusive')
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) return holder(connection)
  } catch (cause) {
    connection?.close()
    throw refusal(folder, cause)
  }
  // Whoever held it has removed it with its folder meanwhile: a lock on what is gone keeps nobody out.
  connection.close()
  throw inUse(folder)
}

/** What `lock` holds, or `undefined` while somebody else does. @throws {SealwireError} what else `lock` throws. */
export function ifFree(lock: () => Disposable): Disposable | undefined {
  try {
    return lock()
  } catch (reason) {
    if (SealwireError.from(reason).code === 'data_locked') return undefined
    throw reason
  }
}

/** SQLite would make it for everybody to read. One that is there is never opened here: to close it would give up its lock. */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

function holder(connection: DatabaseSync): Disposable {
  return {
    [Symbol.dispose]() {
      if (connection.isOpen) connection.close()
    },
  }
}

function inUse(folder: string, cause?: unknown): SealwireError {
  return new SealwireError('data_locked', `the data folder ${folder} is in use`, {
    cause,
    hint: 'another server uses it: end that one, or choose another folder with --data',
  })
}

function refusal(folder: string, cause: unknown): SealwireError {
  if (failureOf(cause) === 'locked') return inUse(folder, cause)
  return new SealwireError('data_unusable', `the data folder ${folder} cannot be locked`, { cause, hint: 'check the folder and its owner' })
}

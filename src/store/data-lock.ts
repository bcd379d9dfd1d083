// One server a data folder. The lock is a lock of the kernel on a file of its own, held through SQLite: it ends with the
// process however that dies, it is the same on Linux and on macOS, and no process number can mislead the next start.

import { mkdirSync } from 'node:fs'
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
    connection = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
    // Nothing is ever written to this file, so it needs no journal beside it.
    connection.exec('pragma journal_mode = memory; begin exclusive')
    return holder(connection)
  } catch (cause) {
    connection?.close()
    throw refusal(folder, cause)
  }
}

function holder(connection: DatabaseSync): Disposable {
  return {
    [Symbol.dispose]() {
      if (connection.isOpen) connection.close()
    },
  }
}

function refusal(folder: string, cause: unknown): SealwireError {
  if (failureOf(cause) === 'locked') {
    return new SealwireError('data_locked', `the data folder ${folder} is in use`, {
      cause,
      hint: 'another server uses it: end that one, or choose another folder with --data',
    })
  }
  return new SealwireError('data_unusable', `the data folder ${folder} cannot be locked`, { cause, hint: 'check the folder and its owner' })
}

// What a command writes where it is told to must not be written over a server: its data folder is no place for it.

import { lstatSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SealwireError } from '../../protocol/errors.ts'
import { databaseName, filesName, logName, smallNames } from '../backup/archive-names.ts'

/**
 * Makes sure that a file may be written at `path`, in the place of one that is there: outside of the data folder, and where there is no device or pipe.
 * @throws {SealwireError} `usage`.
 */
export function checkTarget(path: string, folder: string): void {
  refuseDataFolder(path, folder)
  refuseSpecialFile(path)
}

/**
 * Makes sure that `path` is not in the data folder, however it is spelt and whichever links lead there, and is no file that the
 * server has elsewhere by a link. What cannot be looked at is nowhere: whoever writes there is told why.
 * @throws {SealwireError} `usage`.
 */
function refuseDataFolder(path: string, folder: string): void {
  const names = ['.', databaseName, logName, filesName, ...smallNames]
  const own = new Set(names.map((name) => identityOf(join(folder, name))))
  if (![path, dirname(path)].some((place) => leadsInto(place, own))) return
  throw new SealwireError('usage', `${path} is in the data folder of the server, ${folder}`, {
    hint: 'name a file elsewhere: nothing there is written over',
  })
}

/** A device or a pipe would be gone for everybody: what is written comes in its place. */
function refuseSpecialFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined || found.isFile() || found.isSymbolicLink()) return
  throw new SealwireError('usage', `${path} is no file`, { hint: 'name one that is, or is not there yet' })
}

function leadsInto(path: string, own: ReadonlySet<string | undefined>): boolean {
  for (let place = realPath(path); place !== undefined; place = parentOf(place)) {
    const identity = identityOf(place)
    if (identity !== undefined && own.has(identity)) return true
  }
  return false
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function parentOf(path: string): string | undefined {
  const parent = dirname(path)
  return parent === path ? undefined : parent
}

/** Which file or folder it is, whatever it is called. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev} ${ino}`
  } catch {
    return undefined
  }
}

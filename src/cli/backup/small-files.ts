// The small files of a data folder as they are at one moment, although a server may be replacing them one after the other: each of
// them is replaced in one step, so when they read the same twice, they were all so in between.

import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { smallBytesMax, smallNames } from './archive-names.ts'

/** By name; those that are there. */
export type SmallFiles = ReadonlyMap<string, Uint8Array>

/** @throws {SealwireError} `data_unusable`; `data_locked` while they change all the time. */
export function readSmallFiles(folder: string): SmallFiles {
  let before = readAll(folder)
  for (let tries = 0; tries < triesMax; tries++) {
    const files = readAll(folder)
    if (isSame(before, files)) return files
    before = files
  }
  throw new SealwireError('data_locked', `the keys in ${folder} are being replaced`, { hint: 'try again' })
}

function readAll(folder: string): SmallFiles {
  const files = new Map<string, Uint8Array>()
  for (const name of smallNames) {
    const bytes = readOne(join(folder, name))
    if (bytes !== undefined) files.set(name, bytes)
  }
  return files
}

function readOne(path: string): Uint8Array | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const stats: BigIntStats = fstatSync(descriptor, { bigint: true })
    if (!stats.isFile() || stats.size > BigInt(smallBytesMax)) throw new SealwireError('data_unusable', `${path} is no file of a server`)
    return readFileSync(descriptor)
  } catch (reason) {
    if (SealwireError.is(reason)) throw reason
    if (errorCode(reason) === 'ENOENT') return undefined
    throw unusable(`cannot read ${path}`, reason)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function isSame(one: SmallFiles, other: SmallFiles): boolean {
  return one.size === other.size && [...one].every(([name, bytes]) => Buffer.compare(bytes, other.get(name) ?? none) === 0)
}

const none = new Uint8Array()
const triesMax = 20

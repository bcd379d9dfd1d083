// How much room there is where a database lies.

import { statfsSync } from 'node:fs'
import { SealwireError } from '../../protocol/errors.ts'

/** @throws {SealwireError} `unavailable` when the folder cannot be reached. */
export function bytesFree(folder: string): bigint {
  try {
    const { bavail, bsize } = statfsSync(folder, { bigint: true })
    return bavail * bsize
  } catch (cause) {
    throw new SealwireError('unavailable', 'the data folder cannot be reached', { cause })
  }
}

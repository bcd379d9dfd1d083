// How much room the database takes, and how much there is left.

import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** In bytes; `undefined` where the system does not say. */
export interface DiskFigures {
  readonly database: number | undefined
  readonly log: number | undefined
  readonly free: number | undefined
}

/** Of a data folder. Never rejects. */
export async function diskFigures(folder: string): Promise<DiskFigures> {
  const path = join(folder, 'sealwire.db')
  const [database, log, free] = await Promise.all([sizeOf(path), sizeOf(`${path}-wal`), freeOf(folder)])
  return { database, log, free }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}

/** What a program of this user may still write. */
async function freeOf(folder: string): Promise<number | undefined> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  )
}

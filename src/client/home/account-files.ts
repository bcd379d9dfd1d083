// Files of a home that are one account's: each account has a folder of its own, and several programs write there.

import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'

/** What the folders of an account are called by; names are the same whatever their capitals. */
export function accountKey(name: string): string {
  return createHash('sha256').update(name.toLowerCase()).digest('hex').slice(0, keyDigits)
}

/** Whether what a write has left is of a crash: another program may be in the middle of one. `now` is milliseconds since 1970. */
export function isLeftWrite(path: string, now: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && found.mtimeMs < now - writeMs
}

const keyDigits = 16
/** Nobody takes so long to write one. */
const writeMs = 60_000

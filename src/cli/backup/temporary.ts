// What a backup is called until it is whole: `.NAME.….tmp`, with sixteen hexadecimal digits of which the first half is the process.
// Others may be writing one to the same place at the same time, so one is swept only when its process is gone.

import { randomBytes } from 'node:crypto'
import { errorCode } from '../../pki/durable-file.ts'

/** A new one for a file of this name. */
export function temporaryName(name: string): string {
  return `.${name}.${process.pid.toString(16).padStart(8, '0')}${randomBytes(4).toString('hex')}.tmp`
}

/** Whether nobody here writes what has these digits. Where every container counts anew, one that was killed had our own number. */
export function isAbandoned(digits: string): boolean {
  const pid = Number.parseInt(digits.slice(0, 8), 16)
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (reason) {
    return errorCode(reason) !== 'EPERM'
  }
}

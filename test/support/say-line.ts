// Speech of a program that may be killed the moment after: what it has said, it has said.

import { writeSync } from 'node:fs'

/** Writes a line to the standard output, at once and whole. */
export function sayLine(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (reason) {
      if (!isBusy(reason)) throw reason
    }
  }
}

function isBusy(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === 'EAGAIN'
}

// What admission asks of the real machine.

import { readFileSync } from 'node:fs'
import type { Machine } from './admission.ts'

/** The machine that this process runs on. */
export const realMachine: Machine = Object.freeze({
  descriptorsMax,
  residentBytes: () => process.memoryUsage.rss(),
  random: () => Math.random(), // Decides who is dropped early, which is no secret.
})

/** The soft limit on open files, which the runtime has raised to the hard one at its start. */
function descriptorsMax(): number | undefined {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8').match(/^Max open files\s+(\d+)/m)
    return line?.[1] === undefined ? undefined : Number(line[1])
  } catch {
    // Systems without /proc: macOS lets a process open 10,240 files once it has asked for more than its default 256.
    return process.platform === 'darwin' ? darwinDescriptors : undefined
  }
}

const darwinDescriptors = 10_240

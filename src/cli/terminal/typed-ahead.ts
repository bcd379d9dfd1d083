// What was typed before a question was there to be read is no answer to it.

import { closeSync, constants, openSync, readSync } from 'node:fs'

/** Takes away what was typed at our terminal and not read yet, half a line too. Does nothing where there is no terminal to open. */
export function dropTypedAhead(): void {
  try {
    drain(openSync('/dev/tty', constants.O_RDONLY | constants.O_NONBLOCK))
  } catch {
    // Nothing is left.
  }
}

function drain(terminal: number): void {
  try {
    // A line that has no end yet can only be read so.
    process.stdin.setRawMode(true)
    for (let reads = 0; reads < readsMax && readSync(terminal, room) > 0; reads++);
  } finally {
    closeSync(terminal)
    process.stdin.setRawMode(false)
  }
}

const room = new Uint8Array(4_096)
/** A terminal keeps no more than a few thousand characters. */
const readsMax = 64

// Standard output and standard error by their descriptors. The streams of the process write to a terminal on the event
// loop, where one Ctrl-S would stop every connection; and to ask them anything makes a pipe non-blocking for everybody
// who shares it.

import { write, writeSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { systemClock } from '../../domain/clock.ts'
import { errorCode } from '../../pki/durable-file.ts'
import { limitTable } from '../../protocol/limits.ts'

/**
 * Writes off the event loop, and keeps the process alive until everything is taken, or nobody is there to take it. Never
 * rejects: an output that is gone is nobody's failure. One call at a time.
 */
export async function writeAll(descriptor: number, text: string): Promise<void> {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(await writeSome(descriptor, rest))
  } catch {
    // Closed, or its reader has left.
  }
}

/** Writes at once, for a process that is about to end: what is not taken within `exitMsMax` is lost. Never throws. */
export function writeNow(descriptor: number, text: string): void {
  const until = systemClock.monotonic() + limitTable.exitMsMax.value
  let rest = Buffer.from(text)
  while (rest.length > 0 && systemClock.monotonic() < until) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (reason) {
      if (errorCode(reason) !== 'EAGAIN') return
      Atomics.wait(nobody, 0, 0, retryMs)
    }
  }
}

/** Whoever started us may have made the descriptor non-blocking, so that a full pipe is told and not waited for. */
async function writeSome(descriptor: number, bytes: Uint8Array): Promise<number> {
  try {
    const { bytesWritten } = await writeBytes(descriptor, bytes)
    return bytesWritten
  } catch (reason) {
    if (errorCode(reason) !== 'EAGAIN') throw reason
    await wait(retryMs)
    return 0
  }
}

const writeBytes = promisify(write)
const retryMs = 20
const nobody = new Int32Array(new SharedArrayBuffer(4))

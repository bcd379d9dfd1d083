// Waits for a condition. Every wait has an end, and says what it waited for.

import { setTimeout as wait } from 'node:timers/promises'

export async function until(what: string, msMax: number, condition: () => boolean): Promise<void> {
  const end = performance.now() + msMax
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${msMax} ms in vain: ${what}`)
    await wait(pollMs)
  }
}

const pollMs = 10

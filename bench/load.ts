// What load generators of bench/ have in common: what they count, the CPU time of the server they load, and their last line.

import { cpuSeconds } from './cpu.ts'

/** Not counted: until everybody talks as fast as they can, and what is hot is compiled. */
const warmUpMsUsual = 3_000
/**
 * The same for what goes through the store, whose code is longer: its compiler takes 4 µs a message in the first ten seconds under
 * load, and nothing behind them (CPU time of its thread).
 */
export const storeWarmUpMs = 10_000

/** What the clients have seen since the warm-up. Times in milliseconds. */
export class Counts {
  accepted = 0
  delivered = 0
  /** From sending until it was acknowledged. */
  acceptMs: number[] = []
  /** From sending until it arrived. */
  deliveryMs: number[] = []

  reset(): void {
    this.accepted = this.delivered = 0
    this.acceptMs = []
    this.deliveryMs = []
  }
}

/** Everybody talks already: warms up, counts for so long, prints one line, and ends the process. */
export async function measure(counts: Counts, serverPid: number, seconds: number, warmUpMs = warmUpMsUsual): Promise<never> {
  await pause(warmUpMs)
  counts.reset()
  const [startedAt, startedCpu] = [performance.now(), cpuSeconds(serverPid)]
  await pause(seconds * 1000)
  const [elapsed, cpu] = [(performance.now() - startedAt) / 1000, cpuSeconds(serverPid) - startedCpu]
  const of = (count: number, time: number) => (count / time).toFixed(0)
  console.log(
    `accepted/s=${of(counts.accepted, elapsed)} delivered/s=${of(counts.delivered, elapsed)} cpu=${(cpu / elapsed).toFixed(2)} ` +
      `accepted/cpu-s=${of(counts.accepted, cpu)} delivered/cpu-s=${of(counts.delivered, cpu)} ` +
      `accept ${percentiles(counts.acceptMs)} delivery ${percentiles(counts.deliveryMs)}`,
  )
  process.exit()
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function fail(why: string): never {
  console.error(why)
  process.exit(1)
}

function percentiles(all: readonly number[]): string {
  const sorted = Float64Array.from(all).sort()
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
  return `p50=${at(0.5)}ms p99=${at(0.99)}ms`
}

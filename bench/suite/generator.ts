// Load generators: a process of its own that loads one server for a while and prints a line of what it saw. Those in TypeScript
// read the server's CPU time themselves. Those in C++ do not know the server; its CPU time is sampled beside them, and what counts
// is the time before their end, when everybody was talking.

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cpuSeconds, groupOf } from '../cpu.ts'
import type { Running } from '../servers.ts'
import type { Sample } from './plan.ts'

/** Builds the generators in C++ that may stand beside a checkout. Answers their folder, or why there is none. */
export function buildNative(): { readonly folder: string } | { readonly why: string } {
  const script = join(import.meta.dirname, '../../../shared/bench/build.sh')
  if (!existsSync(script)) return { why: 'there is no ../shared/bench' }
  const folder = join(tmpdir(), 'sealwire-bench-native')
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync(script, [folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    return { folder }
  } catch {
    return { why: '../shared/bench cannot be built (g++, libssl-dev)' }
  }
}

/** A generator of bench/; `figure`: what of its line is counted. */
export async function runScript(script: string, args: readonly (string | number | undefined)[], figure: string): Promise<Sample> {
  const program = join(import.meta.dirname, '..', script)
  return sampleOf((await run(process.execPath, [program, ...args.map(String)])).stdout, figure)
}

/** What a line of load.ts says. */
export function sampleOf(line: string, figure: string): Sample {
  const [, p99] = /accept p50=[\d.]+ms p99=([\d.]+)ms/.exec(line) ?? []
  return { rate: number(line, `${figure}/cpu-s`), p99Ms: p99 === undefined ? undefined : Number(p99) }
}

/** A generator in C++ that counts for `seconds`. */
export async function runNative(
  program: string,
  args: readonly (string | number)[],
  { process: server }: Running,
  { figure, seconds }: { figure: string; seconds: number },
): Promise<Sample> {
  const pid = server.pid ?? 0
  const members = groupOf(pid)
  const sample = (): CpuSample => ({ at: performance.now(), cpu: cpuSeconds(pid, members) })
  const samples = [sample()]
  const sampling = setInterval(() => samples.push(sample()), sampleEveryMs)
  try {
    const { stdout } = await run(program, args.map(String))
    return { rate: number(stdout, `${figure}/s`) / cpuShare(samples, seconds), p99Ms: number(stdout, 'p99us') / 1000 }
  } finally {
    clearInterval(sampling)
  }
}

interface CpuSample {
  readonly at: number
  readonly cpu: number
}

/** CPU seconds a second. The load ended when the CPU time last rose: what its generator does then, it does alone. */
function cpuShare(samples: readonly CpuSample[], seconds: number): number {
  const last = samples.findLastIndex(({ cpu }, index) => cpu > (samples[index - 1]?.cpu ?? cpu))
  const end = samples[last - 1] ?? samples[0]
  const start = samples.findLast(({ at }) => end !== undefined && at <= end.at - (seconds * 1000 - 2 * sampleEveryMs)) ?? samples[0]
  return end === undefined || start === undefined ? Number.NaN : (end.cpu - start.cpu) / ((end.at - start.at) / 1000)
}

function number(line: string, name: string): number {
  return Number(new RegExp(`(?:^|\\s)${name}=([\\d.]+)`).exec(line)?.[1])
}

const run = promisify(execFile)
const sampleEveryMs = 100

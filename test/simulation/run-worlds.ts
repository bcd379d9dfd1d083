// Worlds in a process of their own, as `npm run simulate` runs them.

import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** The program. */
export const simulateProgram = fileURLToPath(new URL('main.ts', import.meta.url))

export interface Worlds {
  readonly from: number
  readonly seeds: number
  /** Ends with the first that fails. */
  readonly stop?: boolean
  readonly verbose?: boolean
  /** Default: that of this project. */
  readonly program?: string
  /** Killed after it. */
  readonly msMax: number
}

/** What it said, on both outputs, and whether nothing failed. */
export interface Said {
  readonly output: string
  readonly isGood: boolean
}

export async function runWorlds({ from, seeds, stop = false, verbose = false, program = simulateProgram, msMax }: Worlds): Promise<Said> {
  const flags = [...(stop ? ['--stop'] : []), ...(verbose ? ['--verbose'] : [])]
  const child = spawn(process.execPath, [program, '--seeds', `${seeds}`, '--from', `${from}`, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: msMax,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve))
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { output: out + err, isGood: code === 0 }
}

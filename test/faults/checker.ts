// Runs the checker, which shares no code with what it checks.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the checker found. */
export interface Verdict {
  readonly intended: number
  readonly acknowledged: number
  /** Devices that were to get something, summed over what was acknowledged. */
  readonly deliveries: number
  readonly arrived: number
  /** Entries in the histories that were read. */
  readonly history: number
  /** How often each rule is broken; empty when all hold. */
  readonly problems: Readonly<Record<string, number>>
  /** Of each rule the first ones, for people. */
  readonly first: readonly string[]
}

/** Checks the journals in a folder. */
export async function check(folder: string): Promise<Verdict> {
  const child = spawn('python3', ['-B', program, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = await once(child, 'close')
  if (code !== 0 && code !== 1) throw new Error(`the checker ended (${code}): ${errors}`)
  if (output === '') throw new Error(`the checker said nothing: ${errors}`)
  return JSON.parse(output)
}

const program = fileURLToPath(new URL('./check.py', import.meta.url))

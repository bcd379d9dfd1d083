// Brings the ledger of a server into a file, as its operator would, and runs the checker, which shares no code with what it checks.

import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pythonWith } from '../support/python.ts'
import type { MoneyWorld } from './money-world.ts'

/** What the checker found. */
export interface MoneyVerdict {
  /** Attempts of the payers, and what became of them. */
  readonly attempts: number
  readonly acknowledged: number
  readonly refused: number
  /** By code. */
  readonly codes: Readonly<Record<string, number>>
  /** Attempts that had no answer at least once, and have an outcome now. */
  readonly resolved: number
  readonly repeated: number
  readonly postings: number
  /** By kind. */
  readonly kinds: Readonly<Record<string, number>>
  /** How often each rule is broken; empty when all hold. */
  readonly problems: Readonly<Record<string, number>>
  /** Of each rule the first ones, for people. */
  readonly first: readonly string[]
}

/** `ledger.jsonl` in the folder of the world; returns what `ledger verify` says. The server runs, or nobody has the data. */
export async function exportLedger({ path, data }: Pick<MoneyWorld, 'path' | 'data'>): Promise<string> {
  const file = openSync(join(path, 'ledger.jsonl'), 'w', 0o600)
  try {
    await finished(process.execPath, [cli, 'ledger', 'export', '--data', data], { stdio: ['ignore', file, 'pipe'] })
  } finally {
    closeSync(file)
  }
  return finished(process.execPath, [cli, 'ledger', 'verify', '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Checks what is in a folder: plan.json, journals, ledger.jsonl, and the database, if there is one. */
export async function checkMoney(folder: string): Promise<MoneyVerdict> {
  // 1: it has found something. An end of its own has that code too, and then it has said nothing.
  const said = await finished(pythonWith('cbor2'), ['-B', checker, folder], { stdio: ['ignore', 'pipe', 'pipe'] }, [0, 1])
  return JSON.parse(said)
}

/** Its standard output. @throws when it ends otherwise. */
async function finished(program: string, parameters: readonly string[], options: SpawnOptions, codes = [0]): Promise<string> {
  const child = spawn(program, parameters, options)
  let [output, errors] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = await once(child, 'close')
  if (!codes.includes(Number(code)) || (code !== 0 && output === ''))
    throw new Error(`${parameters.join(' ')} ended (${code}): ${errors}${output.slice(0, 2_000)}`)
  return output
}

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const checker = fileURLToPath(new URL('./check_money.py', import.meta.url))

// What a durable message costs the server as it grows: 50 senders with 4 messages under way each, beside more and more accounts
// that are connected and say nothing, and with more and more messages stored. One server for each, all of them running; they are
// loaded in turn, round after round, because the machine is quicker and slower by the minute. What counts is the median, over
// the rounds, of the cost beside that of the smallest in the same round.
//
//   node bin/bun.mjs bench/growth.ts [--rounds N] [--seconds N] [--json]        default: 5 rounds of 3 s a server

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { databaseLocation } from '../src/store/sqlite/database.ts'
import { end, type Running, serveSealwire } from './servers.ts'
import { StoredMessages } from './stored-messages.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seconds: { type: 'string' }, json: { type: 'boolean' } } })
const [rounds, seconds] = [Number(values.rounds ?? 5), Number(values.seconds ?? 3)]
const [senders, depth] = [50, 4]

interface Size {
  readonly name: string
  /** Connected, those included that talk. */
  readonly accounts: number
  readonly stored: number
}

/** The first is the one that the others are compared with. */
const sizes: readonly Size[] = [
  { name: '100 accounts', accounts: 2 * senders, stored: 1_000 },
  { name: '1,000 accounts', accounts: 1_000, stored: 1_000 },
  { name: '10,000 accounts', accounts: 10_000, stored: 1_000 },
  { name: '1,000,000 stored', accounts: 2 * senders, stored: 1_000_000 },
]

interface Subject extends Size, Running {
  readonly idle: ChildProcess | undefined
  /** CPU of the server a message, in microseconds, a round each. */
  readonly costs: number[]
}

const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
const subjects: Subject[] = []
try {
  for (const size of sizes) subjects.push(await prepare(size))
  for (let round = 1; round <= rounds; round++) {
    for (const subject of subjects) subject.costs.push(await cost(subject))
    const figures = subjects.map(({ name, costs }) => `${name} ${costs.at(-1)?.toFixed(1)} µs`)
    console.error(`round ${round} of ${rounds}: ${figures.join(', ')}`)
  }
  report()
} finally {
  for (const { process: server, idle } of subjects) {
    idle?.kill()
    await end(server)
  }
  rmSync(folder, { recursive: true })
}

async function prepare({ name, accounts, stored }: Size): Promise<Subject> {
  console.error(`making ready: ${name}`)
  const data = join(folder, `data${subjects.length}`)
  mkdirSync(data, { mode: 0o700 })
  new StoredMessages(databaseLocation(data), stored)[Symbol.dispose]()
  const server = await serveSealwire(data)
  return { name, accounts, stored, ...server, idle: await holdIdle(server, accounts - 2 * senders), costs: [] }
}

async function holdIdle({ port }: Running, count: number): Promise<ChildProcess | undefined> {
  if (count === 0) return undefined
  const args = [join(import.meta.dirname, 'idle-load.ts'), String(port), String(count)]
  const idle = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([once(idle.stdout, 'data'), once(idle, 'exit').then(() => Promise.reject(new TypeError('nobody is connected')))])
  return idle
}

async function cost({ port, process: server }: Subject): Promise<number> {
  const args = [port, server.pid, senders, depth, seconds].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'durable-load.ts'), ...args])
  return 1e6 / Number(/accepted\/cpu-s=(\d+)/.exec(stdout)?.[1])
}

function report(): void {
  const [first] = subjects
  const results = subjects.map(({ name, costs }) => ({
    name,
    microseconds: median(costs),
    ratio: median(costs.map((each, round) => each / (first?.costs[round] ?? Number.NaN))),
  }))
  if (values.json === true) return console.log(JSON.stringify(results))
  for (const { name, microseconds, ratio } of results)
    console.log(`${name.padEnd(18)} ${microseconds.toFixed(1)} µs of CPU a message, ratio ${ratio.toFixed(2)}`)
}

function median(all: readonly number[]): number {
  return all.toSorted((one, other) => one - other)[all.length >> 1] ?? Number.NaN
}

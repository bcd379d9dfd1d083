// Signed, durable transfers, beside the Ed25519 verifications that one core does in the same minute, and beside pgbench.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { storeWarmUpMs } from '../load.ts'
import { end, type Running, serveSealwire } from '../servers.ts'
import { sampleOf } from './generator.ts'
import { verificationsPerSecond } from './machine.ts'
import { Postgres } from './peers.ts'
import { grouped, median, type Plan, ratioOf, type Row, type Sample } from './plan.ts'

const [payers, depth] = [64, 4]
/** More than a server does in a second of the run and its warm-up: they are signed beforehand. */
const ordersPerSecond = 16_000

/** A sample, and how many transfers there were on the whole machine. */
interface Transfers extends Sample {
  readonly perSecond: number
}

export async function payment(plan: Plan): Promise<readonly Row[]> {
  await using postgres = await Postgres.start(plan.folder)
  if (postgres === undefined) plan.missing('pgbench', 'PostgreSQL is not installed')
  const [ours, verifications, transactions]: [Transfers[], number[], number[]] = [[], [], []]
  for (let run = 1; run <= plan.runs; run++) {
    const before = verificationsPerSecond()
    const sample = await transfers(plan, join(plan.folder, `payment${run}`))
    verifications.push((before + verificationsPerSecond()) / 2)
    ours.push(sample)
    if (postgres !== undefined) transactions.push(postgres.transactionsPerSecond(plan.seconds))
    const beside = transactions.length > 0 ? `, pgbench ${grouped(transactions.at(-1) ?? 0)}/s` : ''
    const figures = `${grouped(sample.rate)}/CPU s, ${grouped(sample.perSecond)}/s, p99 ${sample.p99Ms?.toFixed(1)} ms`
    plan.tell(`${what}, run ${run} of ${plan.runs}: Sealwire ${figures}; ${grouped(verifications.at(-1) ?? 0)} verifications/s${beside}`)
  }
  const toVerifications = {
    to: 'Ed25519 verifications of a core',
    ...ratioOf(
      ours.map(({ rate }) => rate),
      verifications,
    ),
  }
  const toTransactions = {
    to: 'pgbench, of the machine',
    ...ratioOf(
      ours.map(({ perSecond }) => perSecond),
      transactions,
    ),
  }
  const value = `${grouped(median(ours.map(({ rate }) => rate)))}/CPU s`
  const ratios = [toVerifications, ...(transactions.length > 0 ? [toTransactions] : [])]
  return [{ what, value, p99Ms: median(ours.map(({ p99Ms = Number.NaN }) => p99Ms)), ratios, goal }]
}

async function transfers({ seconds }: Plan, data: string): Promise<Transfers> {
  const server = await serveSealwire(data)
  try {
    const line = await loadPayments(server, data, { payers, depth, seconds })
    return { ...sampleOf(line, 'accepted'), perSecond: Number(/accepted\/s=(\d+)/.exec(line)?.[1]) }
  } finally {
    await end(server.process)
  }
}

export interface PaymentLoad {
  readonly payers: number
  readonly depth: number
  readonly seconds: number
  /** Whether each payment also brings a message into a conversation. */
  readonly talk?: boolean
}

/** Loads a server with payments, and gives the payers money with the operator's command. Answers what was seen: a line of load.ts. */
export async function loadPayments(server: Running, data: string, load: PaymentLoad): Promise<string> {
  const orders = Math.ceil((load.seconds + storeWarmUpMs / 1000) * ordersPerSecond)
  const args = [server.port, server.process.pid, load.payers, load.depth, load.seconds, orders, load.talk === true ? 1 : 0]
  const program = join(import.meta.dirname, '../payment-load.ts')
  const generator = spawn(process.execPath, [program, ...args.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(generator, 'close')
  let last = ''
  for await (const line of createInterface(generator.stdout)) {
    if (line === 'mint bank') {
      mint(data)
      generator.stdin.write('\n')
    } else last = line
  }
  await ended
  return last
}

function mint(data: string): void {
  const main = join(import.meta.dirname, '../../src/cli/main.ts')
  execFileSync(process.execPath, [main, 'admin', 'mint', 'bank', '1000000000', '--data', data], { stdio: 'ignore' })
}

const what = `signed transfers, ${payers} payers, depth ${depth}`
const goal = '≥ 0.5 × verifications, ≥ 3 × pgbench, p99 ≤ 50 ms'

// Somebody stops reading while many say things to them: the server keeps nothing for them in memory, drops them, and they get
// everything in order when they are back; others do not feel it. Measured against a control run in which they read.

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMissing } from '../support/python.ts'
import type { Send } from './application.ts'
import { check, type Verdict } from './checker.ts'
import { form } from './form.ts'
import { until } from './until.ts'
import { World } from './world.ts'

const { seconds, stallMs, bytes, paceMs, growthMax, msMax } = form(
  { seconds: 4, stallMs: 3_000, bytes: 55_000, paceMs: 150, growthMax: 64, msMax: 50_000 },
  { seconds: 300, stallMs: 10_000, bytes: 2_000, paceMs: 100, growthMax: 4, msMax: 900_000 },
)
const senders = Array.from({ length: 20 }, (_, index) => `sender${index}`)
const receivers = Array.from({ length: 4 }, (_, index) => `receiver${index}`)
const perSender = Math.floor((seconds * 1000) / paceMs)

test.skipIf(isMissing('python3', '/proc'))(
  `a receiver that stops reading while ${senders.length} talk for ${seconds} s costs nothing, is dropped, and misses nothing`,
  async () => {
    const control = await run({ stops: false })
    const stopped = await run({ stops: true })
    const growth = stopped.residentMiB - control.residentMiB
    console.log(`slow receiver: ${JSON.stringify({ control: figures(control), stopped: figures(stopped), growthMiB: growth })}`)
    for (const { verdict } of [control, stopped]) {
      expect(verdict.first).toEqual([])
      expect(verdict.problems).toEqual({})
      expect(verdict.acknowledged).toBe(senders.length * perSender + 1)
    }
    expect(stopped.drops).toBeGreaterThan(0)
    expect(growth).toBeLessThanOrEqual(growthMax)
  },
  3 * msMax,
)

interface Measured {
  readonly verdict: Verdict
  /** Connections of the victim that the server ended because it did not read. */
  readonly drops: number
  /** Of the server: the median of the second half. */
  readonly residentMiB: number
  readonly residentMiBMax: number
  /** From the beginning of a send to its arrival at who reads, ms. */
  readonly p50: number
  readonly p99: number
}

async function run({ stops }: { readonly stops: boolean }): Promise<Measured> {
  await using world = await World.make({
    accounts: ['victim', 'greeter', ...receivers, ...senders],
    contacts: [
      ['greeter', 'victim'],
      ...senders.flatMap((name, index): [string, string][] => [
        [name, 'victim'],
        [name, receiverOf(index)],
      ]),
    ],
    rooms: [],
    processes: 3,
    processOf: (account) => Math.min(account, 2),
    // What a proxy takes from the server would be read.
    isDirect: true,
    application: { isDurable: false, readsHistory: false, paceMs },
    server: { limits: { outputStallMsMax: stallMs } },
  })
  world.plan((account) => {
    if (account === 'greeter') return [{ to: 'victim', text: 'hello' }]
    return senders.includes(account) ? sends(senders.indexOf(account)) : []
  })
  const [victim, greeter, others] = world.clients
  if (victim === undefined || greeter === undefined || others === undefined) throw new Error('there are three processes')
  victim.start()
  greeter.start()
  // It stops before the others begin: of what is said while it still reads nobody knows how much that is.
  await until('the victim has begun to read', msMax, () => victim.arrived > 0)
  if (stops) victim.signal('SIGSTOP')
  others.start()
  const resident: number[] = []
  const isOver = (): boolean => {
    resident.push(world.server.residentBytes / 2 ** 20)
    if (world.clients.some(({ hasFailed }) => hasFailed)) throw new Error(world.clients.map(({ errors }) => errors).join(''))
    return others.hasSent && (!stops || dropsOf(world) > 0)
  }
  await until('everything is said', msMax, isOver).catch((reason: unknown) => {
    throw new Error(`${others.hasSent ? '' : 'not '}everything was said, ${dropsOf(world)} dropped`, { cause: reason })
  })
  victim.signal('SIGCONT')
  await until('the victim has everything', msMax, () => victim.arrived === (senders.length * perSender) / 2 + 1)
  for (const each of world.clients) each.say('finish')
  await until('everybody has finished', msMax, () => world.clients.every(({ hasFinished }) => hasFinished))
  const half = resident.slice(resident.length / 2)
  const delays = delaysIn(world)
  return {
    verdict: await check(world.path),
    drops: dropsOf(world),
    residentMiB: Math.round(quantile(half, 0.5) * 10) / 10,
    residentMiBMax: Math.round(quantile(resident, 1) * 10) / 10,
    p50: Math.round(quantile(delays, 0.5) * 10) / 10,
    p99: Math.round(quantile(delays, 0.99) * 10) / 10,
  }
}

/** To the victim and to somebody who reads, by turns. */
function sends(sender: number): Send[] {
  return Array.from({ length: perSender }, (_, index) => {
    const text = `${sender} ${index} `
    return index % 2 === 0 ? { to: 'victim', text: text.padEnd(bytes, '.') } : { to: receiverOf(sender), text }
  })
}

function receiverOf(sender: number): string {
  return receivers[sender % receivers.length] ?? ''
}

function dropsOf({ server }: World): number {
  const lines = server.stderr.split('\n').slice(0, -1)
  const log = lines.map((line): { connection?: number; account?: string; end?: string } => JSON.parse(line))
  const its = new Set(log.flatMap(({ account, connection }) => (account === 'victim' ? [connection] : [])))
  return log.filter(({ connection, end }) => end === 'slow_consumer' && its.has(connection)).length
}

/** The journals are written when the server has answered, or when something has come: the same clock tells both. */
function delaysIn(world: World): number[] {
  const said = new Map<string, number>()
  for (const name of senders) for (const { intend, at } of journalOf(world, name, 'sent')) if (intend !== undefined) said.set(intend, at)
  return receivers.flatMap((name) =>
    journalOf(world, name, 'inbox').flatMap(({ id, at, kind }) =>
      id === undefined || kind !== 'message' ? [] : [at - (said.get(id) ?? at)],
    ),
  )
}

function journalOf(world: World, account: string, journal: string): { intend?: string; id?: string; kind?: string; at: number }[] {
  const text = readFileSync(join(world.folderOf(account, 0), `${journal}.jsonl`), 'utf8')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

function figures({ verdict: { arrived }, ...others }: Measured): object {
  return { arrived, ...others }
}

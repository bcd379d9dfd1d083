// What has no peer: the sealed channel beside the runtime's own AES-256-GCM, memory, and start-up.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { residentBytes } from '../cpu.ts'
import { end, serveSealwire } from '../servers.ts'
import { type Plan, ratioOf, type Row } from './plan.ts'

export async function sealed(plan: Plan): Promise<readonly Row[]> {
  plan.tell('sealed channel: handshakes')
  const handshakes = await output('handshake.ts')
  plan.tell('sealed channel: records')
  const records = await output('sealed.ts')
  return [
    ...['XX', 'IK', 'NK'].map((pattern): Row => {
      const [, client = '', server = ''] = new RegExp(`^${pattern}  client (\\d+) µs  server (\\d+) µs`, 'm').exec(handshakes) ?? []
      return { what: `sealed channel, handshake ${pattern}`, value: `${client} µs + ${server} µs`, ratios: [], goal: '≤ 1 ms' }
    }),
    ...[64, 1024, 16_384].map((bytes): Row => {
      const line = records.split('\n').find((each) => each.trimStart().startsWith(`${bytes} B`)) ?? ''
      const [seal = Number.NaN, open = Number.NaN] = [...line.matchAll(/ratio ([\d.]+)/g)].map(([, ratio]) => Number(ratio))
      const both = Number(/both ([\d.]+)/.exec(line)?.[1])
      const ratios = Object.entries({ 'raw, sealing': seal, opening: open, both })
      return {
        what: `sealed channel, records of ${bytes} B`,
        value: /seal ([\d.]+ µs)/.exec(line)?.[1] ?? '',
        ratios: ratios.map(([to, ratio]) => ({ to, ...ratioOf([ratio], [1]) })),
        goal: bytes === 16_384 ? '≥ 0.8 × raw AES-256-GCM' : '–',
      }
    }),
  ]
}

/** Logged in, with an open inbox; the first ones, which make what all of them share, are not counted. */
export async function memory(plan: Plan): Promise<readonly Row[]> {
  const count = Math.min(connectionsWanted, descriptorsMax() - descriptorsReserved)
  plan.tell(`memory: ${count} connections`)
  const server = await serveSealwire(join(plan.folder, 'memory'))
  const pid = server.process.pid ?? 0
  const idle = async (many: number): Promise<() => Promise<void>> => {
    const args = [join(import.meta.dirname, '../idle-load.ts'), server.port, many].map(String)
    const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(holder.stdout, 'data')
    return () => end(holder)
  }
  try {
    const endFirst = await idle(firstConnections)
    await sleep(settleMs)
    const before = residentBytes(pid)
    const endAll = await idle(count)
    await sleep(settleMs)
    const each = (residentBytes(pid) - before) / count / 1000
    await Promise.all([endFirst(), endAll()])
    return [{ what: `idle logged-in connection, ${count} of them`, value: `${each.toFixed(1)} KB`, ratios: [], goal: '≤ 20 KB' }]
  } finally {
    await end(server.process)
  }
}

export async function startUp(plan: Plan): Promise<readonly Row[]> {
  plan.tell('start-up')
  const line = await output('start-up.ts')
  const [, first = '', later = ''] = /first start (\d+) ms; later starts: median (\d+) ms/.exec(line) ?? []
  return [
    { what: 'first start, to the ready lines', value: `${first} ms`, ratios: [], goal: '≤ 1,000 ms' },
    { what: 'later start', value: `${later} ms`, ratios: [], goal: '≤ 300 ms' },
  ]
}

async function output(script: string): Promise<string> {
  return (await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', script)])).stdout
}

/** What the system lets a process open; the runtime asks for all of it. */
function descriptorsMax(): number {
  const [, hard = ''] = /Max open files\s+\S+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return hard === '' ? Number.POSITIVE_INFINITY : Number(hard)
}

const connectionsWanted = 10_000
const firstConnections = 200
/** Of a server, of its own use and for those in the beginning. */
const descriptorsReserved = 600
/** Until what was needed for the handshakes alone is given back. */
const settleMs = 2000

// Durable messages, acknowledged after the commit, beside Mosquitto with QoS 1 and persistence, which acknowledges before it saves.

import { join } from 'node:path'
import { end, type Running, serveSealwire } from '../servers.ts'
import { runScript } from './generator.ts'
import { startMosquitto } from './peers.ts'
import { compare, type Plan, type Row, type Sample } from './plan.ts'

/** SENDERSxDEPTH. */
const cells = ['64x4']

export async function durable(plan: Plan): Promise<readonly Row[]> {
  const own = await serveSealwire(join(plan.folder, 'durable'))
  const mosquitto = await startMosquitto(plan.folder, { durable: true })
  if (mosquitto === undefined) plan.missing('Mosquitto', 'mosquitto is not installed')
  const load = ({ port, process: { pid } }: Running, script: string, cell: string): Promise<Sample> =>
    runScript(script, [port, pid, ...cell.split('x'), plan.seconds], 'accepted')
  const subjects = [
    { name: 'Sealwire', measure: (cell: string) => load(own, 'durable-load.ts', cell) },
    ...(mosquitto === undefined
      ? []
      : [{ name: 'Mosquitto, which does not wait for the disk', measure: (cell: string) => load(mosquitto, 'durable-mqtt.ts', cell) }]),
  ]
  try {
    const rows: Row[] = []
    for (const cell of cells) {
      const [senders, depth] = cell.split('x')
      rows.push(await compare(plan, { what: `durable messages, ${senders} senders, depth ${depth}`, cell, goal }, subjects))
    }
    return rows
  } finally {
    for (const each of [own, mosquitto]) if (each !== undefined) await end(each.process)
  }
}

const goal = '≥ 25,000 /CPU s, p99 ≤ 20 ms'

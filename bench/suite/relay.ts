// Relaying between two accounts over TLS, each message acknowledged: the classic dialect beside NATS and Mosquitto.

import { join } from 'node:path'
import { end, type Running, serveSealwire } from '../servers.ts'
import { runNative, runScript } from './generator.ts'
import { startMosquitto, startNats } from './peers.ts'
import { compare, type Plan, type Row, type Sample, type Subject } from './plan.ts'

type Protocol = 'magc' | 'nats' | 'mqtt'

/** PAIRSxBYTESxDEPTH. */
const cells = ['32x64x1', '32x64x16', '32x1024x16']

export async function relay(plan: Plan): Promise<readonly Row[]> {
  const own = await serveSealwire(join(plan.folder, 'relay'), '--classic')
  const nats = await startNats(plan.folder)
  const mosquitto = await startMosquitto(plan.folder, { durable: false })
  if (nats === undefined) plan.missing('NATS', 'nats-server is not installed')
  if (mosquitto === undefined) plan.missing('Mosquitto', 'mosquitto is not installed')
  const subjects: readonly Subject[] = [
    { name: 'Sealwire', measure: (cell) => load(plan, own, 'magc', cell) },
    ...(nats === undefined ? [] : [{ name: 'NATS', measure: (cell: string) => load(plan, nats, 'nats', cell) }]),
    ...(mosquitto === undefined ? [] : [{ name: 'Mosquitto', measure: (cell: string) => load(plan, mosquitto, 'mqtt', cell) }]),
  ]
  try {
    const rows: Row[] = []
    for (const cell of cells) rows.push(await compare(plan, { what: `relay, ${words(cell)}`, cell, goal }, subjects))
    return rows
  } finally {
    for (const each of [own, nats, mosquitto]) if (each !== undefined) await end(each.process)
  }
}

function load(plan: Plan, server: Running, protocol: Protocol, cell: string): Promise<Sample> {
  const [pairs = '', bytes = '', depth = ''] = cell.split('x')
  const { seconds, native } = plan
  if (native !== undefined) {
    const args = [server.port, protocol, pairs, bytes, depth, seconds]
    return runNative(join(native, 'relay_load'), args, server, { figure: 'delivered', seconds })
  }
  const { pid } = server.process
  if (protocol === 'mqtt') return runScript('durable-mqtt.ts', [server.port, pid, pairs, depth, seconds, bytes], 'delivered')
  return runScript('relay-load.ts', [server.port, pid, protocol, pairs, bytes, depth, seconds], 'delivered')
}

function words(cell: string): string {
  const [pairs, bytes, depth] = cell.split('x')
  return `${pairs} pairs, ${bytes} B, depth ${depth}`
}

const goal = '≥ 1.1 × NATS, ≥ 1.2 × Mosquitto'

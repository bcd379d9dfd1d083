// Durable messages per CPU second of the server, of Sealwire and of Mosquitto (QoS 1, persistence on) in the same run: starts
// each, and for each cell a load generator in a process of its own. Cells are SENDERSxDEPTH, or room:MEMBERSxDEPTH, with
// +IDLE behind it where so many further accounts are connected.
//
//   node bin/bun.mjs bench/durable.ts [SECONDS [CELL…]]        default: 5 1x1 64x1 64x16 500x1 room:50x16
//
// Without mosquitto and openssl in the PATH there is Sealwire alone. Mosquitto saves at the strictest that it offers: after every
// change, in one piece and from the loop that serves, after it has acknowledged; nothing makes an acknowledgement wait for it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from './load.ts'
import { end, type Running, serveSealwire } from './servers.ts'
import { startMosquitto } from './suite/peers.ts'

interface Server extends Running {
  readonly name: string
  readonly load: string
}

const [seconds = '5', ...chosen] = process.argv.slice(2)
const cells = chosen.length > 0 ? chosen : ['1x1', '64x1', '64x16', '500x1', 'room:50x16']
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))

try {
  const results: { readonly name: string; readonly cell: string; readonly accepted: number }[] = []
  for (const start of [startSealwire, besides]) {
    const server = await start()
    if (server === undefined) continue
    for (const cell of cells) {
      if (cell.startsWith('room') && server.name !== 'sealwire') continue
      const line = await load(server, cell)
      console.log(`${server.name} [${cell}] ${line} | load=${loadavg()[0]?.toFixed(1)}`)
      results.push({ name: server.name, cell, accepted: Number(line.match(/accepted\/cpu-s=(\d+)/)?.[1]) })
    }
    await end(server.process)
  }
  for (const { cell, accepted } of results.filter(({ name }) => name === 'mosquitto')) {
    const ours = results.find((each) => each.cell === cell)?.accepted ?? 0
    console.log(`per CPU second, sealwire / mosquitto [${cell}] ${(ours / accepted).toFixed(2)}`)
  }
} finally {
  rmSync(folder, { recursive: true })
}

async function load({ port, process: server, load: program }: Server, cell: string): Promise<string> {
  const [, members = '0', senders = '1', depth = '1', idle = '0'] =
    /^(?:room:(\d+)|(\d+))x(\d+)(?:\+(\d+))?$/.exec(cell) ?? fail(`not a cell: ${cell}`)
  const args = [port, server.pid, senders, depth, seconds, members, idle].map(String)
  const generator = spawn(process.execPath, [join(import.meta.dirname, program), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  generator.stdout.on('data', (bytes) => (output += String(bytes)))
  await once(generator, 'close')
  return output.trim()
}

async function startSealwire(): Promise<Server> {
  return { name: 'sealwire', ...(await serveSealwire(join(folder, 'data'))), load: 'durable-load.ts' }
}

async function besides(): Promise<Server | undefined> {
  const server = await startMosquitto(folder, { durable: true })
  return server && { name: 'mosquitto', ...server, load: 'durable-mqtt.ts' }
}

// Signed, durable transfers per CPU second of the server, beside what one core verifies of Ed25519 and what PostgreSQL's pgbench
// does on this machine (TPC-B-like, durable, 16 clients), all in one run. Cells are PAYERSxDEPTH, +talk where each payment also
// brings a message into a conversation.
//
//   node bin/bun.mjs bench/payments.ts [SECONDS [CELL…]]        default: 8 16x1 64x1 64x4 64x4+talk
//
// Without pgbench and initdb (Debian: postgresql) there is Sealwire alone.

import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail } from './load.ts'
import { end, type Running, serveSealwire } from './servers.ts'
import { verificationsPerSecond } from './suite/machine.ts'
import { loadPayments } from './suite/payment.ts'
import { Postgres } from './suite/peers.ts'

const [seconds = '8', ...chosen] = process.argv.slice(2)
const cells = chosen.length > 0 ? chosen : ['16x1', '64x1', '64x4', '64x4+talk']
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))

try {
  for (const [index, cell] of cells.entries()) {
    const before = verificationsPerSecond()
    const server = await serveSealwire(join(folder, `data${index}`))
    const line = await load(server, join(folder, `data${index}`), cell)
    const verifications = (before + verificationsPerSecond()) / 2
    const perCpu = Number(line.match(/accepted\/cpu-s=(\d+)/)?.[1])
    console.log(`sealwire [${cell}] ${line} | load=${loadavg()[0]?.toFixed(1)}`)
    console.log(`  verifications/cpu-s=${verifications.toFixed(0)} ratio=${(perCpu / verifications).toFixed(2)}`)
    await end(server.process)
  }
  await using postgres = await Postgres.start(folder)
  if (postgres === undefined) console.log('pgbench: PostgreSQL is missing here')
  else console.log(`pgbench (TPC-B-like, 16 clients) tps=${postgres.transactionsPerSecond(Number(seconds))}`)
} finally {
  rmSync(folder, { recursive: true })
}

function load(server: Running, data: string, cell: string): Promise<string> {
  const [, payers, depth, talk] = /^(\d+)x(\d+)(\+talk)?$/.exec(cell) ?? fail(`not a cell: ${cell}`)
  return loadPayments(server, data, { payers: Number(payers), depth: Number(depth), seconds: Number(seconds), talk: talk !== undefined })
}

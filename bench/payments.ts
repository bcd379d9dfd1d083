// Signed, durable transfers per CPU second of the server, beside what one core verifies of Ed25519 and what PostgreSQL's pgbench
// does on this machine (TPC-B-like, durable, 16 clients), all in one run. Cells are PAYERSxDEPTH, +talk where each payment also
// brings a message into a conversation.
//
//   node bin/bun.mjs bench/payments.ts [SECONDS [CELL…]]        default: 8 16x1 64x1 64x4 64x4+talk
//
// Without pgbench and initdb (Debian: postgresql) there is Sealwire alone.

import { execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fail } from './load.ts'
import { freePort, type Running, serveSealwire } from './servers.ts'

const [seconds = '8', ...chosen] = process.argv.slice(2)
const cells = chosen.length > 0 ? chosen : ['16x1', '64x1', '64x4', '64x4+talk']
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
/** More than a server does in a second of a cell and its warm-up: they are signed beforehand. */
const ordersPerSecond = 12_000
const warmUpSeconds = 4

try {
  for (const [index, cell] of cells.entries()) {
    const before = verificationsPerSecond()
    const server = await serveSealwire(join(folder, `data${index}`))
    const line = await load(server, join(folder, `data${index}`), cell)
    const verifications = (before + verificationsPerSecond()) / 2
    const perCpu = Number(line.match(/accepted\/cpu-s=(\d+)/)?.[1])
    console.log(`sealwire [${cell}] ${line} | load=${loadavg()[0]?.toFixed(1)}`)
    console.log(`  verifications/cpu-s=${verifications.toFixed(0)} ratio=${(perCpu / verifications).toFixed(2)}`)
    const ended = once(server.process, 'exit')
    server.process.kill()
    await ended
  }
  await pgbench()
} finally {
  rmSync(folder, { recursive: true })
}

async function load({ port, process: server }: Running, data: string, cell: string): Promise<string> {
  const [, payers = '1', depth = '1', talk] = /^(\d+)x(\d+)(\+talk)?$/.exec(cell) ?? fail(`not a cell: ${cell}`)
  const orders = (Number(seconds) + warmUpSeconds) * ordersPerSecond
  const args = [port, server.pid, payers, depth, seconds, orders, talk === undefined ? 0 : 1].map(String)
  const program = join(import.meta.dirname, 'payment-load.ts')
  const generator = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(generator, 'close')
  let last = ''
  for await (const line of createInterface(generator.stdout)) {
    if (line === 'mint bank') {
      const main = join(import.meta.dirname, '../src/cli/main.ts')
      execFileSync(process.execPath, [main, 'admin', 'mint', 'bank', '1000000000', '--data', data], { stdio: 'ignore' })
      generator.stdin.write('\n')
    } else last = line
  }
  await ended
  return last
}

/** Of one core, in line, of as many bytes as an order has. */
function verificationsPerSecond(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(230)
  const signature = sign(null, message, privateKey)
  const before = process.cpuUsage()
  let count = 0
  for (; count < 20_000; count++) if (!verify(null, message, publicKey, signature)) fail('a signature that is none')
  const { user, system } = process.cpuUsage(before)
  return count / ((user + system) / 1e6)
}

/** A cluster of its own, started as the user whom Debian's package makes: PostgreSQL refuses to run as root. */
async function pgbench(): Promise<void> {
  const programs = '/usr/lib/postgresql'
  const version = existsSync(programs) ? readdirSync(programs).toSorted().at(-1) : undefined
  if (version === undefined) return console.log('pgbench: PostgreSQL is missing here')
  const at = (program: string): string => join(programs, version, 'bin', program)
  const place = join(folder, 'postgres')
  mkdirSync(place)
  chmodSync(folder, 0o755)
  execFileSync('chown', ['postgres', place])
  const run = (...command: readonly string[]): string =>
    execFileSync('runuser', ['-u', 'postgres', '--', ...command], { cwd: place, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' })
  const port = String(await freePort())
  const data = join(place, 'data')
  run(at('initdb'), '-D', data, '-A', 'trust')
  run(
    at('pg_ctl'),
    '-D',
    data,
    '-w',
    '-l',
    join(place, 'log'),
    '-o',
    `-p ${port} -c listen_addresses= -c unix_socket_directories=${place}`,
    'start',
  )
  try {
    const common = ['-h', place, '-p', port, 'postgres']
    run(at('pgbench'), '-i', '-q', '-s', '16', ...common)
    const output = run(at('pgbench'), '-c', '16', '-j', '2', '-T', seconds, ...common)
    console.log(`pgbench (TPC-B-like, 16 clients) ${/tps = \d+/.exec(output)?.[0] ?? output}`)
  } finally {
    run(at('pg_ctl'), '-D', data, '-m', 'fast', '-w', 'stop')
  }
}

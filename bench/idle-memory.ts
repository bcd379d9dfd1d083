// Resident memory per idle TLS connection, at COUNT connections (default 4,000) that have finished their handshake.
// `node bin/bun.mjs bench/idle-memory.ts [COUNT]`. The connections are made by another process than the server.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dialTls, Flusher } from '../src/link/index.ts'
import { systemClock } from '../src/domain/index.ts'
import { resolveLimits } from '../src/protocol/index.ts'

const count = Number(process.argv[2] ?? 4000)
const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
const here = new URL('.', import.meta.url).pathname
const args = ['serve', '--listen', '127.0.0.1:0', '--data', folder, '--config', join(here, 'server.toml'), '--log-level', 'error']
const server = spawn(process.execPath, [join(here, '../src/cli/main.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

try {
  const port = await readyPort()
  await connectMany(port, 200) // The first connections make what all of them share.
  const before = residentKiB()
  await connectMany(port, count)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  console.log(
    `${count} idle connections: ${((residentKiB() - before) / count).toFixed(1)} KiB each; server at ${(residentKiB() / 1024).toFixed(0)} MiB`,
  )
} finally {
  const ended = new Promise((resolve) => server.once('close', resolve))
  server.kill()
  await ended
  rmSync(folder, { recursive: true })
  process.exit()
}

async function readyPort(): Promise<number> {
  let output = ''
  for await (const bytes of server.stdout) {
    output += bytes
    const port = output.match(/tls:\/\/127\.0\.0\.1:(\d+)[^]*fingerprint/)?.[1]
    if (port !== undefined) return Number(port)
  }
  throw new TypeError('the server did not start')
}

async function connectMany(port: number, total: number): Promise<void> {
  const limits = resolveLimits()
  const context = { limits, flusher: new Flusher(limits, systemClock) }
  const roots = readFileSync(join(folder, 'ca.crt'), 'utf8')
  for (let at = 0; at < total; at += 50) {
    const links = await Promise.all(
      Array.from({ length: Math.min(50, total - at) }, () => dialTls({ host: '127.0.0.1', port, roots, timeoutMs: 30_000 }, context)),
    )
    for (const link of links) link.attach({ received() {}, drained() {}, closed() {} })
  }
}

function residentKiB(): number {
  return Number(readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)?.[1])
}

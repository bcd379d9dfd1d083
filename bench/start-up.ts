// Time from the start of the process to its ready line, on a first start and on later ones.
// `node bin/bun.mjs bench/start-up.ts`

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-bench-'))
const rounds = 10

try {
  const first = await start(join(folder, 'first'))
  const later: number[] = []
  for (let i = 0; i < rounds; i++) later.push(await start(join(folder, 'first')))
  later.sort((a, b) => a - b)
  console.log(
    `first start ${first.toFixed(0)} ms; later starts: median ${later[rounds >> 1]?.toFixed(0)} ms, slowest ${later.at(-1)?.toFixed(0)} ms`,
  )
} finally {
  rmSync(folder, { recursive: true })
}

/** Milliseconds until the fingerprint, which is the last line, is printed. */
async function start(data: string): Promise<number> {
  const main = new URL('../src/cli/main.ts', import.meta.url).pathname
  const before = performance.now()
  const server = spawn(process.execPath, [main, 'serve', '--listen', '127.0.0.1:0', '--data', data], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  for await (const bytes of server.stdout) {
    output += bytes
    if (output.includes('fingerprint')) break
  }
  const ms = performance.now() - before
  const ended = new Promise((resolve) => server.once('close', resolve))
  server.kill()
  await ended
  return ms
}

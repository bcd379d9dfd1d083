// Fills the small disk at the folder that it is given with a log, makes room, and tells what happened. See file.test.ts.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogFile } from '../../../src/cli/log/file.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { resolveLimits } from '../../../src/protocol/limits.ts'

const folder = process.argv[2] ?? ''
const path = join(folder, 'server.log')
const ballast = join(folder, 'ballast')
writeFileSync(ballast, Buffer.alloc(40 * 1024))

const failures: unknown[] = []
let now = 0
const file = new LogFile(path, {
  limits: resolveLimits({ logRetryMs: 1000 }),
  clock: { ...systemClock, monotonic: () => now },
  events: {
    failed: (reason) => void failures.push((reason as NodeJS.ErrnoException).code),
    lossLine: (lines) => `lost ${lines}\n`,
    reopened: () => 'opened anew\n',
  },
})
await file.write(`${'w'.repeat(1000)}\n`)
await file.write(`${'x'.repeat(60_000)}\n`)
rmSync(ballast)
now += 1000
await file.write('after\n')
file.close()
console.log(JSON.stringify({ failures, end: readFileSync(path, 'utf8') }))

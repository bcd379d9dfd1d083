// Registers accounts in the store of a folder until its standard input ends, and says of each what became of it: `ok NAME`
// or `no NAME CODE`, after `is PROCESS`. Started by StoreProcess with: folder, prefix of the names, registrations at once, and how it synchronizes.

import { writeSync } from 'node:fs'
import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { StoreLog } from '../../src/store/index.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { workerProgram } from '../../src/store/sqlite/store-worker.ts'
import { SupervisedWorker } from '../../src/store/sqlite/supervised-worker.ts'

const [folder = '', prefix = '', concurrency = '1', synchronous = 'full'] = process.argv.slice(2)
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const silent: StoreLog = { warning: () => undefined, error: () => undefined }
const thread = synchronous === 'full' ? workerProgram() : new URL('./store-worker-normal.ts', import.meta.url)

const setup = { location: `${folder}/sealwire.db`, limits, presence: 'may-be-new' } as const
const store = new SqliteStore(limits, await SupervisedWorker.start(setup, { clock: systemClock, log: silent }, thread))
let count = 0

say(`is ${process.pid}\n`)
let ending = false
process.stdin.on('end', () => {
  ending = true
})
process.stdin.resume()

await Promise.all(Array.from({ length: Number(concurrency) }, registerMany))
await store.close()

async function registerMany(): Promise<void> {
  while (!ending) {
    const name = `${prefix}${count++}`
    say(`${await register(name)}\n`)
  }
}

async function register(name: string): Promise<string> {
  try {
    const passwordHash = 'x'.repeat(90)
    await store.run('account.create', { name, key: name, skeleton: name, passwordHash, createdAt: BigInt(Date.now()) })
    return `ok ${name}`
  } catch (reason) {
    return `no ${name} ${SealwireError.from(reason).code}`
  }
}

/** Written at once and whole: what this process has said, it has said even when it is killed the moment after. */
function say(line: string): void {
  for (let rest = Buffer.from(line); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (reason) {
      if (!isBusy(reason)) throw reason
    }
  }
}

function isBusy(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === 'EAGAIN'
}

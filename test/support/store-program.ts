// Registers accounts in the store of a folder until its standard input ends, and says of each what became of it: `ok NAME`
// or `no NAME CODE`, after `is PROCESS`. Started by StoreProcess with: folder, prefix of the names, registrations at once, and how it synchronizes.

import { systemClock } from '../../src/domain/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { StoreLog } from '../../src/store/index.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { workerProgram } from '../../src/store/sqlite/store-worker.ts'
import { SupervisedWorker } from '../../src/store/sqlite/supervised-worker.ts'
import { sayLine } from './say-line.ts'

const [folder = '', prefix = '', concurrency = '1', synchronous = 'full'] = process.argv.slice(2)
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const silent: StoreLog = { warning: () => undefined, error: () => undefined }
const thread = synchronous === 'full' ? workerProgram() : new URL('./store-worker-normal.ts', import.meta.url)

const setup = { location: `${folder}/sealwire.db`, limits, presence: 'may-be-new' } as const
const store = new SqliteStore(limits, await SupervisedWorker.start(setup, { clock: systemClock, log: silent }, thread))
let count = 0

sayLine(`is ${process.pid}`)
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
    sayLine(await register(name))
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

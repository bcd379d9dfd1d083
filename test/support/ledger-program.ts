// Does the deeds of ledger-deeds.ts in the store of a folder until its standard input ends, and says of each what became of it:
// `ok LANE:STEP:POSTING:BALANCE` or `no LANE:STEP CODE`, after `is PROCESS`. Started by StoreProcess with: folder, a prefix that
// means nothing here, lanes. Every so many deeds the first lane signs a checkpoint.

import { systemClock } from '../../src/domain/index.ts'
import { makeCheckpoint } from '../../src/pki/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { StoreLog } from '../../src/store/index.ts'
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { workerProgram } from '../../src/store/sqlite/store-worker.ts'
import { SupervisedWorker } from '../../src/store/sqlite/supervised-worker.ts'
import { deedAccounts, deedKey, deedOf, deedServer, makeAccount, makeDevice, makeMint } from './ledger-deeds.ts'
import { sayLine } from './say-line.ts'

const [folder = '', , lanes = '1'] = process.argv.slice(2)
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const silent: StoreLog = { warning: () => undefined, error: () => undefined }
const setup = { location: `${folder}/sealwire.db`, limits, presence: 'may-be-new' } as const
const store = new SqliteStore(limits, await SupervisedWorker.start(setup, { clock: systemClock, log: silent }, workerProgram()))
const checkpointEvery = 20
let ending = false

sayLine(`is ${process.pid}`)
process.stdin.on('end', () => {
  ending = true
})
process.stdin.resume()

for (const account of deedAccounts) {
  await attempt(store.run('account.create', makeAccount(account)))
  await attempt(store.run('device.enrol', makeDevice(account)))
  const { transfer, balance } = await store.run('ledger.mint', makeMint(account))
  sayLine(`ok mint:${account}:${transfer.posting}:${balance}`)
}
await Promise.all(Array.from({ length: Number(lanes) }, (_, lane) => goOn(lane)))
await store.close()

async function goOn(lane: number): Promise<void> {
  for (let step = 0; !ending; step++) {
    sayLine(await carryOut(lane, step))
    if (lane === 0 && step % checkpointEvery === 0) await sign()
  }
}

async function carryOut(lane: number, step: number): Promise<string> {
  try {
    const { transfer, balance } = await store.run('ledger.order', deedOf(lane, step))
    return `ok ${lane}:${step}:${transfer.posting}:${balance}`
  } catch (reason) {
    return `no ${lane}:${step} ${SealwireError.from(reason).code}`
  }
}

async function sign(): Promise<void> {
  const { size } = await store.run('ledger.state', {})
  const at = BigInt(systemClock.now())
  const needed = await store.run('ledger.checkpointNeeded', { at, covers: size })
  if (needed === undefined) return
  const cose = makeCheckpoint({ server: deedServer, size: needed.size, root: needed.root, at }, deedKey)
  await store.run('ledger.checkpointStore', { size: needed.size, root: needed.root, at, cose })
}

/** What is there already is refused. */
async function attempt(asked: Promise<unknown>): Promise<void> {
  await asked.catch(() => undefined)
}

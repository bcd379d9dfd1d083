import { afterAll, expect, test } from 'bun:test'
import { systemClock } from '../../../src/domain/index.ts'
import { limitTable, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { StoreCounts } from '../../../src/server/metrics/observed-store.ts'
import { Readiness } from '../../../src/server/metrics/readiness.ts'
import { silentLog } from '../../../src/server/log.ts'
import { openStore, type Store } from '../../../src/store/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const folder = new StoreFolder()
afterAll(() => folder[Symbol.dispose]())
const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const fresh = limitTable.monitorFreshMs.value

function readinessWith(store?: Pick<Store, 'run'>, { ledger = true, diskBytesFreeMin = 0 } = {}) {
  const clock = new ManualClock()
  const counts = new StoreCounts()
  const readiness = new Readiness({ folder: folder.path, clock, limits: { diskBytesFreeMin }, counts })
  if (store !== undefined) readiness.serve(store, ledger)
  return { readiness, clock, counts, report: async () => (await readiness.find()).report }
}

function answering(answer: () => Promise<unknown>): Pick<Store, 'run'> {
  return { run: answer as Store['run'] }
}

test('a server is ready from when it listens until it stops, and says so', async () => {
  const { readiness, report } = readinessWith()
  expect(await report()).toMatchObject({ ready: false, phase: 'starting', listening: false, why: ['the server is starting'] })
  readiness.serve(
    answering(async () => undefined),
    false,
  )
  expect(await report()).toEqual({ ready: true, phase: 'serving', listening: true, store: 'ok', payments: 'none', why: [] })
  readiness.stop()
  expect(await report()).toMatchObject({ ready: false, phase: 'stopping', listening: false, why: ['the server is stopping'] })
})

test('payments are refused after a ledger did not prove right, and people can talk', async () => {
  await using store = await openStore(folder.path, limits, { clock: systemClock, log: silentLog })
  const { report, clock } = readinessWith(store)
  expect(await report()).toMatchObject({ ready: true, payments: 'accepting' })
  await store.run('ledger.condemn', { row: 'posting 1', what: 'it is wrong', at: 1n })
  await clock.move(fresh)
  expect(await report()).toMatchObject({ ready: true, store: 'ok', payments: 'refused', why: ['payments are refused'] })
  await store.run('ledger.absolve', {})
  await clock.move(fresh)
  expect(await report()).toMatchObject({ ready: true, payments: 'accepting' })
  await store.close()
  await clock.move(fresh)
  expect(await report()).toMatchObject({ ready: false, store: 'unavailable', payments: 'unknown', why: ['the store has failed'] })
})

test('a store that does not answer is slow after its second', async () => {
  const { report, clock } = readinessWith(answering(() => new Promise(() => {})))
  const asked = report()
  await clock.move(limitTable.monitorProbeMsMax.value)
  expect(await asked).toMatchObject({ ready: false, store: 'slow', payments: 'unknown', why: ['the store does not answer in time'] })
})

test('after an outcome that nobody knows it is not ready for a while', async () => {
  const { report, clock, counts } = readinessWith(
    answering(async () => undefined),
    { ledger: false },
  )
  await clock.move(10_000)
  counts.doubtfulAt = clock.monotonic()
  expect(await report()).toMatchObject({ ready: false, store: 'doubtful' })
  await clock.move(limitTable.monitorDoubtMs.value)
  expect(await report()).toMatchObject({ ready: true })
  const { report: told } = readinessWith(answering(async () => Promise.reject(new SealwireError('unknown_outcome', 'perhaps'))))
  expect(await told()).toMatchObject({ ready: false, store: 'doubtful' })
})

test('where nothing more is stored it is not ready, though it answers', async () => {
  const { report } = readinessWith(
    answering(async () => undefined),
    { ledger: false, diskBytesFreeMin: Number.MAX_SAFE_INTEGER },
  )
  expect(await report()).toMatchObject({ ready: false, store: 'full' })
})

test('however many ask, the store is asked once in a while', async () => {
  let asked = 0
  const counting = answering(async () => void asked++)
  const { report, clock } = readinessWith(counting, { ledger: false })
  await Promise.all(Array.from({ length: 100 }, report))
  expect(asked).toBe(1)
  await clock.move(fresh)
  await report()
  expect(asked).toBe(2)
})

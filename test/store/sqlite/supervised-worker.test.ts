import { describe, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { type Code, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { SupervisedWorker } from '../../../src/store/sqlite/supervised-worker.ts'
import type { Outcome, Request } from '../../../src/store/store.ts'
import { newAccount } from '../../compliance/store.ts'
import { ImpatientClock, RecordedLog } from '../../support/store-components.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const limits = { ...resolveLimits(), diskBytesFreeMin: 0, storeRestartMs: 100, storeRestartsMax: 3 }
const dyingProgram = new URL('../../support/store-worker-dying.ts', import.meta.url)

describe('execute', () => {
  test('a death makes its group unknown, and the next group finds what was acknowledged before', async () => {
    await using subject = await start()
    expect(codesOf(await subject.worker.execute([create('alice')]))).toEqual([undefined])
    expect(codesOf(await subject.worker.execute([create('bob'), die, find('alice')]))).toEqual([
      'unknown_outcome',
      'unknown_outcome',
      'unknown_outcome',
    ])
    const outcomes = await subject.worker.execute([find('alice'), find('bob')])
    expect(outcomes).toMatchObject([{ value: { key: 'alice' } }, { value: undefined }])
    expect(subject.log.events).toEqual(['store.failed', 'store.restarted'])
    expect(subject.clock.waits).toEqual([100])
  })

  test('each death in a row waits twice as long, an answered group ends the row', async () => {
    await using subject = await start()
    for (let death = 0; death < 3; death++) await subject.worker.execute([die])
    await subject.worker.execute([find('alice')])
    await subject.worker.execute([die])
    await subject.worker.execute([find('alice')])
    expect(subject.clock.waits).toEqual([100, 200, 400, 100])
  })

  test('after storeRestartsMax deaths in a row there is no further worker', async () => {
    await using subject = await start()
    for (let death = 0; death < 4; death++) expect(codesOf(await subject.worker.execute([die]))).toEqual(['unknown_outcome'])
    expect(codesOf(await subject.worker.execute([find('alice')]))).toEqual(['unavailable'])
    expect(subject.clock.waits).toHaveLength(3)
  })

  test('a fresh worker makes no new database where the old one is gone', async () => {
    await using subject = await start()
    await subject.worker.execute([die])
    rmSync(subject.folder.path, { recursive: true })
    expect(codesOf(await subject.worker.execute([create('alice')]))).toEqual(['unavailable'])
    expect(subject.log.events.slice(1)).toEqual(['store.restart_failed', 'store.restart_failed', 'store.restart_failed'])
  })

  test('a failure is logged with its cause, and again only after storeLogMs', async () => {
    await using subject = await start()
    const wrong = { name: 'account.create', input: newAccount('bob', { createdAt: 'soon' as unknown as bigint }) } as const
    for (let time = 0; time < 3; time++) await subject.worker.execute([wrong, create('alice')])
    expect(subject.log.lines).toMatchObject([{ event: 'store.failed', fields: { code: 'internal' } }])
    expect(subject.log.lines[0]?.fields['detail']).toContain('cannot store TEXT value in INTEGER column')
    subject.clock.time = limits.storeLogMs
    await subject.worker.execute([wrong])
    expect(subject.log.lines).toHaveLength(2)
  })

  test('refusals are not logged', async () => {
    await using subject = await start()
    expect(codesOf(await subject.worker.execute([create('alice'), create('alice')]))).toEqual([undefined, 'name_taken'])
    expect(subject.log.lines).toEqual([])
  })
})

describe('start', () => {
  test('says why the database cannot be opened, with what caused it', async () => {
    using folder = new StoreFolder()
    writeFileSync(folder.database, 'x'.repeat(5000))
    const started = SupervisedWorker.start({ location: folder.database, limits, presence: 'may-be-new' }, components())
    const error = SealwireError.from(await started.catch((reason: unknown) => reason))
    expect(error.code).toBe('data_unusable')
    expect(error.hint).toBe('check the folder, its owner and the disk')
    expect(String(error.cause)).toContain('not a database')
  })

  test('a worker that dies before it says anything is unavailable', async () => {
    using folder = new StoreFolder()
    const nothing = new URL('data:text/javascript,')
    const started = SupervisedWorker.start({ location: folder.database, limits, presence: 'may-be-new' }, components(), nothing)
    expect(SealwireError.from(await started.catch((reason: unknown) => reason)).code).toBe('unavailable')
  })
})

async function start() {
  const folder = new StoreFolder()
  const { log, clock } = components()
  const worker = await SupervisedWorker.start({ location: folder.database, limits, presence: 'may-be-new' }, { log, clock }, dyingProgram)
  return {
    folder,
    log,
    clock,
    worker,
    async [Symbol.asyncDispose]() {
      await worker.close()
      folder[Symbol.dispose]()
    },
  }
}

function components() {
  return { log: new RecordedLog(), clock: new ImpatientClock() }
}

const create = (name: string): Request => ({ name: 'account.create', input: newAccount(name) })
const find = (key: string): Request => ({ name: 'account.find', input: { key } })
const die: Request = { name: 'account.rehash', input: { id: 1n, from: '', to: '' } }

function codesOf(outcomes: readonly Outcome[]): (Code | undefined)[] {
  return outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : undefined))
}

import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { systemClock } from '../../../src/domain/index.ts'
import { type Limits, resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { openStore, type Store } from '../../../src/store/index.ts'
import { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { SupervisedWorker } from '../../../src/store/sqlite/supervised-worker.ts'
import { newAccount, type StoreSubject, storeCompliance } from '../../compliance/store.ts'
import { rejectionOf } from '../../support/refusal.ts'
import { ImpatientClock, RecordedLog } from '../../support/store-components.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const folders = new WeakMap<StoreSubject, StoreFolder>()
const components = { clock: systemClock, log: new RecordedLog() }

storeCompliance('in a worker', {
  async setup(limits) {
    const folder = new StoreFolder()
    let store = await openStore(folder.path, limits, components)
    const subject: StoreSubject = {
      run: (name, input) => store.run(name, input),
      close: () => store.close(),
      async reopen() {
        await store.close()
        store = await openStore(folder.path, limits, components)
      },
    }
    folders.set(subject, folder)
    return subject
  },
  async teardown(subject) {
    await subject.close()
    folders.get(subject)?.[Symbol.dispose]()
  },
})

describe('run', () => {
  test('more than storeQueueMax waiting requests are busy, and those that wait are answered', async () => {
    await using subject = await start({ storeQueueMax: 100 })
    const requests = names(150).map((name) => rejectionOf(subject.store.run('account.create', newAccount(name))))
    const codes = await Promise.all(requests)
    expect(codes.slice(0, 100).filter((code) => code !== undefined)).toEqual([])
    expect(codes.slice(100).filter((code) => code === 'busy')).toHaveLength(50)
    expect(await rejectionOf(subject.store.run('account.create', newAccount('later')))).toBeUndefined()
  })

  test('answers come in the order of the requests, over the border of a group too', async () => {
    await using subject = await start({ storeGroupMax: 7 })
    const answered: string[] = []
    await Promise.all(names(50).map((name) => subject.store.run('account.create', newAccount(name)).then(() => answered.push(name))))
    expect(answered).toEqual(names(50))
  })

  test('requests of one moment are one group', async () => {
    const groups: number[] = []
    await using subject = await start({ storeGroupMax: 20 }, (size) => groups.push(size))
    await Promise.all(names(50).map((name) => subject.store.run('account.create', newAccount(name))))
    expect(groups).toEqual([20, 20, 10])
  })

  test('when much waits, the next group is sent before the answers of the one before are given out, and does not hold them up', async () => {
    const [told, secondMayGo]: [string[], PromiseWithResolvers<void>] = [[], Promise.withResolvers()]
    const watch = (): Promise<void> | undefined => (told.push('sent') === 2 ? secondMayGo.promise : undefined)
    await using subject = await start({ storeGroupMax: 2 }, watch)
    const asked = names(4).map((name) => subject.store.run('account.create', newAccount(name)).then(() => told.push(name)))
    await Promise.all(asked.slice(0, 2))
    expect(told).toEqual(['sent', 'sent', 'name-0', 'name-1'])
    secondMayGo.resolve()
    await Promise.all(asked)
    expect(told.slice(4)).toEqual(['name-2', 'name-3'])
  })

  test('when little waits, the answers come first, and what they cause joins it', async () => {
    const groups: number[] = []
    const ask = (name: string): Promise<unknown> => subject.store.run('account.create', newAccount(name))
    const more: Promise<unknown>[] = []
    await using subject = await start({ storeGroupMax: 10 }, (size) => {
      if (groups.push(size) === 1) more.push(ask('waits'))
    })
    await Promise.all([ask('first').then(() => ask('caused')), ask('second')])
    await Promise.all(more)
    expect(groups).toEqual([2, 2])
  })

  test('what different callbacks of one turn of the event loop ask for is one group', async () => {
    const groups: number[] = []
    await using subject = await start({}, (size) => groups.push(size))
    const ask = (name: string): Promise<unknown> =>
      new Promise((resolve) => setImmediate(() => resolve(subject.store.run('account.create', newAccount(name)))))
    await Promise.all(names(10).map(ask))
    expect(groups).toEqual([10])
  })

  test('a death makes the group under way unknown, what still waited is done by a fresh worker', async () => {
    await using subject = await start({ storeGroupMax: 2 })
    const codes = [
      subject.store.run('account.create', newAccount('alice')),
      subject.store.run('account.rehash', { id: 1n, from: '', to: '' }),
      subject.store.run('account.create', newAccount('bob')),
      subject.store.run('account.create', newAccount('carol')),
    ].map(rejectionOf)
    expect(await Promise.all(codes)).toEqual(['unknown_outcome', 'unknown_outcome', undefined, undefined])
    const found = await Promise.all(['alice', 'bob', 'carol'].map((key) => subject.store.run('account.find', { key })))
    expect(found.map((account) => account?.key)).toEqual([undefined, 'bob', 'carol'])
  })

  test('what cannot be sent to the worker fails alone, the store goes on', async () => {
    await using subject = await start({})
    const unsendable = newAccount('alice', { name: (() => 'alice') as unknown as string })
    expect(await rejectionOf(subject.store.run('account.create', unsendable))).toBe('internal')
    expect(await rejectionOf(subject.store.run('account.create', newAccount('alice')))).toBeUndefined()
  })

  test('errors keep code, message, hint and class on their way between the threads', async () => {
    await using subject = await start({ diskBytesFreeMin: Number.MAX_SAFE_INTEGER })
    const error = await subject.store.run('account.create', newAccount('alice')).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SealwireError)
    expect(error).toMatchObject({
      code: 'storage_full',
      sentence: 'there is no room to store it',
      hint: 'free some space in the data folder',
    })
  })
})

describe('close', () => {
  test('commits what waits, refuses what comes, and leaves one file', async () => {
    using folder = new StoreFolder()
    const store = await openStore(folder.path, resolveLimits(), components)
    const waiting = names(500).map((name) => rejectionOf(store.run('account.create', newAccount(name))))
    const closed = store.close()
    expect(await rejectionOf(store.run('account.find', { key: 'name-1' }))).toBe('unavailable')
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([undefined]))
    await closed
    expect(readdirSync(folder.path)).toEqual(['sealwire.db'])
  })
})

/** A store on a worker that dies when it is asked to rehash; `watch` hears the size of each group, and may hold it. */
async function start(overrides: Partial<Limits>, watch: (size: number) => unknown = () => undefined) {
  const folder = new StoreFolder()
  const limits = { ...resolveLimits(), diskBytesFreeMin: 0, ...overrides }
  const program = new URL('../../support/store-worker-dying.ts', import.meta.url)
  const setup = { location: folder.database, limits, presence: 'may-be-new' } as const
  const worker = await SupervisedWorker.start(setup, { clock: new ImpatientClock(), log: new RecordedLog() }, program)
  const execute = worker.execute.bind(worker)
  worker.execute = async (group) => {
    await watch(group.length)
    return execute(group)
  }
  const store: Store = new SqliteStore(limits, worker)
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close()
      folder[Symbol.dispose]()
    },
  }
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `name-${index}`)
}

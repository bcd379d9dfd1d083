import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { inMemory, openInProcessStore } from '../../../src/store/index.ts'
import { newAccount, type StoreSubject, storeCompliance } from '../../compliance/store.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const folders = new WeakMap<StoreSubject, StoreFolder>()

storeCompliance('in this process', {
  async setup(limits) {
    const folder = new StoreFolder()
    let store = openInProcessStore(folder.path, limits)
    const subject: StoreSubject = {
      run: async (name, input) => store.run(name, input),
      close: async () => store.close(),
      async reopen() {
        store.close()
        store = openInProcessStore(folder.path, limits)
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

describe('openInProcessStore', () => {
  test('answers without a promise', () => {
    using store = openInProcessStore(inMemory, resolveLimits())
    expect(store.run('account.create', newAccount('alice')).id).toBe(1n)
    expect(() => store.run('account.create', newAccount('alice'))).toThrow('[name_taken]')
  })

  test('leaves nothing behind when it lives in memory', () => {
    const store = openInProcessStore(inMemory, resolveLimits())
    store.close()
    expect(existsSync(inMemory)).toBe(false)
    expect(() => store.run('account.find', { key: 'alice' })).toThrow('[unavailable]')
    using other = openInProcessStore(inMemory, resolveLimits())
    expect(other.run('account.find', { key: 'alice' })).toBeUndefined()
  })
})

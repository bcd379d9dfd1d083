// What every store must do, whatever keeps the rows. An adapter's test calls this with a way to open an empty store.

import { describe, expect, test } from 'bun:test'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { rejectionOf } from '../support/refusal.ts'
import { accountCompliance } from './store-accounts.ts'
import { deviceCompliance } from './store-devices.ts'
import { invitationCompliance } from './store-invitations.ts'
import { peopleCompliance } from './store-people.ts'
import { newAccount, type StoreSubject, type WithStore } from './store-subject.ts'
import { throttleCompliance } from './store-throttles.ts'
import { tokenCompliance } from './store-tokens.ts'

export { newAccount, type StoreSubject } from './store-subject.ts'

export interface StoreSetup {
  /** Opens an empty store. */
  readonly setup: (limits: Limits) => Promise<StoreSubject>
  /** Closes it and removes what it has left. */
  readonly teardown: (subject: StoreSubject) => Promise<void>
}

export function storeCompliance(name: string, { setup, teardown }: StoreSetup): void {
  const withStore: WithStore = (title, body, overrides = {}) =>
    test(title, async () => {
      const store = await setup({ ...resolveLimits(), diskBytesFreeMin: 0, ...overrides })
      try {
        await body(store)
      } finally {
        await teardown(store)
      }
    })

  accountCompliance(name, withStore)
  throttleCompliance(name, withStore)
  invitationCompliance(name, withStore)
  tokenCompliance(name, withStore)
  peopleCompliance(name, withStore)
  deviceCompliance(name, withStore)

  describe(`${name}: life`, () => {
    withStore('what was acknowledged is there after the store was closed and opened again', async (store) => {
      const alice = await store.run('account.create', newAccount('alice'))
      const failures = await store.run('throttle.fail', { keys: ['account:alice'], at: 5n, windowMs: 100n })
      await store.reopen()
      expect(await store.run('account.find', { key: 'alice' })).toEqual(alice)
      expect(await store.run('throttle.read', { keys: ['account:alice'] })).toEqual(failures)
      expect(await rejectionOf(store.run('account.create', newAccount('alice')))).toBe('name_taken')
    })

    withStore('a closed store refuses, and may be closed twice', async (store) => {
      await store.close()
      await store.close()
      expect(await rejectionOf(store.run('account.find', { key: 'alice' }))).toBe('unavailable')
    })
  })
}

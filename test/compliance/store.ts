// What every store must do, whatever keeps the rows. An adapter's test calls this with a way to open an empty store.

import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Code, type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { Input, NewAccount, OperationName, Output, Throttle } from '../../src/store/index.ts'

/** A store under test. The synchronous one is given promises, so that one suite fits both. */
export interface StoreSubject {
  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>>
  /** Closes the store and opens it again on what it has left. */
  reopen(): Promise<void>
  close(): Promise<void>
}

export interface StoreSetup {
  /** Opens an empty store. */
  readonly setup: (limits: Limits) => Promise<StoreSubject>
  /** Closes it and removes what it has left. */
  readonly teardown: (subject: StoreSubject) => Promise<void>
}

export function storeCompliance(name: string, { setup, teardown }: StoreSetup): void {
  const withStore = (title: string, body: (store: StoreSubject) => Promise<void>, overrides: Partial<Limits> = {}): void =>
    test(title, async () => {
      const store = await setup({ ...resolveLimits(), diskBytesFreeMin: 0, ...overrides })
      try {
        await body(store)
      } finally {
        await teardown(store)
      }
    })

  describe(`${name}: account`, () => {
    withStore('a created account is found under its key as it was written', async (store) => {
      const alice = newAccount('Alice', { key: 'alice', createdAt: 2n ** 62n })
      const created = await store.run('account.create', alice)
      const { skeleton, ...visible } = alice
      expect(created).toEqual({ ...visible, id: created.id })
      expect(await store.run('account.find', { key: 'alice' })).toEqual(created)
      expect(await store.run('account.find', { key: skeleton })).toBeUndefined()
    })

    withStore('a taken key and a taken skeleton are refused and use up no number', async (store) => {
      const first = await store.run('account.create', newAccount('alice'))
      expect(await codeOf(store.run('account.create', newAccount('alice', { skeleton: 'other' })))).toBe('name_taken')
      expect(await codeOf(store.run('account.create', newAccount('other', { skeleton: '~alice' })))).toBe('name_taken')
      const second = await store.run('account.create', newAccount('bob'))
      expect(second.id).toBe(first.id + 1n)
    })

    withStore('a name that is special elsewhere is a name like any other', async (store) => {
      for (const key of ['__proto__', 'constructor', "'; drop table account; --", '𝒶\u0301 ☃', 'null']) {
        const created = await store.run('account.create', newAccount(key))
        expect(await store.run('account.find', { key })).toEqual(created)
      }
    })

    withStore('a hash is replaced only while it is the one expected', async (store) => {
      const { id, passwordHash } = await store.run('account.create', newAccount('alice'))
      expect(await store.run('account.rehash', { id, from: 'another', to: 'new' })).toBe(false)
      expect(await store.run('account.rehash', { id: id + 1n, from: passwordHash, to: 'new' })).toBe(false)
      expect(await store.run('account.rehash', { id, from: passwordHash, to: 'new' })).toBe(true)
      expect((await store.run('account.find', { key: 'alice' }))?.passwordHash).toBe('new')
    })

    withStore('of many who want one name at once exactly one gets it, and the others get theirs', async (store) => {
      const names = Array.from({ length: 60 }, (_, index) => `name-${index % 20}`)
      const codes = await Promise.all(names.map((key) => codeOf(store.run('account.create', newAccount(key)))))
      expect(codes.filter((code) => code === undefined)).toHaveLength(20)
      expect(codes.filter((code) => code === 'name_taken')).toHaveLength(40)
    })

    withStore('a request sees what those asked before it have done', async (store) => {
      const created = store.run('account.create', newAccount('alice'))
      const found = store.run('account.find', { key: 'alice' })
      expect(await found).toEqual(await created)
    })
  })

  describe(`${name}: throttle`, () => {
    withStore('failures are counted for each key, in the order of the keys', async (store) => {
      await store.run('throttle.fail', { keys: ['address:b'], at: 10n, windowMs: 100n })
      const rows = await store.run('throttle.fail', { keys: ['account:a', 'address:b'], at: 20n, windowMs: 100n })
      expect(rows).toEqual([throttle('account:a', 1n, 20n, 20n), throttle('address:b', 2n, 10n, 20n)])
    })

    withStore('the window of an address begins with its first failure, that of an account with its last', async (store) => {
      const keys = ['account:a', 'address:b']
      for (const at of [0n, 100n]) await store.run('throttle.fail', { keys, at, windowMs: 100n })
      const rows = await store.run('throttle.fail', { keys, at: 101n, windowMs: 100n })
      expect(rows).toEqual([throttle('account:a', 3n, 0n, 101n), throttle('address:b', 1n, 101n, 101n)])
      const later = await store.run('throttle.fail', { keys, at: 202n, windowMs: 100n })
      expect(later).toEqual([throttle('account:a', 1n, 202n, 202n), throttle('address:b', 1n, 202n, 202n)])
    })

    withStore('only rows that exist are read, and cleared ones no longer exist', async (store) => {
      await store.run('throttle.fail', { keys: ['account:a', 'account:b'], at: 1n, windowMs: 100n })
      expect(await store.run('throttle.clear', { keys: ['account:a', 'account:c'] })).toBeUndefined()
      const rows = await store.run('throttle.read', { keys: ['account:a', 'account:b', 'account:c'] })
      expect(rows).toEqual([throttle('account:b', 1n, 1n, 1n)])
    })

    withStore(
      'beyond throttlesTrackedMax the rows that failed longest ago are forgotten',
      async (store) => {
        for (const [at, key] of ['a', 'b', 'c'].entries()) await store.run('throttle.fail', { keys: [key], at: BigInt(at), windowMs: 100n })
        await store.run('throttle.fail', { keys: ['a'], at: 3n, windowMs: 100n })
        await store.run('throttle.fail', { keys: ['d'], at: 4n, windowMs: 100n })
        const rows = await store.run('throttle.read', { keys: ['a', 'b', 'c', 'd'] })
        expect(rows.map(({ key }) => key).sort()).toEqual(['a', 'c', 'd'])
      },
      { throttlesTrackedMax: 3 },
    )

    withStore('any sequence of failures, reads and clears does what a map would do', async (store) => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(throttleSteps, { maxLength: 30 }), async (steps) => {
          const prefix = `${run++}-`
          const model = new Map<string, Throttle>()
          for (const [index, { action, key }] of steps.entries()) {
            await playThrottle(store, model, { action, key: key.replace(':', `:${prefix}`), at: BigInt(index * 10) })
          }
        }),
        { numRuns: 15 },
      )
    })
  })

  describe(`${name}: life`, () => {
    withStore('what was acknowledged is there after the store was closed and opened again', async (store) => {
      const alice = await store.run('account.create', newAccount('alice'))
      await store.run('throttle.fail', { keys: ['account:alice'], at: 5n, windowMs: 100n })
      await store.reopen()
      expect(await store.run('account.find', { key: 'alice' })).toEqual(alice)
      expect(await store.run('throttle.read', { keys: ['account:alice'] })).toEqual([throttle('account:alice', 1n, 5n, 5n)])
      expect(await codeOf(store.run('account.create', newAccount('alice')))).toBe('name_taken')
    })

    withStore('a closed store refuses, and may be closed twice', async (store) => {
      await store.close()
      await store.close()
      expect(await codeOf(store.run('account.find', { key: 'alice' }))).toBe('unavailable')
    })
  })
}

/** An account whose every name is `name` but where `other` says otherwise. */
export function newAccount(name: string, other: Partial<NewAccount> = {}): NewAccount {
  return { name, key: name, skeleton: `~${name}`, passwordHash: '$argon2id$x', createdAt: 1n, ...other }
}

/** The code with which a request was refused; undefined when it was not. */
export async function codeOf(request: Promise<unknown>): Promise<Code | undefined> {
  try {
    await request
    return undefined
  } catch (reason) {
    return SealwireError.from(reason).code
  }
}

const throttleSteps = fc.record({
  action: fc.constantFrom('fail', 'fail', 'fail', 'read', 'clear'),
  key: fc.constantFrom('account:a', 'account:b', 'address:c'),
})

/** Plays one step on the store and on the model, and compares. The window is 25 ms, a step takes 10. */
async function playThrottle(
  store: StoreSubject,
  model: Map<string, Throttle>,
  { action, key, at }: { readonly action: string; readonly key: string; readonly at: bigint },
): Promise<void> {
  const keys = [key]
  if (action === 'clear') {
    await store.run('throttle.clear', { keys })
    model.delete(key)
  } else if (action === 'fail') {
    const old = model.get(key)
    const since = old === undefined || at - (key.startsWith('account:') ? old.lastAt : old.since) > 25n ? at : old.since
    model.set(key, throttle(key, since === at ? 1n : (old?.failures ?? 0n) + 1n, since, at))
    await store.run('throttle.fail', { keys, at, windowMs: 25n })
  }
  const row = model.get(key)
  expect(await store.run('throttle.read', { keys })).toEqual(row === undefined ? [] : [row])
}

function throttle(key: string, failures: bigint, since: bigint, lastAt: bigint): Throttle {
  return { key, failures, since, lastAt }
}

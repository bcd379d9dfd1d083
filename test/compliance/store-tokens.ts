import { describe, expect } from 'bun:test'
import type { Account } from '../../src/store/index.ts'
import { hashOf, idOf, newAccount, people, type StoreSubject, type WithStore } from './store-subject.ts'

const idleMsMax = 1_000n

export function tokenCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: token`, () => {
    withStore('belongs to the account it was made for, and stays over a restart', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      expect(await give(store, alice, 'a')).toBe(true)
      expect(await give(store, bob, 'b')).toBe(true)
      expect([await use(store, 'a'), await use(store, 'b'), await use(store, 'c')]).toEqual([alice, bob, undefined])
      await store.reopen()
      expect(await use(store, 'a')).toEqual(alice)
    })

    withStore('comes with a new account', async (store) => {
      const alice = await store.run('account.create', { ...newAccount('alice'), token: { hash: hashOf('a'), at: 10n } })
      expect(await use(store, 'a', 10n + idleMsMax)).toEqual(alice)
      expect(await use(store, 'a', 11n + idleMsMax)).toBeUndefined()
    })

    withStore('a refused account leaves no token', async (store) => {
      await people(store, 'alice')
      const refused = store.run('account.create', { ...newAccount('alice'), token: { hash: hashOf('a'), at: 1n } })
      await refused.catch(() => undefined)
      expect(await use(store, 'a')).toBeUndefined()
    })

    withStore('a deleted one is unknown, and is deleted once', async (store) => {
      const [alice] = await people(store, 'alice')
      await give(store, alice, 'a')
      expect(await store.run('token.delete', { hash: hashOf('a') })).toBe(true)
      expect(await store.run('token.delete', { hash: hashOf('a') })).toBe(false)
      expect(await use(store, 'a')).toBeUndefined()
    })

    withStore(
      'ends when it was idle for longer than allowed, and is then gone for good',
      async (store) => {
        const [alice] = await people(store, 'alice')
        await give(store, alice, 'a', 0n)
        expect(await use(store, 'a', idleMsMax)).toEqual(alice)
        expect(await use(store, 'a', 2n * idleMsMax)).toEqual(alice)
        expect(await use(store, 'a', 3n * idleMsMax + 1n)).toBeUndefined()
        expect(await use(store, 'a', 2n * idleMsMax)).toBeUndefined()
      },
      { tokenUsePrecisionMs: 0 },
    )

    withStore(
      'a use is noted once in tokenUsePrecisionMs',
      async (store) => {
        const [alice] = await people(store, 'alice')
        for (const secret of ['a', 'b']) await give(store, alice, secret, 0n)
        expect(await use(store, 'a', 99n)).toEqual(alice)
        expect(await use(store, 'b', 100n)).toEqual(alice)
        expect(await use(store, 'a', idleMsMax + 1n)).toBeUndefined()
        expect(await use(store, 'b', idleMsMax + 100n)).toEqual(alice)
      },
      { tokenUsePrecisionMs: 100 },
    )

    withStore('a clock that goes back ends no token', async (store) => {
      const [alice] = await people(store, 'alice')
      await give(store, alice, 'a', 10_000n)
      expect(await use(store, 'a', 0n)).toEqual(alice)
    })

    withStore(
      'beyond tokensPerAccountMax the least recently used goes, of this account only',
      async (store) => {
        const [alice, bob] = await people(store, 'alice', 'bob')
        await give(store, bob, 'bob', 0n)
        for (const [at, secret] of ['a', 'b', 'c'].entries()) await give(store, alice, secret, BigInt(at))
        await use(store, 'a', 10n)
        await give(store, alice, 'd', 11n)
        expect(await owners(store, 'a', 'b', 'c', 'd', 'bob')).toEqual(['alice', undefined, 'alice', 'alice', 'bob'])
        await give(store, alice, 'e', -1n)
        expect(await owners(store, 'a', 'c', 'd', 'e')).toEqual(['alice', undefined, 'alice', 'alice'])
      },
      { tokensPerAccountMax: 3, tokenUsePrecisionMs: 0 },
    )

    withStore(
      'made again it costs no other one its place',
      async (store) => {
        const [alice] = await people(store, 'alice')
        for (const secret of ['a', 'b', 'b']) expect(await give(store, alice, secret)).toBe(true)
        expect(await owners(store, 'a', 'b')).toEqual(['alice', 'alice'])
      },
      { tokensPerAccountMax: 2 },
    )

    withStore('a new password ends all others but the one that is kept', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      for (const secret of ['a', 'b']) await give(store, alice, secret)
      await give(store, bob, 'c')
      const id = idOf(alice)
      await store.run('account.setPassword', { id, passwordHash: 'new', keepToken: hashOf('b') })
      expect(await owners(store, 'a', 'b', 'c')).toEqual([undefined, 'alice', 'bob'])
      await store.run('account.setPassword', { id, passwordHash: 'newer' })
      expect(await owners(store, 'b', 'c')).toEqual([undefined, 'bob'])
    })

    withStore('a rehash, which is the same password, ends none', async (store) => {
      const alice = await store.run('account.create', newAccount('alice', { passwordHash: 'weak' }))
      await give(store, alice, 'a')
      expect(await store.run('account.rehash', { id: alice.id, from: 'weak', to: 'strong' })).toBe(true)
      expect(await owners(store, 'a')).toEqual(['alice'])
    })

    withStore('a login that began before the password changed gets none after it', async (store) => {
      const { id, passwordHash } = await store.run('account.create', newAccount('alice', { passwordHash: 'old' }))
      const create = (secret: string) => store.run('token.create', { hash: hashOf(secret), accountId: id, at: 1n, passwordHash })
      expect(await create('before')).toBe(true)
      await store.run('account.setPassword', { id, passwordHash: 'new' })
      expect(await create('after')).toBe(false)
      expect(await owners(store, 'before', 'after')).toEqual([undefined, undefined])
    })

    withStore('a ban is told with each of them and allows no new ones, until it is lifted', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      await give(store, alice, 'a')
      await give(store, bob, 'b')
      await store.run('account.ban', { key: 'alice', at: 5n })
      expect(await give(store, alice, 'c')).toBe(false)
      expect((await use(store, 'a'))?.bannedAt).toBe(5n)
      await store.run('account.unban', { key: 'alice' })
      expect((await use(store, 'a'))?.bannedAt).toBeUndefined()
      expect(await owners(store, 'a', 'b', 'c')).toEqual(['alice', 'bob', undefined])
      expect(await give(store, alice, 'c')).toBe(true)
    })

    withStore('nobody gets one for an account that does not exist', async (store) => {
      expect(await store.run('token.create', { hash: hashOf('a'), accountId: 1n, at: 1n })).toBe(false)
      await people(store, 'alice')
      expect(await use(store, 'a')).toBeUndefined()
    })
  })
}

function give(store: StoreSubject, account: Account | undefined, secret: string, at = 1n): Promise<boolean> {
  return store.run('token.create', { hash: hashOf(secret), accountId: idOf(account), at })
}

function use(store: StoreSubject, secret: string, at = 1n): Promise<Account | undefined> {
  return store.run('token.use', { hash: hashOf(secret), at, idleMsMax })
}

/** Whose tokens these are. */
async function owners(store: StoreSubject, ...secrets: readonly string[]): Promise<readonly (string | undefined)[]> {
  const accounts = await Promise.all(secrets.map((secret) => use(store, secret)))
  return accounts.map((account) => account?.key)
}

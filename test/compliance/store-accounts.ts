import { describe, expect } from 'bun:test'
import type { Account } from '../../src/store/index.ts'
import { rejectionOf } from '../support/refusal.ts'
import { idOf, newAccount, people, type WithStore } from './store-subject.ts'

export function accountCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: account`, () => {
    withStore('a created account is found under its key as it was written', async (store) => {
      const alice = newAccount('Alice', { key: 'alice', createdAt: 2n ** 62n })
      const created = await store.run('account.create', alice)
      const { skeleton, ...visible } = alice
      expect(created).toStrictEqual({ ...visible, id: created.id, bannedAt: undefined, visibility: 'contacts' })
      expect(await store.run('account.find', { key: 'alice' })).toEqual(created)
      expect(await store.run('account.find', { key: skeleton })).toBeUndefined()
    })

    withStore('a taken key and a taken skeleton are refused and use up no number', async (store) => {
      const first = await store.run('account.create', newAccount('alice'))
      expect(await rejectionOf(store.run('account.create', newAccount('alice', { skeleton: 'other' })))).toBe('name_taken')
      expect(await rejectionOf(store.run('account.create', newAccount('other', { skeleton: '~alice' })))).toBe('name_taken')
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
      const { id } = await store.run('account.create', newAccount('alice', { passwordHash: 'old' }))
      expect(await store.run('account.rehash', { id, from: 'another', to: 'new' })).toBe(false)
      expect(await store.run('account.rehash', { id: id + 1n, from: 'old', to: 'new' })).toBe(false)
      expect(await store.run('account.rehash', { id, from: 'old', to: 'new' })).toBe(true)
      expect((await store.run('account.find', { key: 'alice' }))?.passwordHash).toBe('new')
    })

    withStore('of many who want one name at once exactly one gets it, and the others get theirs', async (store) => {
      const names = Array.from({ length: 60 }, (_, index) => `name-${index % 20}`)
      const codes = await Promise.all(names.map((key) => rejectionOf(store.run('account.create', newAccount(key)))))
      expect(codes.filter((code) => code === undefined)).toHaveLength(20)
      expect(codes.filter((code) => code === 'name_taken')).toHaveLength(40)
    })

    withStore('a request sees what those asked before it have done', async (store) => {
      const created = store.run('account.create', newAccount('alice'))
      const found = store.run('account.find', { key: 'alice' })
      expect(await found).toEqual(await created)
    })

    withStore('an account without a password has none until one is set', async (store) => {
      const { id, passwordHash } = await store.run('account.create', newAccount('alice', { passwordHash: undefined }))
      expect(passwordHash).toBeUndefined()
      expect(await store.run('account.findById', { id })).toMatchObject({ key: 'alice', passwordHash: undefined })
      expect(await store.run('account.rehash', { id, from: '', to: 'new' })).toBe(false)
      expect(await store.run('account.setPassword', { id, passwordHash: 'first' })).toBe(true)
      expect((await store.run('account.findById', { id }))?.passwordHash).toBe('first')
    })

    withStore('an account is found by its number, and nobody by another', async (store) => {
      const [alice] = await people(store, 'alice', 'bob')
      expect(await store.run('account.findById', { id: idOf(alice) })).toEqual(alice)
      expect(await store.run('account.findById', { id: 99n })).toBeUndefined()
    })

    withStore('accounts are listed by key, a page at a time, without their secrets', async (store) => {
      await people(store, 'dave', 'alice', 'carol')
      await store.run('account.create', newAccount('bob', { name: 'Bob', passwordHash: undefined, createdAt: 7n }))
      await store.run('account.ban', { key: 'bob', at: 9n })
      const first = await store.run('account.list', { after: '', max: 3n })
      expect(first.map(({ key, hasPassword }) => [key, hasPassword])).toEqual([
        ['alice', true],
        ['bob', false],
        ['carol', true],
      ])
      const bob = { id: 4n, name: 'Bob', key: 'bob', createdAt: 7n, bannedAt: 9n, visibility: 'contacts', hasPassword: false } as const
      expect(first[1]).toStrictEqual(bob)
      expect((await store.run('account.list', { after: 'carol', max: 3n })).map(({ key }) => key)).toEqual(['dave'])
      expect(await store.run('account.list', { after: 'dave', max: 3n })).toEqual([])
    })

    withStore('a ban keeps its first moment until it is lifted, and a later one begins anew', async (store) => {
      const [alice] = await people(store, 'alice')
      const ban = (at: bigint) => store.run('account.ban', { key: 'alice', at })
      expect(await ban(5n)).toEqual({ ...alice, bannedAt: 5n } as Account)
      expect((await ban(6n))?.bannedAt).toBe(5n)
      expect(await store.run('account.find', { key: 'alice' })).toMatchObject({ bannedAt: 5n })
      expect(await store.run('account.unban', { key: 'alice' })).toEqual(alice)
      expect(await store.run('account.unban', { key: 'alice' })).toEqual(alice)
      expect((await ban(7n))?.bannedAt).toBe(7n)
      expect(await store.run('account.ban', { key: 'nobody', at: 1n })).toBeUndefined()
      expect(await store.run('account.unban', { key: 'nobody' })).toBeUndefined()
    })

    withStore('visibility and password of an account change, of no account they do not', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      for (const visibility of ['everyone', 'nobody', 'contacts'] as const) {
        expect(await store.run('account.setVisibility', { id: idOf(alice), visibility })).toBe(true)
        expect(await store.run('account.find', { key: 'alice' })).toMatchObject({ visibility })
      }
      expect(await store.run('account.setVisibility', { id: 99n, visibility: 'nobody' })).toBe(false)
      expect(await store.run('account.setPassword', { id: 99n, passwordHash: 'new' })).toBe(false)
      expect(await store.run('account.find', { key: 'bob' })).toEqual(bob)
    })
  })
}

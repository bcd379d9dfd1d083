import { describe, expect } from 'bun:test'
import type { Person } from '../../src/store/index.ts'
import { rejectionOf } from '../support/refusal.ts'
import { newAccount, type StoreSubject, type WithStore } from './store-subject.ts'

export function peopleCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: contact`, () => {
    withStore('is one of both, whoever was named first, and is new once', async (store) => {
      await circle(store)
      expect([await meet(store, 1n, 2n), await meet(store, 2n, 1n), await meet(store, 1n, 2n)]).toEqual([true, false, false])
      expect(await meet(store, 3n, 1n)).toBe(true)
      expect(await contacts(store, 1n)).toEqual(['bob', 'carol'])
      expect(await contacts(store, 2n)).toEqual(['alice'])
      expect(await contacts(store, 3n)).toEqual(['alice'])
      expect(await contacts(store, 4n)).toEqual([])
    })

    withStore('is listed by key, with the name as its owner wrote it', async (store) => {
      const bob = await store.run('account.create', newAccount('bob', { name: 'Bob' }))
      const alice = await store.run('account.create', newAccount('alice', { name: 'ALICE' }))
      const carol = await store.run('account.create', newAccount('carol'))
      await meet(store, carol.id, bob.id)
      await meet(store, carol.id, alice.id)
      const people: readonly Person[] = [
        { id: alice.id, key: 'alice', name: 'ALICE' },
        { id: bob.id, key: 'bob', name: 'Bob' },
      ]
      expect(await store.run('contact.list', { accountId: carol.id })).toStrictEqual(people)
    })

    withStore(
      'when either has contactsPerAccountMax there is no further one, and those there are stay',
      async (store) => {
        await circle(store)
        await meet(store, 1n, 2n)
        await meet(store, 3n, 2n)
        expect([await meet(store, 2n, 4n), await meet(store, 4n, 2n)]).toEqual([false, false])
        expect(await meet(store, 1n, 4n)).toBe(true)
        expect([await contacts(store, 2n), await contacts(store, 4n)]).toEqual([['alice', 'carol'], ['alice']])
      },
      { contactsPerAccountMax: 2 },
    )

    withStore('nobody is their own contact, and nobody that of an account that does not exist', async (store) => {
      await circle(store)
      expect(await rejectionOf(meet(store, 1n, 1n))).toBe('internal')
      expect(await rejectionOf(meet(store, 1n, 99n))).toBe('internal')
      expect(await contacts(store, 1n)).toEqual([])
    })
  })

  describe(`${name}: block`, () => {
    withStore('is of one side only, is new once and removed once', async (store) => {
      await circle(store)
      expect([await block(store, 1n, 2n), await block(store, 1n, 2n)]).toEqual([true, false])
      expect([await blocks(store, 1n), await blocks(store, 2n)]).toEqual([['bob'], []])
      const remove = () => store.run('block.remove', { accountId: 1n, blockedId: 2n })
      expect(await store.run('block.remove', { accountId: 2n, blockedId: 1n })).toBe(false)
      expect([await remove(), await remove()]).toEqual([true, false])
      expect(await blocks(store, 1n)).toEqual([])
    })

    withStore('is listed by key, with the name as its owner wrote it', async (store) => {
      const carol = await store.run('account.create', newAccount('carol', { name: 'Carol' }))
      const alice = await store.run('account.create', newAccount('alice'))
      const bob = await store.run('account.create', newAccount('bob', { name: 'BOB' }))
      await block(store, alice.id, carol.id)
      await block(store, alice.id, bob.id)
      const people: readonly Person[] = [
        { id: bob.id, key: 'bob', name: 'BOB' },
        { id: carol.id, key: 'carol', name: 'Carol' },
      ]
      expect(await store.run('block.list', { accountId: alice.id })).toStrictEqual(people)
    })

    withStore(
      'beyond blocksPerAccountMax it is busy, and what is blocked already is no new one',
      async (store) => {
        await circle(store)
        for (const other of [2n, 3n]) await block(store, 1n, other)
        expect(await rejectionOf(block(store, 1n, 4n))).toBe('busy')
        expect(await block(store, 1n, 2n)).toBe(false)
        expect(await block(store, 4n, 1n)).toBe(true)
        await store.run('block.remove', { accountId: 1n, blockedId: 2n })
        expect(await block(store, 1n, 4n)).toBe(true)
        expect(await blocks(store, 1n)).toEqual(['carol', 'dave'])
      },
      { blocksPerAccountMax: 2 },
    )

    withStore('nobody blocks themselves, nor an account that does not exist', async (store) => {
      await circle(store)
      expect(await rejectionOf(block(store, 1n, 1n))).toBe('internal')
      expect(await rejectionOf(block(store, 1n, 99n))).toBe('internal')
      expect(await blocks(store, 1n)).toEqual([])
    })
  })

  describe(`${name}: people`, () => {
    withStore('one read tells all relations of an account, from its own side', async (store) => {
      await circle(store)
      await meet(store, 2n, 1n)
      await meet(store, 2n, 3n)
      await block(store, 2n, 4n)
      await block(store, 2n, 3n)
      await block(store, 1n, 2n)
      await store.reopen()
      expect(await relations(store, 1n)).toEqual([[2n], [2n]])
      expect(await relations(store, 2n)).toEqual([
        [1n, 3n],
        [3n, 4n],
      ])
      expect(await relations(store, 3n)).toEqual([[2n], []])
      expect(await relations(store, 4n)).toEqual([[], []])
      expect(await relations(store, 99n)).toEqual([[], []])
    })
  })
}

/** Alice, bob, carol and dave, who are the accounts 1 to 4. */
async function circle(store: StoreSubject): Promise<void> {
  for (const key of ['alice', 'bob', 'carol', 'dave']) await store.run('account.create', newAccount(key))
}

function meet(store: StoreSubject, a: bigint, b: bigint): Promise<boolean> {
  return store.run('contact.add', { a, b, at: 1n })
}

function block(store: StoreSubject, accountId: bigint, blockedId: bigint): Promise<boolean> {
  return store.run('block.add', { accountId, blockedId, at: 1n })
}

async function contacts(store: StoreSubject, accountId: bigint): Promise<readonly string[]> {
  return (await store.run('contact.list', { accountId })).map(({ key }) => key)
}

async function blocks(store: StoreSubject, accountId: bigint): Promise<readonly string[]> {
  return (await store.run('block.list', { accountId })).map(({ key }) => key)
}

/** Contacts and blocks, each sorted. */
async function relations(store: StoreSubject, accountId: bigint): Promise<readonly (readonly bigint[])[]> {
  const { contacts: known, blocks: blocked } = await store.run('people.relations', { accountId })
  return [known, blocked].map((ids) => ids.toSorted((one, other) => Number(one - other)))
}

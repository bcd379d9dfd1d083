import { describe, expect } from 'bun:test'
import type { InvitationState, NewInvitation } from '../../src/store/index.ts'
import { rejectionOf } from '../support/refusal.ts'
import { hashOf, newAccount, type StoreSubject, type WithStore } from './store-subject.ts'

export function invitationCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: invitation`, () => {
    withStore('is good until it expires, and told apart from one that nobody made', async (store) => {
      await invite(store, 'link', { expiresAt: 100n })
      expect(await states(store, 99n, 'link', 'other')).toEqual(['good', 'unknown'])
      expect(await states(store, 100n, 'link', 'other')).toEqual(['expired', 'unknown'])
    })

    withStore('makes as many accounts as it has uses, and no more', async (store) => {
      await invite(store, 'link', { uses: 2n })
      expect(await join(store, 'alice', 'link')).toBeUndefined()
      expect(await states(store, 1n, 'link')).toEqual(['good'])
      expect(await join(store, 'bob', 'link')).toBeUndefined()
      expect(await states(store, 1n, 'link')).toEqual(['used'])
      expect(await join(store, 'carol', 'link')).toBe('invitation_used')
      expect(await store.run('account.find', { key: 'carol' })).toBeUndefined()
    })

    withStore('of many who use one at the same moment exactly one gets in', async (store) => {
      await invite(store, 'link')
      const names = Array.from({ length: 20 }, (_, index) => `name-${index}`)
      const codes = await Promise.all(names.map((each) => join(store, each, 'link')))
      expect(codes.filter((code) => code === undefined)).toHaveLength(1)
      expect(codes.filter((code) => code === 'invitation_used')).toHaveLength(19)
    })

    withStore('nothing is left of an account whose invitation is not good, nor of its token', async (store) => {
      await invite(store, 'late', { expiresAt: 5n })
      expect(await join(store, 'alice', 'late', 5n)).toBe('invitation_expired')
      expect(await join(store, 'alice', 'foreign', 5n)).toBe('invitation_invalid')
      expect(await store.run('account.find', { key: 'alice' })).toBeUndefined()
      expect(await store.run('token.use', { hash: hashOf('alice'), at: 5n, idleMsMax: 100n })).toBeUndefined()
      expect((await store.run('account.create', newAccount('bob'))).id).toBe(1n)
    })

    withStore('a refused name takes no use of it', async (store) => {
      await store.run('account.create', newAccount('alice'))
      await invite(store, 'link')
      expect(await join(store, 'alice', 'link')).toBe('name_taken')
      expect(await join(store, 'bob', 'link')).toBeUndefined()
    })

    withStore('who has no good one does not learn which names are taken', async (store) => {
      await store.run('account.create', newAccount('alice'))
      expect(await join(store, 'alice', 'foreign')).toBe('invitation_invalid')
    })

    withStore('a printed one takes the place of the one printed before, unless that was used', async (store) => {
      await invite(store, 'made')
      await invite(store, 'printed', { printed: true, uses: 2n })
      await invite(store, 'printed again', { printed: true, uses: 2n })
      expect(await states(store, 1n, 'made', 'printed', 'printed again')).toEqual(['good', 'unknown', 'good'])
      await join(store, 'alice', 'printed again')
      await invite(store, 'printed later', { printed: true })
      expect(await states(store, 1n, 'made', 'printed again', 'printed later')).toEqual(['good', 'good', 'good'])
    })

    withStore('made again it is still the one that it was', async (store) => {
      await invite(store, 'link')
      await join(store, 'alice', 'link')
      await invite(store, 'link', { uses: 5n })
      expect(await states(store, 1n, 'link')).toEqual(['used'])
    })

    withStore(
      'an expired one is remembered for invitationMemoryMs',
      async (store) => {
        await invite(store, 'old', { expiresAt: 100n })
        await invite(store, 'next', { createdAt: 150n, expiresAt: 1_000n })
        expect(await states(store, 150n, 'old')).toEqual(['expired'])
        await invite(store, 'last', { createdAt: 151n, expiresAt: 1_000n })
        expect(await states(store, 151n, 'old', 'next', 'last')).toEqual(['unknown', 'good', 'good'])
      },
      { invitationMemoryMs: 50 },
    )

    withStore(
      'beyond invitationsMax it is busy; those that expired first make room, those that are good never',
      async (store) => {
        for (const [index, link] of ['c', 'b', 'a'].entries()) await invite(store, link, { expiresAt: 30n - BigInt(index) * 10n })
        expect(await rejectionOf(invite(store, 'd', { createdAt: 9n }))).toBe('busy')
        expect(await states(store, 9n, 'a', 'b', 'c', 'd')).toEqual(['good', 'good', 'good', 'unknown'])
        await invite(store, 'd', { createdAt: 25n })
        expect(await states(store, 25n, 'a', 'b', 'c', 'd')).toEqual(['unknown', 'expired', 'good', 'good'])
        await invite(store, 'e', { createdAt: 25n })
        expect(await rejectionOf(invite(store, 'f', { createdAt: 25n }))).toBe('busy')
      },
      { invitationsMax: 3 },
    )

    withStore(
      'one that was printed is not lost to the one for which there was no room',
      async (store) => {
        await invite(store, 'a')
        await invite(store, 'printed', { printed: true })
        await invite(store, 'printed again', { printed: true })
        await join(store, 'alice', 'printed again')
        await invite(store, 'b').catch(() => undefined)
        expect(await rejectionOf(invite(store, 'printed later', { printed: true }))).toBe('busy')
        expect(await states(store, 1n, 'a', 'b', 'printed again', 'printed later')).toEqual(['good', 'unknown', 'used', 'unknown'])
      },
      { invitationsMax: 2 },
    )
  })
}

function invite(store: StoreSubject, secret: string, other: Partial<NewInvitation> = {}): Promise<undefined> {
  return store.run('invitation.create', { hash: hashOf(secret), uses: 1n, expiresAt: 1_000n, createdAt: 0n, printed: false, ...other })
}

/** Registers with an invitation; the token's secret is the name. */
function join(store: StoreSubject, name: string, secret: string, at = 1n) {
  const [invitation, token] = [secret, name].map((each) => ({ hash: hashOf(each), at }))
  return rejectionOf(store.run('account.create', { ...newAccount(name), invitation, token }))
}

function states(store: StoreSubject, at: bigint, ...secrets: readonly string[]): Promise<readonly InvitationState[]> {
  return Promise.all(secrets.map((secret) => store.run('invitation.check', { hash: hashOf(secret), at })))
}

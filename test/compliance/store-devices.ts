import { describe, expect } from 'bun:test'
import type { Device, NewDevice } from '../../src/store/index.ts'
import { rejectionOf } from '../support/refusal.ts'
import { hashOf, idOf, people, type StoreSubject, type WithStore } from './store-subject.ts'

export function deviceCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: device`, () => {
    withStore('is found by the hash of its key, and stays over a restart', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      const laptop = await store.run('device.enrol', device('laptop', idOf(alice)))
      expect(laptop).toEqual({ ...stored('laptop', idOf(alice)) })
      await store.run('device.enrol', device('phone', idOf(bob)))
      await store.reopen()
      expect(await find(store, 'laptop')).toEqual(alice && { device: laptop, account: alice })
      expect((await find(store, 'phone'))?.account).toEqual(bob)
      expect(await find(store, 'tablet')).toBeUndefined()
    })

    withStore('enrolled again with the same keys is the same one, with another label and expiry', async (store) => {
      const [alice] = await people(store, 'alice')
      await store.run('device.enrol', device('laptop', idOf(alice)))
      const again = await store.run('device.enrol', { ...device('laptop', idOf(alice)), label: 'new', at: 9n, expiresAt: 900n })
      expect(again).toEqual({ ...stored('laptop', idOf(alice)), label: 'new', expiresAt: 900n })
      expect(await store.run('device.list', { accountId: idOf(alice) })).toEqual([again])
    })

    withStore('of somebody else, or with other keys, is refused and stays as it was', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      const [a, b] = [idOf(alice), idOf(bob)]
      const laptop = await store.run('device.enrol', device('laptop', a))
      const phone = device('phone', b)
      for (const wrong of [
        device('laptop', b),
        { ...device('laptop', a), ed25519: hashOf('x') },
        { ...device('laptop', a), x25519: hashOf('x') },
        { ...device('laptop', a), ed25519: undefined, x25519: undefined },
        { ...phone, ed25519: laptop.ed25519 },
        { ...phone, x25519: laptop.x25519 },
        { ...phone, id: laptop.id },
      ]) {
        expect(await rejectionOf(store.run('device.enrol', wrong))).toBe('enrolment_invalid')
      }
      expect(await store.run('device.list', { accountId: a })).toEqual([laptop])
      expect(await store.run('device.list', { accountId: b })).toEqual([])
    })

    withStore('may have no keys but the one of its certificate', async (store) => {
      const [alice] = await people(store, 'alice')
      for (const which of ['laptop', 'phone']) {
        const bare = { ...device(which, idOf(alice)), ed25519: undefined, x25519: undefined }
        expect(await store.run('device.enrol', bare)).toEqual({ ...stored(which, idOf(alice)), ed25519: undefined, x25519: undefined })
      }
      const half = { ...device('tablet', idOf(alice)), x25519: undefined }
      expect(await rejectionOf(store.run('device.enrol', half))).toBeDefined()
    })

    withStore('of a banned account or of nobody is not enrolled', async (store) => {
      const [alice] = await people(store, 'alice')
      await store.run('account.ban', { key: 'alice', at: 1n })
      for (const accountId of [idOf(alice), 99n]) {
        expect(await rejectionOf(store.run('device.enrol', device('laptop', accountId)))).toBe('not_found')
      }
    })

    withStore(
      'too many are refused until one is revoked',
      async (store) => {
        const [alice, bob] = await people(store, 'alice', 'bob')
        for (const which of ['a', 'b']) await store.run('device.enrol', device(which, idOf(alice)))
        expect(await rejectionOf(store.run('device.enrol', device('c', idOf(alice))))).toBe('busy')
        await store.run('device.enrol', device('d', idOf(bob)))
        expect((await store.run('device.enrol', device('a', idOf(alice)))).label).toBe('a')
        await revoke(store, 'a')
        await store.run('device.enrol', device('c', idOf(alice)))
        expect((await store.run('device.list', { accountId: idOf(alice) })).map(({ label }) => label).sort()).toEqual(['b', 'c'])
      },
      { devicesPerAccountMax: 2 },
    )

    withStore('that was revoked never comes back, and keeps the first moment', async (store) => {
      const [alice] = await people(store, 'alice')
      await store.run('device.enrol', device('laptop', idOf(alice)))
      expect((await revoke(store, 'laptop', 5n))?.device.revokedAt).toBe(5n)
      expect((await revoke(store, 'laptop', 6n))?.device.revokedAt).toBe(5n)
      expect(await rejectionOf(store.run('device.enrol', device('laptop', idOf(alice))))).toBe('enrolment_invalid')
      expect((await find(store, 'laptop'))?.device.revokedAt).toBe(5n)
      expect(await store.run('device.list', { accountId: idOf(alice) })).toEqual([])
      expect(await store.run('device.listAll', { after: '', max: 9n })).toEqual([])
    })

    withStore('is revoked by its owner and not by others; what there is not cannot be', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      await store.run('device.enrol', device('laptop', idOf(alice)))
      expect(await store.run('device.revoke', { id: idOfDevice('laptop'), accountId: idOf(bob), at: 1n })).toBeUndefined()
      expect(await store.run('device.revoke', { id: 'none', at: 1n })).toBeUndefined()
      expect((await find(store, 'laptop'))?.device.revokedAt).toBeUndefined()
      expect(await store.run('device.revoke', { id: idOfDevice('laptop'), accountId: idOf(alice), at: 1n })).toBeDefined()
    })

    withStore(
      'of the revoked ones the newest are remembered, and the others are unknown',
      async (store) => {
        const [alice] = await people(store, 'alice')
        for (const [at, which] of ['a', 'b', 'c'].entries()) {
          await store.run('device.enrol', device(which, idOf(alice)))
          await revoke(store, which, BigInt(at))
        }
        const known = await Promise.all(['a', 'b', 'c'].map(async (which) => (await find(store, which)) !== undefined))
        expect(known).toEqual([false, true, true])
      },
      { devicesPerAccountMax: 2 },
    )

    withStore(
      'notes its use once in deviceUsePrecisionMs',
      async (store) => {
        const [alice] = await people(store, 'alice')
        await store.run('device.enrol', device('laptop', idOf(alice)))
        await use(store, 'laptop', 10n)
        await use(store, 'laptop', 109n)
        expect((await find(store, 'laptop'))?.device.usedAt).toBe(10n)
        await use(store, 'laptop', 110n)
        expect((await find(store, 'laptop'))?.device.usedAt).toBe(110n)
      },
      { deviceUsePrecisionMs: 100 },
    )

    withStore('ends the token that it was enrolled with at its first use, and no other', async (store) => {
      const [alice] = await people(store, 'alice')
      for (const secret of ['mine', 'other']) await store.run('token.create', { hash: hashOf(secret), accountId: idOf(alice), at: 1n })
      await store.run('device.enrol', { ...device('laptop', idOf(alice)), token: hashOf('mine') })
      const good = async (secret: string) => (await store.run('token.use', { hash: hashOf(secret), at: 1n, idleMsMax: 99n })) !== undefined
      expect(await good('mine')).toBe(true)
      expect((await use(store, 'laptop', 2n))?.account.name).toBe('alice')
      expect([await good('mine'), await good('other')]).toEqual([false, true])
    })

    withStore('ends that token when it is revoked before it was ever used', async (store) => {
      const [alice] = await people(store, 'alice')
      await store.run('token.create', { hash: hashOf('mine'), accountId: idOf(alice), at: 1n })
      await store.run('device.enrol', { ...device('laptop', idOf(alice)), token: hashOf('mine') })
      await revoke(store, 'laptop')
      expect(await store.run('token.use', { hash: hashOf('mine'), at: 1n, idleMsMax: 99n })).toBeUndefined()
    })

    withStore('tells the token that it was enrolled with when it is revoked, also after its first use and a second time', async (store) => {
      const [alice] = await people(store, 'alice')
      await store.run('token.create', { hash: hashOf('mine'), accountId: idOf(alice), at: 1n })
      await store.run('device.enrol', { ...device('laptop', idOf(alice)), token: hashOf('mine') })
      await use(store, 'laptop', 2n)
      for (const at of [3n, 4n]) expect((await revoke(store, 'laptop', at))?.token).toEqual(new Uint8Array(hashOf('mine')))
      await store.run('device.enrol', device('phone', idOf(alice)))
      expect((await revoke(store, 'phone'))?.token).toBeUndefined()
    })

    withStore('notes no use of a revoked one or of a banned account, and says which it is', async (store) => {
      const [alice] = await people(store, 'alice', 'bob')
      await store.run('device.enrol', device('laptop', idOf(alice)))
      await store.run('account.ban', { key: 'alice', at: 7n })
      expect((await use(store, 'laptop', 8n))?.account.bannedAt).toBe(7n)
      await store.run('account.unban', { key: 'alice' })
      await revoke(store, 'laptop', 9n)
      expect((await use(store, 'laptop', 10n))?.device).toMatchObject({ revokedAt: 9n, usedAt: undefined })
      expect(await use(store, 'phone', 1n)).toBeUndefined()
    })

    withStore('are listed, while they are good, for their own account and for who talks with it', async (store) => {
      const [alice, bob, carol] = await people(store, 'alice', 'bob', 'carol')
      for (const [at, which] of ['a', 'b', 'c'].entries()) {
        await store.run('device.enrol', { ...device(which, idOf(alice)), at: BigInt(at), expiresAt: BigInt(100 + at) })
      }
      await revoke(store, 'b')
      await store.run('contact.add', { a: idOf(alice), b: idOf(bob), at: 1n })
      await store.run('contact.request', { accountId: idOf(carol), peerId: idOf(alice), id: hashOf('request').subarray(0, 16), at: 1n })
      const listed = async (accountId: bigint, at = 1n, key = 'alice') =>
        (await store.run('device.listFor', { accountId, key, at }))?.map(({ label }) => label)
      expect([await listed(idOf(alice)), await listed(idOf(bob)), await listed(idOf(carol))]).toEqual([['c', 'a'], ['c', 'a'], undefined])
      expect([await listed(idOf(bob), 100n), await listed(idOf(bob), 102n)]).toEqual([['c'], []])
      expect([await listed(idOf(alice), 1n, 'bob'), await listed(idOf(alice), 1n, 'nobody')]).toEqual([[], undefined])
      const ways: (readonly [bigint, bigint])[] = [
        [idOf(alice), idOf(bob)],
        [idOf(bob), idOf(alice)],
      ]
      for (const [accountId, blockedId] of ways) {
        await store.run('block.add', { accountId, blockedId, at: 1n })
        expect([await listed(idOf(bob)), await listed(idOf(alice))]).toEqual([undefined, ['c', 'a']])
        await store.run('block.remove', { accountId, blockedId })
      }
      await store.run('account.ban', { key: 'alice', at: 1n })
      expect([await listed(idOf(bob)), await listed(idOf(alice))]).toEqual([undefined, undefined])
    })

    withStore('all are listed by id, in pages, with whose they are', async (store) => {
      const [alice, bob] = await people(store, 'alice', 'bob')
      for (const which of ['c', 'a']) await store.run('device.enrol', device(which, idOf(alice)))
      await store.run('device.enrol', device('b', idOf(bob)))
      const ids = ['a', 'b', 'c'].map(idOfDevice).sort()
      const first = await store.run('device.listAll', { after: '', max: 2n })
      const rest = await store.run('device.listAll', { after: first.at(-1)?.device.id ?? '', max: 2n })
      expect([...first, ...rest].map((owner) => owner.device.id)).toEqual(ids)
      expect(first.concat(rest).find(({ device: { label } }) => label === 'b')?.account.name).toBe('bob')
    })

    withStore('an account lists its own, the newest first', async (store) => {
      const [alice] = await people(store, 'alice')
      for (const [at, which] of ['a', 'b', 'c'].entries()) {
        await store.run('device.enrol', { ...device(which, idOf(alice)), at: BigInt(at) })
      }
      expect((await store.run('device.list', { accountId: idOf(alice) })).map(({ label }) => label)).toEqual(['c', 'b', 'a'])
    })
  })

  describe(`${name}: server`, () => {
    withStore('has one number for ever, the first that it was given', async (store) => {
      const [first, second] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
      expect(await store.run('server.id', { fresh: first })).toEqual(first)
      expect(await store.run('server.id', { fresh: second })).toEqual(first)
      await store.reopen()
      expect(await store.run('server.id', { fresh: second })).toEqual(first)
    })
  })
}

function device(which: string, accountId: bigint): NewDevice {
  const [spkiHash, ed25519, x25519] = [hashOf(which), hashOf(`ed ${which}`), hashOf(`x ${which}`)]
  return { spkiHash, id: idOfDevice(which), accountId, ed25519, x25519, label: which, at: 1n, expiresAt: 99n }
}

function stored(which: string, accountId: bigint): Device {
  const { at, ...rest } = device(which, accountId)
  const plain = (bytes: Uint8Array | undefined): Uint8Array | undefined => bytes && new Uint8Array(bytes)
  const keys = { spkiHash: new Uint8Array(rest.spkiHash), ed25519: plain(rest.ed25519), x25519: plain(rest.x25519) }
  const { id, label, expiresAt } = rest
  return { ...keys, id, accountId, label, expiresAt, enrolledAt: at, usedAt: undefined, revokedAt: undefined }
}

function idOfDevice(which: string): string {
  return Buffer.from(hashOf(which)).toString('hex').slice(0, 20)
}

function find(store: StoreSubject, which: string) {
  return store.run('device.find', { spkiHash: hashOf(which) })
}

function use(store: StoreSubject, which: string, at: bigint) {
  return store.run('device.use', { spkiHash: hashOf(which), at })
}

function revoke(store: StoreSubject, which: string, at = 1n) {
  return store.run('device.revoke', { id: idOfDevice(which), at })
}

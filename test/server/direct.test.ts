import { describe, expect, test } from 'bun:test'
import { TokenBucket } from '../../src/domain/index.ts'
import { encodeResult, parseEvent } from '../../src/protocol/contract/index.ts'
import { frameBodyBytesLimit, resolveLimits } from '../../src/protocol/index.ts'
import { Direct, type DirectSession } from '../../src/server/direct.ts'
import type { Standing } from '../../src/server/people/presence.ts'
import { inMemory, openInProcessStore, type Store } from '../../src/store/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

const offer = { token: new Uint8Array(16), candidates: [] }

function standing(contacts: readonly bigint[], blocks: readonly bigint[] = []): Standing {
  return {
    contacts: new Set(contacts),
    blocks: new Set(blocks),
    visibility: 'contacts',
    privacy: { presence: true, typing: true, delivered: true, read: true },
  }
}

/** A session of the account `id`, and what it heard. */
function session(id: bigint, contacts: readonly bigint[], more: Partial<DirectSession> = {}) {
  const heard: unknown[] = []
  const key = `account ${id}`
  const hear = (event: Uint8Array): void => void heard.push(parseEvent(event)?.data)
  return { id, key, name: key, standing: standing(contacts), keepsUp: true, offers: new TokenBucket(1, 10_000, 0), hear, heard, ...more }
}

function direct(store: Pick<Store, 'run'> = { run: () => Promise.reject(new Error('nothing is stored')) }): Direct {
  return new Direct({ store, clock: new ManualClock(), directWatchedMax: 9 })
}

describe('Direct', () => {
  test('spares a session that does not keep up, and does not count it', () => {
    const all = direct()
    const [alice, slow, quick] = [session(1n, [2n]), session(2n, [1n], { keepsUp: false }), session(2n, [1n])]
    for (const each of [slow, quick]) all.listen(each, 'd', true)
    expect(all.offer(alice, 'a', 'account 2', offer)).toBe(1)
    expect([slow.heard, quick.heard]).toEqual([[], [{ from: 'account 1', device: 'a', ...offer }]])
  })

  test('wants both to know of it that they talk', () => {
    const all = direct()
    for (const [mine, theirs] of [
      [[2n], []],
      [[], [1n]],
    ] as const) {
      const other = session(2n, theirs)
      all.listen(other, 'd', true)
      expect([all.offer(session(1n, mine), 'a', 'account 2', offer), other.heard]).toEqual([0, []])
      all.leave(other)
    }
  })

  test('tells a session once, however often it said that it takes offers', () => {
    const all = direct()
    const other = session(2n, [1n])
    for (const on of [true, true, false, false, true]) all.listen(other, 'd', on)
    expect(all.offer(session(1n, [2n]), 'a', 'account 2', offer)).toBe(1)
    expect(other.heard).toHaveLength(1)
    all.leave(other)
    expect(all.offer(session(1n, [2n]), 'a', 'account 2', offer)).toBe(0)
  })

  test('lists no more devices than one frame holds', async () => {
    using stored = openInProcessStore(inMemory, resolveLimits({ devicesPerAccountMax: 1_000 }))
    stored.run('account.create', { name: 'ann', key: 'account 1', skeleton: 'ann', passwordHash: undefined, createdAt: 1n })
    for (let index = 0; index < 1_000; index++) {
      const [spkiHash, ed25519, x25519] = [0, 1, 2].map((kind) => new Uint8Array(Buffer.alloc(32, `${kind}-${index}-`)))
      const keys = { spkiHash: spkiHash as Uint8Array, ed25519, x25519, id: `${index}`.padStart(32, 'x') }
      stored.run('device.enrol', { ...keys, accountId: 1n, label: '', at: BigInt(index), expiresAt: 9_000_000_000_000n })
    }
    const devices = await direct({ run: async (name, input) => stored.run(name, input) }).devicesOf(session(1n, []), 'account 1')
    const { length } = encodeResult(0xffff_ffff, 'direct.devices', { devices })
    expect(length).toBeLessThanOrEqual(frameBodyBytesLimit)
    expect(devices.length).toBeGreaterThan(500)
    expect(devices[0]?.device).toBe('999'.padStart(32, 'x'))
  })
})

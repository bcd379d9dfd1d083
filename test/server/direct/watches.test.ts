import { describe, expect, test } from 'bun:test'
import { parseEvent } from '../../../src/protocol/contract/index.ts'
import { type DirectDevice, DirectWatches } from '../../../src/server/direct/watches.ts'
import { rejectionOf } from '../../support/refusal.ts'

const known = (...ids: readonly string[]): DirectDevice[] => ids.map((device) => ({ device, spki: new Uint8Array(32) }))
const idsOf = (devices: readonly DirectDevice[]): string[] => devices.map(({ device }) => device)

/** A session of an account, and what it was told. */
function watcher(key: string) {
  const told: unknown[] = []
  return { key, told, hear: (event: Uint8Array) => void told.push(parseEvent(event)?.data) }
}

function watches(accountsMax = 9) {
  return new DirectWatches<ReturnType<typeof watcher>>(accountsMax)
}

describe('DirectWatches', () => {
  test('takes out of an answer what is told before it was written', async () => {
    const all = watches()
    const alice = watcher('alice')
    const answer = await all.ask(alice, 'bob', async () => known('a', 'b', 'c'))
    all.revoked('bob', 'b')
    expect([idsOf(answer), alice.told]).toEqual([['a', 'c'], [{ device: 'b' }]])
    all.over('bob')
    expect([idsOf(answer), alice.told.slice(1)]).toEqual([[], [{ device: 'a' }, { device: 'c' }]])
    all.revoked('bob', 'a')
    expect(alice.told).toHaveLength(3)
  })

  test('leaves alone what was asked for before, of whomever, and what others were answered', async () => {
    const all = watches()
    const [alice, carol] = [watcher('alice'), watcher('carol')]
    const first = await all.ask(alice, 'bob', async () => known('a'))
    const other = await all.ask(carol, 'dora', async () => known('a'))
    await all.ask(alice, 'bob', async () => known('a', 'b'))
    all.revoked('bob', 'a')
    expect([idsOf(first), idsOf(other)]).toEqual([['a'], ['a']])
    expect([alice.told, carol.told]).toEqual([[{ device: 'a' }], []])
  })

  test('tells nothing of an account about which it has answered nothing, not even while that is looked up', async () => {
    const all = watches()
    const alice = watcher('alice')
    const looked = Promise.withResolvers<DirectDevice[] | undefined>()
    const asked = rejectionOf(all.ask(alice, 'bob', () => looked.promise))
    all.revoked('bob', 'a')
    looked.resolve(undefined)
    expect(await asked).toBe('not_found')
    all.revoked('bob', 'b')
    all.over('bob')
    expect(alice.told).toEqual([])
  })

  test('is over for the sessions of one account alone where two part', async () => {
    const all = watches()
    const sessions = [watcher('alice'), watcher('alice'), watcher('carol')]
    for (const session of sessions) await all.ask(session, 'bob', async () => known('a'))
    all.over('bob', 'alice')
    expect(sessions.map(({ told }) => told)).toEqual([[{ device: 'a' }], [{ device: 'a' }], []])
    all.revoked('bob', 'a')
    expect(sessions.map(({ told }) => told.length)).toEqual([1, 1, 1])
  })

  test('forgets of one session the account asked for longest ago', async () => {
    const all = watches(2)
    const alice = watcher('alice')
    for (const key of ['bob', 'carol', 'bob', 'dora']) await all.ask(alice, key, async () => known(`of ${key}`))
    for (const key of ['bob', 'carol', 'dora']) all.over(key)
    expect(alice.told).toEqual([{ device: 'of bob' }, { device: 'of dora' }])
  })

  test('answers nothing to a session that has gone meanwhile, and keeps nothing of it', async () => {
    const all = watches()
    const alice = watcher('alice')
    const looked = Promise.withResolvers<DirectDevice[]>()
    const asked = rejectionOf(all.ask(alice, 'bob', () => looked.promise))
    all.leave(alice)
    looked.resolve(known('a'))
    expect(await asked).toBe('not_found')
    all.over('bob')
    expect(alice.told).toEqual([])
  })
})

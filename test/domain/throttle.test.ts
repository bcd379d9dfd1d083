import { describe, expect, test } from 'bun:test'
import { loginWaitMs, pairWindowMs, throttleKeys } from '../../src/domain/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'

const limits = resolveLimits()
const keys = throttleKeys('alice', '192.0.2.1')
const now = 1_800_000_000_000
const minute = 60_000

function row(key: string, failures: number, at: { readonly since?: number; readonly lastAt?: number } = {}) {
  const { since = now, lastAt = now } = at
  return { key, failures: BigInt(failures), since: BigInt(since), lastAt: BigInt(lastAt) }
}

describe('throttleKeys', () => {
  test('counts an account for each address and an address for all accounts', () => {
    expect(keys).toEqual({ pair: 'account:alice:192.0.2.1', address: 'address:192.0.2.1' })
    expect(throttleKeys('alice', '2001:db8::1')).toEqual(throttleKeys('alice', '2001:db8::2'))
    expect(throttleKeys('alice', '::ffff:192.0.2.1')).toEqual(keys)
  })
})

describe('loginWaitMs', () => {
  test('lets the first failures go free, then doubles the delay up to its cap', () => {
    const wait = (failures: number): number => loginWaitMs([row(keys.pair, failures)], keys, now, limits)
    expect(loginWaitMs([], keys, now, limits)).toBe(0)
    expect([1, 5, 6, 7, 8, 9, 15].map(wait)).toEqual([0, 0, 1000, 2000, 4000, 8000, 512_000])
    expect([16, 17, 1_000_000].map(wait)).toEqual([15 * minute, 15 * minute, 15 * minute])
  })

  test('counts the delay from the last failure', () => {
    const rows = [row(keys.pair, 8, { since: now - minute, lastAt: now - 1500 })]
    expect(loginWaitMs(rows, keys, now, limits)).toBe(2500)
    expect(loginWaitMs(rows, keys, now + 2500, limits)).toBe(0)
  })

  test('forgets the failures of an account and address a day after the last of them', () => {
    const long = { ...limits, loginDelayMsMax: 24 * 60 * minute }
    const rows = [row(keys.pair, 40, { lastAt: now - pairWindowMs(long) + 1 })]
    expect(loginWaitMs(rows, keys, now, long)).toBe(1)
    expect(loginWaitMs(rows, keys, now + 2, long)).toBe(0)
  })

  test('remembers failures at least as long as they delay', () => {
    expect(pairWindowMs({ ...limits, loginFailureMemoryMs: 1000 })).toBe(15 * minute)
  })

  test('lets an address fail 20 times in 10 minutes, whatever the accounts', () => {
    const wait = (failures: number, at = now): number => loginWaitMs([row(keys.address, failures, { since: now })], keys, at, limits)
    expect(wait(19)).toBe(0)
    expect(wait(20)).toBe(10 * minute)
    expect(wait(20, now + 4 * minute)).toBe(6 * minute)
    expect(wait(500, now + 10 * minute)).toBe(0)
  })

  test('waits for the longer of the two', () => {
    const rows = [row(keys.address, 20, { since: now - 10 * minute + 500 }), row(keys.pair, 7)]
    expect(loginWaitMs(rows, keys, now, limits)).toBe(2000)
    expect(loginWaitMs(rows.slice(0, 1), keys, now, limits)).toBe(500)
  })

  test('does not mind rows of others, so that nobody is kept out from elsewhere', () => {
    const elsewhere = throttleKeys('alice', '198.51.100.7')
    expect(loginWaitMs([row(elsewhere.pair, 1000), row(elsewhere.address, 1000)], keys, now, limits)).toBe(0)
  })

  test('makes nobody wait longer because the clock was set back', () => {
    const hour = 60 * minute
    expect(loginWaitMs([row(keys.pair, 7, { lastAt: now + hour })], keys, now, limits)).toBe(2000)
    expect(loginWaitMs([row(keys.address, 20, { since: now + hour })], keys, now, limits)).toBe(10 * minute)
  })
})

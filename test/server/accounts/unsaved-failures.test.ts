import { describe, expect, test } from 'bun:test'
import { UnsavedFailures } from '../../../src/server/accounts/unsaved-failures.ts'

describe('UnsavedFailures', () => {
  test('counts failures under a key until it is cleared', () => {
    const failures = new UnsavedFailures(10)
    failures.fail('a', 100n, 1000n)
    failures.fail('a', 200n, 1000n)
    expect(failures.read(['a', 'b'])).toEqual([{ key: 'a', failures: 2n, since: 100n, lastAt: 200n }])
    failures.clear('a')
    expect(failures.read(['a'])).toEqual([])
  })

  test('starts again after a window without a failure', () => {
    const failures = new UnsavedFailures(10)
    failures.fail('a', 100n, 1000n)
    failures.fail('a', 1101n, 1000n)
    expect(failures.read(['a'])[0]?.failures).toBe(1n)
  })

  test('keeps no more rows than it may, the newest ones', () => {
    const failures = new UnsavedFailures(2)
    for (const key of ['a', 'b', 'c']) failures.fail(key, 1n, 1000n)
    expect(failures.read(['a', 'b', 'c']).map(({ key }) => key)).toEqual(['b', 'c'])
  })
})

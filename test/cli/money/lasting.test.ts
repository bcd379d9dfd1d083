import { describe, expect, test } from 'bun:test'
import { lastingMs } from '../../../src/cli/money/lasting.ts'
import { refused } from '../home-support.ts'

describe('lastingMs', () => {
  test('is what was said, and a little less than the longest, for a clock that is ahead of that of the server', () => {
    const day = 24 * 60 * 60_000
    expect([lastingMs('1m', 30 * day), lastingMs('29d', 30 * day)]).toEqual([60_000, 29 * day])
    expect(lastingMs('30d', 30 * day)).toBe(30 * day - 60_000)
    for (const text of ['31d', '59s', 'x']) expect(refused(() => lastingMs(text, 30 * day)).code).toBe('usage')
  })
})

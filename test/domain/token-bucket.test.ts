import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { TokenBucket } from '../../src/domain/index.ts'

describe('TokenBucket', () => {
  test('gives a burst at once and then the rate', () => {
    const bucket = new TokenBucket(20, 3, 1000)
    expect([bucket.take(1000), bucket.take(1000), bucket.take(1000), bucket.take(1000)]).toEqual([true, true, true, false])
    expect(bucket.take(1049)).toBe(false)
    expect(bucket.take(1050)).toBe(true)
    expect(bucket.take(1099)).toBe(false)
    expect(bucket.take(1100)).toBe(true)
  })

  test('takes nothing when fewer tokens are there than asked for', () => {
    const bucket = new TokenBucket(1, 10, 0)
    expect(bucket.take(0, 11)).toBe(false)
    expect(bucket.take(0, 10)).toBe(true)
    expect(bucket.available(3000)).toBe(3)
    expect(bucket.take(3000, 4)).toBe(false)
    expect(bucket.available(3000)).toBe(3)
  })

  test('holds no more than its burst however long nobody takes', () => {
    const bucket = new TokenBucket(1000, 5, 0)
    bucket.take(0)
    expect(bucket.available(1e12)).toBe(5)
    expect(bucket.take(1e12, 6)).toBe(false)
  })

  test('says when the next tokens are there', () => {
    const bucket = new TokenBucket(3, 4, 0)
    expect(bucket.waitMs(0)).toBe(0)
    bucket.take(0, 4)
    expect(bucket.waitMs(0)).toBe(334)
    expect(bucket.waitMs(0, 3)).toBe(1000)
    expect(bucket.waitMs(0, 5)).toBe(Number.POSITIVE_INFINITY)
    expect(bucket.take(333)).toBe(false)
    expect(bucket.take(334)).toBe(true)
  })

  test('never drifts: a year at a third of a token a millisecond', () => {
    const perSecond = 333
    const year = 365 * 24 * 3600 * 1000
    // Asks in steps that are no whole tokens, and takes whatever is there, without ever letting the bucket be full.
    const bucket = new TokenBucket(perSecond, 1e9, 0)
    bucket.take(0, 1e9)
    let taken = 0
    for (let now = 0; now <= year; now += year / 1_000) {
      const count = bucket.available(now) - 1
      if (count > 0 && bucket.take(now, count)) taken += count
    }
    expect(taken + bucket.available(year)).toBe((year / 1000) * perSecond)
  })

  test('an empty bucket holds 0 tokens, not -0', () => {
    const bucket = new TokenBucket(1, 2, 0)
    bucket.take(0, 2)
    expect(Object.is(bucket.available(0), 0)).toBe(true)
  })

  test('agrees with exact arithmetic for any rate, burst and times', () => {
    const step = fc.record({ waitMs: fc.nat(5_000), count: fc.integer({ min: 1, max: 40 }) })
    const settings = {
      rate: fc.integer({ min: 1, max: 2_000 }),
      burst: fc.integer({ min: 1, max: 50 }),
      steps: fc.array(step, { maxLength: 60 }),
    }
    fc.assert(
      fc.property(fc.record(settings), ({ rate, burst, steps }) => {
        const bucket = new TokenBucket(rate, burst, 0)
        const full = BigInt(burst) * 1000n
        let [now, held] = [0, full]
        for (const { waitMs, count } of steps) {
          now += waitMs
          held += BigInt(waitMs) * BigInt(rate)
          if (held > full) held = full
          const needed = BigInt(count) * 1000n
          expect(bucket.available(now)).toBe(Number(held / 1000n))
          if (count <= burst) {
            const wait = bucket.waitMs(now, count)
            expect(BigInt(wait)).toBe(held >= needed ? 0n : (needed - held + BigInt(rate) - 1n) / BigInt(rate))
          }
          expect(bucket.take(now, count)).toBe(held >= needed)
          if (held >= needed) held -= needed
        }
      }),
    )
  })
})

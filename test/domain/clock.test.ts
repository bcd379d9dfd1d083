import { describe, expect, test } from 'bun:test'
import { systemClock } from '../../src/domain/index.ts'

describe('systemClock', () => {
  test('tells the time of day and a time that never goes back', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000)
    let before = systemClock.monotonic()
    for (let i = 0; i < 1000; i++) {
      const now = systemClock.monotonic()
      expect(now).toBeGreaterThanOrEqual(before)
      before = now
    }
  })

  test('calls back once after a time, or again and again, until it is cancelled', async () => {
    const told: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    systemClock.after(0, () => told.push('never')).cancel()
    systemClock.after(1, () => told.push('once'))
    const timer = systemClock.every(2, () => {
      told.push('again')
      if (told.filter((word) => word === 'again').length < 3) return
      timer.cancel()
      // Long enough for a further call, were there one.
      systemClock.after(20, resolve)
    })
    await promise
    expect(told.toSorted()).toEqual(['again', 'again', 'again', 'once'])
  })
})

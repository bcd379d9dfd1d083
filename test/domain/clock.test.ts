import { describe, expect, test } from 'bun:test'
import { systemClock, waitAtMost } from '../../src/domain/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

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

describe('waitAtMost', () => {
  const clock = (): ManualClock => new ManualClock()

  test('waits for the work, or for its time, and leaves no timer behind', async () => {
    const time = clock()
    await waitAtMost(time, 100, Promise.resolve())
    expect(time.timers).toBe(0)
    let isOver = false
    const waiting = waitAtMost(time, 100, new Promise(() => {})).then(() => (isOver = true))
    await time.move(99)
    expect(isOver).toBe(false)
    await time.move(1)
    await waiting
    expect(time.timers).toBe(0)
  })

  test('fails as the work does', async () => {
    const time = clock()
    const reason = new Error('no')
    expect(await waitAtMost(time, 100, Promise.reject(reason)).catch((cause: unknown) => cause)).toBe(reason)
    expect(time.timers).toBe(0)
  })
})

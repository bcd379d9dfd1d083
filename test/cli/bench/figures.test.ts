import { describe, expect, test } from 'bun:test'
import { type Accepted, paceOf, waitsOf } from '../../../src/cli/bench/figures.ts'

/** So many, evenly, between two times. */
function evenly(count: number, fromMs: number, toMs: number, waitMs = 1): readonly Accepted[] {
  return Array.from({ length: count }, (_, index) => ({ atMs: fromMs + ((toMs - fromMs) * (index + 1)) / count, waitMs }))
}

describe('waitsOf', () => {
  test('takes the smallest wait that so many are not longer than', () => {
    const waits = waitsOf(Array.from({ length: 1000 }, (_, index) => 1000 - index))
    expect(waits).toEqual({ count: 1000, p50Ms: 500, p99Ms: 990, p999Ms: 999, mostMs: 1000 })
  })

  test('is nothing of nothing', () => {
    expect(waitsOf([])).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, p999Ms: 0, mostMs: 0 })
  })
})

const eightSeconds = { elapsedMs: 8000, usualPerSecond: 20 }

describe('paceOf', () => {
  test('counts everything that a server takes evenly', () => {
    const pace = paceOf(evenly(4000, 0, 8000), eightSeconds)
    expect(pace.perSecond).toBeCloseTo(500)
    expect(pace.heldBack).toBeUndefined()
  })

  test('counts what came before the server held it back', () => {
    // 1,000 at once at 2,000 a second, then 20 a second until 8 s are over.
    const all = [...evenly(1010, 0, 505, 2), ...evenly(150, 505, 8000, 800)]
    const { perSecond, heldBack, p99Ms } = paceOf(all, eightSeconds)
    expect(heldBack?.perSecond).toBeWithin(19, 22)
    expect(heldBack?.after).toBeWithin(980, 1020)
    expect(perSecond).toBeCloseTo(2000, -2)
    expect(p99Ms).toBe(2)
  })

  test('does not take a server that became slower for one that holds back', () => {
    expect(paceOf([...evenly(3000, 0, 4000), ...evenly(1000, 4000, 8000)], eightSeconds).heldBack).toBeUndefined()
  })

  test('tells of a server that took everything at once and then nothing', () => {
    expect(paceOf(evenly(64, 0, 20), eightSeconds).heldBack).toEqual({ after: 64, perSecond: 0 })
  })

  test('says nothing of who sets the pace after a second: a machine with other work may stand still for as long', () => {
    const all = [...evenly(500, 0, 400), ...evenly(4, 400, 1000)]
    expect(paceOf(all, { elapsedMs: 1000, usualPerSecond: 20 })).toMatchObject({ count: 504, heldBack: undefined })
  })

  test('is nothing of nothing', () => {
    expect(paceOf([], eightSeconds)).toMatchObject({ count: 0, perSecond: 0, heldBack: undefined })
  })

  test('tells of an account that has used up what it may say at once', () => {
    const { perSecond, heldBack, count } = paceOf(evenly(168, 0, 8000, 190), eightSeconds)
    expect({ perSecond, heldBack, count }).toEqual({ perSecond: 21, heldBack: { after: 0, perSecond: 21 }, count: 168 })
  })
})

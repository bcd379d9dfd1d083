import { expect, test } from 'bun:test'
import { moneyFaultKinds, moneySchedule } from './money-run.ts'
import { randomOf } from './random.ts'

const what = { count: 40, outcomes: 1_000, kinds: new Set(moneyFaultKinds) }

test('the same seed makes the same schedule, and another one another', () => {
  expect(moneySchedule(randomOf(7), what)).toEqual(moneySchedule(randomOf(7), what))
  expect(moneySchedule(randomOf(7), what)).not.toEqual(moneySchedule(randomOf(8), what))
})

test('a schedule goes forward, ends before the orders do, and of each twenty faults has all kinds', () => {
  const faults = moneySchedule(randomOf(7), what)
  const moments = faults.map(({ after }) => after)
  expect(moments).toEqual(moments.toSorted((one, other) => one - other))
  expect(moments.at(-1)).toBeLessThan(what.outcomes)
  for (const part of [faults.slice(0, 20), faults.slice(20)]) expect(new Set(part.map(({ kind }) => kind))).toEqual(what.kinds)
})

test('what cannot happen on a machine is left out', () => {
  const faults = moneySchedule(randomOf(7), { ...what, kinds: new Set(['server', 'before'] as const) })
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['server', 'before']))
})

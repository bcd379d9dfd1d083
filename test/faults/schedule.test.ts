import { expect, test } from 'bun:test'
import { schedule } from './fault-run.ts'
import { randomOf } from './random.ts'

const what = { count: 100, messages: 1_000, clients: 8 }

test('the same seed makes the same schedule, and another one another', () => {
  expect(schedule(randomOf(7), what)).toEqual(schedule(randomOf(7), what))
  expect(schedule(randomOf(7), what)).not.toEqual(schedule(randomOf(8), what))
})

test('a schedule goes forward, ends before the messages do, and has faults of every kind', () => {
  const faults = schedule(randomOf(7), what)
  const moments = faults.map(({ after }) => after)
  expect(moments).toEqual(moments.toSorted((one, other) => one - other))
  expect(moments.at(-1)).toBeLessThan(what.messages)
  const count = (kind: string): number => faults.filter((each) => each.kind === kind).length
  expect([count('server'), count('client'), count('cut')]).toEqual([20, 30, 50])
  const cuts = faults.flatMap((each) => (each.kind === 'cut' ? [each.cut] : []))
  for (const way of ['up', 'reset'] as const) expect(new Set(cuts.map((cut) => cut[way])).size).toBe(2)
})

import { expect, test } from 'bun:test'
import { exposition, type MetricRow } from '../../../src/server/metrics/exposition.ts'
import { Histogram } from '../../../src/server/metrics/histogram.ts'

function row(type: MetricRow['type'], ...labels: string[]): MetricRow {
  return { type, help: 'What it is', labels }
}

test('a metric is two lines about it and one for each value', () => {
  const table = { a_total: row('counter'), b: row('gauge', 'x', 'y') }
  const readings = { a_total: 7, b: [[['1', '2'], 0.5] as const, [['3', '4'], Number.POSITIVE_INFINITY] as const] }
  expect(exposition(table, readings)).toBe(
    [
      ...['# HELP a_total What it is', '# TYPE a_total counter', 'a_total 7'],
      ...['# HELP b What it is', '# TYPE b gauge', 'b{x="1",y="2"} 0.5', 'b{x="3",y="4"} +Inf', ''],
    ].join('\n'),
  )
})

test('what is not known has no value, and its two lines all the same', () => {
  expect(exposition({ a: row('gauge'), b: row('gauge') }, { a: undefined })).not.toMatch(/^[ab]/m)
  expect(exposition({ a: row('gauge') }, { a: undefined })).toContain('# TYPE a gauge\n')
})

test('no word of a label can end it, or the line', () => {
  const page = exposition({ a: row('gauge', 'x') }, { a: [[['"} 1\nb{y="\\'], 2]] })
  expect(page.split('\n')[2]).toBe('a{x="\\"} 1\\nb{y=\\"\\\\"} 2')
})

test('a histogram counts each value in its own step and all above', () => {
  const seconds = new Histogram([0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 1.5, 100]) seconds.observe(value)
  expect(
    exposition({ a: row('histogram', 'x') }, { a: [[['m'], seconds]] })
      .split('\n')
      .slice(2, -1),
  ).toEqual([
    ...['a_bucket{x="m",le="0.1"} 2', 'a_bucket{x="m",le="1"} 3', 'a_bucket{x="m",le="+Inf"} 5'],
    ...['a_sum{x="m"} 102.15', 'a_count{x="m"} 5'],
  ])
})

// Prometheus' text format, version 0.0.4: two lines about a metric, then one line for each of its values.

import { Histogram } from './histogram.ts'

/** What a metric is. `counter`: only goes up, from 0 at the start. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

/** One value of a metric, with what its labels are there. */
export type Labelled = readonly [labels: readonly string[], value: number | Histogram]
/** What a metric is now: without labels its one value, `undefined` when it is not known. */
export type Reading = number | Histogram | undefined | readonly Labelled[]

/** `Content-Type` of what {@link exposition} makes. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

/** The page of all metrics; one without a reading has its two lines all the same. */
export function exposition(table: Readonly<Record<string, MetricRow>>, readings: Readonly<Record<string, Reading>>): string {
  return Object.entries(table)
    .map(([name, row]) => [`# HELP ${name} ${escape(row.help)}`, `# TYPE ${name} ${row.type}`, ...lines(name, row, readings[name])])
    .map((each) => `${each.join('\n')}\n`)
    .join('')
}

function lines(name: string, { labels }: MetricRow, reading: Reading): readonly string[] {
  if (reading === undefined) return []
  const values: readonly Labelled[] = Array.isArray(reading) ? reading : [[[], reading as number | Histogram]]
  return values.flatMap(([words, value]) => valueLines(name, pairsOf(labels, words), value))
}

function valueLines(name: string, pairs: readonly string[], value: number | Histogram): readonly string[] {
  if (!(value instanceof Histogram)) return [`${name}${braced(pairs)} ${numberText(value)}`]
  let total = 0
  const steps = value.counts.map((count, step) => {
    total += count
    const end = value.bounds[step]
    return `${name}_bucket${braced([...pairs, `le="${end === undefined ? '+Inf' : numberText(end)}"`])} ${total}`
  })
  return [...steps, `${name}_sum${braced(pairs)} ${numberText(value.sum)}`, `${name}_count${braced(pairs)} ${total}`]
}

function pairsOf(labels: readonly string[], words: readonly string[]): readonly string[] {
  return labels.map((label, index) => `${label}="${escape(words[index] ?? '').replaceAll('"', '\\"')}"`)
}

function braced(pairs: readonly string[]): string {
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

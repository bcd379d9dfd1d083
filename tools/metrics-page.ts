// Writes the table of metrics in docs/operations.md, between its two markers, from src/server/metrics/metric-table.ts: npm run
// pages. The prose around it is written by hand; a test keeps the table equal to the source.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { MetricRow } from '../src/server/metrics/exposition.ts'
import { metricTable } from '../src/server/metrics/metric-table.ts'
import { markdownTable } from './markdown.ts'

const begin = '<!-- The table is written by `npm run pages` from src/server/metrics/metric-table.ts. -->'
const end = '<!-- End of the table. -->'

/** The page with the table of today. */
export function metricsPage(page: string): string {
  const [before = '', rest = ''] = page.split(begin)
  return `${before}${begin}\n\n${metricsTable()}\n${end}${rest.split(end)[1] ?? '\n'}`
}

function metricsTable(): string {
  const rows = Object.entries<MetricRow>(metricTable).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(' '),
    help,
  ])
  return markdownTable(['name', 'type', 'labels', 'what it is'], rows)
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../docs/operations.md', import.meta.url))
  writeFileSync(path, metricsPage(readFileSync(path, 'utf8')))
}

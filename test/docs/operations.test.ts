import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { metricTable } from '../../src/server/metrics/metric-table.ts'
import { metricsPage } from '../../tools/metrics-page.ts'

const folder = new URL('../../docs/', import.meta.url)
const page = readFileSync(new URL('operations.md', folder), 'utf8')

test('the table of metrics in docs/operations.md is what npm run pages writes', () => {
  expect(page).toBe(metricsPage(page))
})

test('the page names metrics that there are', () => {
  const names = Array.from(page.matchAll(/sealwire_[a-z_]+/g), ([name]) => name.replace(/_(bucket|sum|count)$/, ''))
  expect(names.length).toBeGreaterThan(60)
  for (const name of names.filter((each) => each !== 'sealwire_')) expect(Object.keys(metricTable)).toContain(name)
})

test('a metric says what it is: counters end with _total, names have their unit', () => {
  for (const [name, { type, help }] of Object.entries(metricTable)) {
    expect(name).toMatch(/^sealwire_[a-z_]+$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(help).toMatch(/^[A-Z0-9][^\n]*[^.]$/)
    if (/in seconds/.test(help)) expect(name).toMatch(/_seconds(_[a-z]+)*$/)
    if (/in bytes/.test(help)) expect(name).toMatch(/_bytes(_[a-z]+)*$/)
  }
})

test('what the page links to is there', () => {
  for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)(?:#[a-z-]+)?\)/g))
    expect([target, existsSync(new URL(target, folder))]).toEqual([target, true])
})

import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { alerts } from '../../src/link/tls/alert.ts'
import { tlsErrorsPage } from '../../tools/tls-errors-page.ts'

const page = readFileSync(new URL('../../docs/tls-errors.md', import.meta.url), 'utf8')

test('docs/tls-errors.md has the tables that npm run pages writes', () => {
  expect(page).toBe(tlsErrorsPage(page))
})

test('the page has every alert with its number, and leaves nothing untold', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  for (const [name, { number }] of Object.entries(alerts)) {
    expect(rows.filter((row) => new RegExp(`^\\| \`${name}\` +\\| ${number} `).test(row))).toHaveLength(1)
  }
  for (const row of rows) {
    const [, code, sentence, what] = row.split('|').map((cell) => cell.trim())
    expect([code, sentence]).not.toContain('')
    expect(what).toBeString()
  }
  expect(page).not.toMatch(/undefined|\[object/)
})

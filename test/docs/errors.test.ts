import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { codes } from '../../src/protocol/errors.ts'
import { errorsPage } from '../../tools/errors-page.ts'

const page = readFileSync(new URL('../../docs/protocol/errors.md', import.meta.url), 'utf8')

test('docs/protocol/errors.md is what npm run pages writes', () => {
  expect(page).toBe(errorsPage(page))
})

test('docs/protocol/errors.md has one row for each code, in the order of the source', () => {
  const [, table = ''] = page.split('<!--')
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.map((row) => row.split('`')[1])).toEqual(Object.keys(codes))
})

test('no two codes share a number on the wire', () => {
  const numbers = Object.values(codes).map(({ wire }) => wire)
  expect(new Set(numbers).size).toBe(numbers.length)
})

describe('errorsPage', () => {
  const written = errorsPage('# Before\n\n')

  test('keeps the prose before and after the table', () => {
    expect(written).toStartWith('# Before\n\n<!--')
    expect(errorsPage(`${written}\nAfter.\n`)).toBe(`${written}\nAfter.\n`)
  })

  test('replaces a stale table', () => {
    expect(errorsPage(written.replace('`bad_magic`', '`stale`'))).toBe(written)
  })
})

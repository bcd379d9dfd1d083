import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { codes } from '../../src/protocol/errors.ts'
import { limitTable } from '../../src/protocol/limits.ts'
import { limitsPage } from '../../tools/limits-page.ts'

const page = readFileSync(new URL('../../docs/LIMITS.md', import.meta.url), 'utf8')

test('docs/LIMITS.md is what npm run pages writes', () => {
  expect(page).toBe(limitsPage())
})

test('docs/LIMITS.md has one row for each limit, in the order of the source', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()))
  expect(cells.map(([, name, value]) => `${name} ${value}`)).toEqual(
    Object.entries(limitTable).map(([name, { value }]) => `\`${name}\` ${value}`),
  )
})

test('every default lies in its range', () => {
  const outside = Object.entries(limitTable).filter(([, { value, min, max }]) => value < min || value > max)
  expect(outside).toEqual([])
})

test('what happens at a limit is told with codes that there are', () => {
  const cells = page.split('\n').map((row) => row.split('|')[6] ?? '')
  const told = cells.flatMap((cell) => Array.from(cell.matchAll(/[a-z]+_[a-z_]+|(?<=\()[a-z]+(?=[);])/g), ([code]) => code))
  expect(told.length).toBeGreaterThan(60)
  for (const code of told) expect(Object.keys(codes)).toContain(code)
})

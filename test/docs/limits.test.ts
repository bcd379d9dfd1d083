import { expect, test } from 'bun:test'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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

/** Enforced by who is handed them under another name. */
const handedOver: ReadonlySet<string> = new Set([
  ...['frameBodyBytesMax', 'frameUnauthenticatedBytesMax', 'fanOutEntriesMax', 'directOffersPerMinuteMax', 'directOffersBurstMax'],
  ...['messagesPerSecondPerAccountMax', 'messagesBurstPerAccountMax', 'readsPerSecondPerAccountMax', 'readsBurstPerAccountMax'],
  ...['directAnswersBytesMax', 'directGreetingsMax', 'echoLineBytesMax', 'chatOutputBytesMax', 'logQueueBytesMax'],
])

test('who enforces a limit is there, and names it', () => {
  const cwd = fileURLToPath(new URL('../../src', import.meta.url))
  const wrong = Object.entries(limitTable).filter(([name, { by }]) => {
    const files = by.split(', ').map((place) => globSync([`${place}.ts`, `${place}/**/*.ts`], { cwd }))
    const names = files.flat().filter((file) => readFileSync(`${cwd}/${file}`, 'utf8').includes(name))
    return files.some(({ length }) => length === 0) || (names.length === 0 && !handedOver.has(name))
  })
  expect(wrong.map(([name]) => name)).toEqual([])
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

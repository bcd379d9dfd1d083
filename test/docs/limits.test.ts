import { expect, test } from 'bun:test'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { codes } from '../../src/protocol/errors.ts'
import { type LimitName, limitTable } from '../../src/protocol/limits.ts'
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

const root = fileURLToPath(new URL('../..', import.meta.url))
const others = globSync(['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/*.md', 'docs/protocol/*.md'], { cwd: root })
const units: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 },
  ...{ KiB: 1024, KB: 1000, MiB: 1024 ** 2, GiB: 1024 ** 3 },
}

test('a number beside the name of a limit is its default', () => {
  const told = others.flatMap((name) => numbersBeside(readFileSync(`${root}/${name}`, 'utf8')).map((one) => [name, ...one] as const))
  expect(told.length).toBeGreaterThan(60)
  expect(told.filter(([, limit, numbers]) => !numbers.includes(limitTable[limit].value))).toEqual([])
})

/** What stands right before `(`limit`)`, in the same sentence or cell, or in brackets behind it. */
function numbersBeside(text: string): readonly (readonly [LimitName, readonly number[]])[] {
  const before = Array.from(text.matchAll(/([^().;:|`]*)\(((?:`\w+`(?:, )?)+)\)/g), ([, words = '', names = '']) => [words, names] as const)
  const behind = Array.from(text.matchAll(/(`\w+`) \((\d[^()]*)\)/g), ([, name = '', words = '']) => [words, name] as const)
  return [...before, ...behind].flatMap(([words, names]) => {
    const numbers = Array.from(words.matchAll(/(\d[\d,]*(?:\^\d+)?)\s?(\w*)/g), ([, digits = '', unit = '']) =>
      valuesOf(digits, unit),
    ).flat()
    const limits = Array.from(names.matchAll(/\w+/g), ([name]) => name as LimitName).filter((name) => Object.hasOwn(limitTable, name))
    return numbers.length === 0 ? [] : limits.map((limit) => [limit, numbers] as const)
  })
}

/** `of a hold 30` leaves the unit out where it was said before. */
function valuesOf(digits: string, unit: string): readonly number[] {
  const [base = 0, power = 1] = digits.replaceAll(',', '').split('^').map(Number)
  const number = base ** power
  return unit === '' ? Object.values(units).map((factor) => number * factor) : [number * (units[unit] ?? 1)]
}

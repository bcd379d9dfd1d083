// Prints the figures of the style budgets and fails when a gate is broken: npm run budgets

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { documentedExports } from './documented-exports.ts'
import { importCycles } from './imports.ts'
import { type Measures, measure } from './measures.ts'
import { readSources, type Source } from './sources.ts'

export interface Report {
  /** For people: one line a figure, and what is worth a look. */
  readonly lines: readonly string[]
  /** One line for each broken gate; empty when all hold. */
  readonly broken: readonly string[]
}

type Measured = Source & Measures

const fileLinesMax = 400
const functionLinesMax = 60
/** Files that amounts go through. */
const money = /(money|ledger|payment|order|receipt|amount)[^/]*\.ts$/

/** Measures a folder: `src` by every budget, the rest by the length of its files and, but for tests, of its functions. */
export async function budgets(folder: string): Promise<Report> {
  const all = (await readSources(folder)).map((source) => ({ ...source, ...measure(source.file) }))
  const product = all.filter(({ path }) => path.startsWith('src/'))
  const undocumented = documentedExports(product).filter((each) => !each.documented)
  const cycles = importCycles(product)
  return {
    lines: [...sizes(product), ...constructs(product), ...tests(folder, all), ...surface(product)],
    broken: [
      ...all.filter(({ lines }) => lines > fileLinesMax).map(({ path, lines }) => `${path} has ${lines} lines, at most ${fileLinesMax}`),
      ...all.filter(({ path }) => !path.startsWith('test/')).flatMap(longFunctions),
      ...cycles.map((group) => `import cycle: ${group.join(', ')}`),
      ...product.flatMap(({ path, bareErrors }) => bareErrors.map((line) => `${path}:${line} makes a bare Error, use SealwireError`)),
      ...product
        .filter(({ path }) => money.test(path))
        .flatMap(({ path, floats }) => floats.map((line) => `${path}:${line} has a floating-point number, money is whole minor units`)),
      ...product.flatMap(({ path, starExports }) => starExports.map((line) => `${path}:${line} has export *, name each export`)),
      ...undocumented.map(({ name }) => `${name} has no doc comment`),
    ],
  }
}

function sizes(product: readonly Measured[]): readonly string[] {
  const files = product.map(({ lines }) => lines)
  const functions = product.flatMap((source) => source.functions.map(({ lines }) => lines))
  return [
    `files            ${files.length}, ${sum(files)} lines`,
    `file length      median ${quantile(files, 0.5)}, max ${quantile(files, 1)} (target median 130, gate ${fileLinesMax})`,
    `function length  median ${quantile(functions, 0.5)}, p90 ${quantile(functions, 0.9)}, max ${quantile(functions, 1)} (targets 12 and 30, gate ${functionLinesMax})`,
  ]
}

function constructs(product: readonly Measured[]): readonly string[] {
  const places = (pick: (source: Measured) => readonly number[]) =>
    product.flatMap((source) => pick(source).map((line) => `${source.path}:${line}`))
  return [
    listed(
      'any',
      places(({ anys }) => anys),
    ),
    listed(
      'double casts',
      places(({ doubleCasts }) => doubleCasts),
    ),
    listed(
      'bare errors',
      places(({ bareErrors }) => bareErrors),
    ),
    listed(
      'import cycles',
      importCycles(product).map((group) => group.join(', ')),
    ),
  ]
}

function tests(folder: string, all: readonly Measured[]): readonly string[] {
  const linesBelow = (prefix: string) => sum(all.filter(({ path }) => path.startsWith(prefix)).map(({ lines }) => lines))
  const alone = all.filter(({ path, typesOnly }) => path.startsWith('src/') && !typesOnly && !existsSync(`${folder}/${mirror(path)}`))
  return [
    `test : src       ${(linesBelow('test/') / linesBelow('src/')).toFixed(2)} (about 1)`,
    listed(
      'without a test',
      alone.map(({ path }) => path),
    ),
  ]
}

function surface(product: readonly Source[]): readonly string[] {
  const exports = documentedExports(product)
  return [`documented       ${exports.filter((each) => each.documented).length} of ${exports.length} exports of index.ts`]
}

function longFunctions({ path, functions }: Measured): readonly string[] {
  return functions
    .filter(({ lines }) => lines > functionLinesMax)
    .map(({ line, lines }) => `${path}:${line} is a function of ${lines} lines, at most ${functionLinesMax}`)
}

/** `src/a/b.ts` → `test/a/b.test.ts`. */
function mirror(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
}

function listed(title: string, places: readonly string[]): string {
  return `${title.padEnd(16)} ${[places.length, ...places].join('\n                   ')}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** The smallest number that at least this share of them does not exceed; 0 when there are none. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

if (import.meta.main) {
  const { lines, broken } = await budgets(fileURLToPath(new URL('..', import.meta.url)))
  for (const line of lines) console.log(line)
  for (const line of broken) console.error(`budget broken: ${line}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}

// What a run of `bun test` says in the end, and the sum of several, in the same words.

import { stripVTControlCharacters } from 'node:util'
import { emptyReport, type TestReport } from './test-report.ts'

export interface Counts {
  readonly pass: number
  readonly skip: number
  readonly fail: number
  /** What was thrown outside of any test, or by a file that could not be loaded. */
  readonly errors: number
  readonly files: number
}

export const nothingCounted: Counts = { pass: 0, skip: 0, fail: 0, errors: 0, files: 0 }

/** What is known of a run beside its output. */
export interface RunFacts {
  readonly title: string
  /** How many files it was given. */
  readonly files: number
  /** Exit code, or signal. */
  readonly ending: number | string
  /** Of which of them no test is known. */
  readonly untested?: readonly string[]
  readonly report?: TestReport
}

/**
 * The counts of a run by what it has told on standard error, and a line for whatever went wrong in it. A run that broke off, and one that has left out a file, has a
 * failure more than its tests, and so has each file without a test: the counts say so too.
 */
export function readSummary(
  told: string,
  { title, files, ending, untested = [], report = emptyReport }: RunFacts,
): { readonly counts: Counts; readonly failures: readonly string[] } {
  const text = stripVTControlCharacters(told)
  const end = text.slice(Math.max(0, text.lastIndexOf('\nRan ') - summaryCharsMax))
  const last = (pattern: RegExp): number => Number([...end.matchAll(pattern)].at(-1)?.[1] ?? 0)
  const counts = {
    pass: last(/^ *(\d+) pass$/gm),
    skip: last(/^ *(\d+) skip$/gm),
    fail: last(/^ *(\d+) fail$/gm),
    errors: last(/^ *(\d+) errors?$/gm),
    files: last(/^Ran \d+ tests? across (\d+) files?\./gm),
  }
  const failures = failuresIn(text, report)
  const why = wholeRun({ counts, files, ending })
  // Of a file that could not be loaded that is told already.
  if (why === undefined && counts.errors > 0) return { counts, failures }
  if (why === undefined) {
    return {
      counts: { ...counts, fail: counts.fail + untested.length },
      failures: [...failures, ...untested.map((file) => `${file}: has no test`)],
    }
  }
  return { counts: { ...counts, fail: counts.fail + 1 }, failures: [...failures, `${title}: ${why}`] }
}

/** Each with its file, which is in a line above it; what no test has thrown may be told below another file, so it goes with its own words. */
function failuresIn(text: string, report: TestReport): readonly string[] {
  const failures = new Set<string>()
  const lines = text.split('\n')
  let file = ''
  for (const [at, line] of lines.entries()) {
    // They are told again in the end, without their files.
    if (/^\d+ tests? failed:$/.test(line)) break
    const [, name] = /^(\S.*\.test\.ts):$/.exec(line) ?? []
    file = name ?? file
    if (/^(?:\(fail\)|✗) /.test(line)) failures.add([`${file}: ${line}`, ...reasonOf(report, file, line)].join('\n    '))
    if (line.startsWith('# Unhandled ')) failures.add(`${line}: ${thrownBehind(lines.slice(at + 1, at + thrownLinesMax))}`)
  }
  return [...failures]
}

/** Why a test has failed. A log that is cut may show nothing but the end. */
function reasonOf({ failures }: TestReport, file: string, line: string): readonly string[] {
  const told = line.replace(/ \[[\d.]+m?s\]$/, '')
  return failures.find((failure) => failure.file === file && told.endsWith(` ${failure.name}`))?.reason ?? []
}

/** Its name and message, and the place that threw it. */
function thrownBehind(lines: readonly string[]): string {
  const what = lines.find((line) => /^\w+: /.test(line))
  const where = lines.find((line) => /^ +at /.test(line))
  return `${what ?? 'unknown'} ${where?.trim() ?? ''}`.trim()
}

/** Why a run as a whole has failed, beside its tests. */
function wholeRun({ counts, files, ending }: { readonly counts: Counts } & Omit<RunFacts, 'title'>): string | undefined {
  if (counts.files !== files) return `ended (${ending}) and has told of ${counts.files} of ${files} files`
  const isKnown = counts.fail > 0 || counts.errors > 0
  return ending === 0 || (ending === 1 && isKnown) ? undefined : `ended (${ending}) without a test that failed`
}

export function added(one: Counts, other: Counts): Counts {
  return {
    pass: one.pass + other.pass,
    skip: one.skip + other.skip,
    fail: one.fail + other.fail,
    errors: one.errors + other.errors,
    files: one.files + other.files,
  }
}

/** The last lines of all runs: what went wrong, then the counts, as `bun test` has them. */
export function shownSum(
  { pass, skip, fail, errors, files }: Counts,
  { wrong, seconds }: { readonly wrong: readonly string[]; readonly seconds: number },
): string {
  const counts = [
    ` ${pass} pass`,
    ` ${skip} skip`,
    ` ${fail} fail`,
    ...(errors === 0 ? [] : [` ${errors} ${errors === 1 ? 'error' : 'errors'}`]),
  ]
  const what = wrong.length === 0 ? [] : ['--- what failed', ...wrong, '']
  return ['', ...what, '--- all', ...counts, `Ran ${pass + skip + fail} tests across ${files} files. [${seconds.toFixed(1)}s]`, ''].join(
    '\n',
  )
}

const summaryCharsMax = 1_000
const thrownLinesMax = 30

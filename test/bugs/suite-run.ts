// Runs one test of a copy of the repository, and tells how it ended: passed, failed by what it checks, or neither.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** A test by its file, from the root on, and its own name, without those of its groups. */
export interface NamedTest {
  readonly file: string
  readonly test: string
}

/**
 * `timeout`: the runner gave up. `skipped`: something is missing on this machine. `absent`: there is no such test, or its file
 * could not be loaded.
 */
export type Ending = 'passed' | 'failed' | 'timeout' | 'skipped' | 'absent'

/** How a test ended, with the first line of why and all that was printed. */
export interface Ran {
  readonly ending: Ending
  readonly why: string
  readonly output: string
}

/** A test of many adapters runs on all of them: it has failed as soon as it has on one. */
const worstFirst: readonly Ending[] = ['failed', 'timeout', 'skipped', 'passed']

/** Runs the test in the copy at `folder`. */
export async function runTest(folder: string, { file, test }: NamedTest): Promise<Ran> {
  const report = join(folder, 'report.xml')
  rmSync(report, { force: true })
  const reporter = ['--reporter=junit', `--reporter-outfile=${report}`]
  const arguments_ = ['test', '--isolate', `--timeout=${testMsMax}`, ...reporter, '-t', literally(test), `./${file}`]
  const runner = spawn(process.execPath, arguments_, { cwd: folder, env: { ...process.env, ...short }, timeout: runMsMax })
  const printed: string[] = []
  for (const stream of [runner.stdout, runner.stderr]) stream.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  await once(runner, 'close')
  const endings = existsSync(report) ? endingsOf(readFileSync(report, 'utf8'), test) : []
  const worst = worstFirst.map((ending) => endings.find((each) => each.ending === ending)).find((each) => each !== undefined)
  return { ...(worst ?? { ending: 'absent', why: '' }), output: printed.join('') }
}

type Told = Pick<Ran, 'ending' | 'why'>

function endingsOf(report: string, test: string): readonly Told[] {
  return [...report.matchAll(testCase)].filter(([, name = '']) => plain(name) === test).map(([, , inside = '']) => endingOf(inside))
}

function endingOf(inside: string): Told {
  const [, type, message = ''] = failure.exec(inside) ?? []
  if (type === undefined) return { ending: inside.includes('<skipped') ? 'skipped' : 'passed', why: '' }
  return { ending: type === 'TimeoutError' ? 'timeout' : 'failed', why: plain(message).split('\n', 1).join() }
}

function plain(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp|#10);/g, (_, name: string) => characters[name] ?? '')
}

/** `text` as a regular expression that finds nothing else. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

const testCase = /<testcase name="([^"]*)"[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g
const failure = /<failure type="([^"]*)" message="([^"]*)"/
const characters: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&', '#10': '\n' }
/** What a test does is its short form, and of a million inputs of chance these are enough. */
const short = { SEALWIRE_LONG: '', SEALWIRE_INPUTS: '40000' }
const testMsMax = 60_000
const runMsMax = 300_000

// Runs all tests (npm test), or, with arguments, those that are named: npm test -- test/link -t 'name of a test'.
//
//   all of them: first the lanes, which are processes that take one file after the other, the slowest first; then what
//   test-alone.ts lists, a file at a time with nothing beside it. In the end the sum over all of these runs.
//
// Globals of one file never reach another (--isolate, which --parallel implies). A run that breaks off, or that says nothing of a
// file, or runs one in which there is no test, has failed, whatever its exit code is. So has one with a `test.only`, which leaves the
// rest of its file out: with files that are named that is what it is for.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aloneTests } from './test-alone.ts'
import { Timings } from './test-timings.ts'
import { emptyReport, readReport, type TestReport } from './test-report.ts'
import { added, type Counts, nothingCounted, readSummary, shownSum } from './test-summary.ts'

export interface TestRunOptions {
  /** Root of the repository. */
  readonly folder: string
  /** Files that run with nothing beside them, from the folder on. Default: those of test-alone.ts. */
  readonly alone?: readonly string[]
  /** Files at once. Default: one more than there are processors, at most 4. */
  readonly lanes?: number
  /** In ms for the lanes, and a quarter of it for each file alone; what runs then has failed. Default: an hour, for long forms a day. */
  readonly msMax?: number
  /** Ends what runs, and starts nothing more. Default: nothing does. */
  readonly signal?: AbortSignal
  /** Where everything is shown. Default: standard error. */
  readonly show?: (text: string) => void
}

/** What one process of `bun test` is for. */
interface Run {
  readonly title: string
  readonly flags: readonly string[]
  readonly files: readonly string[]
  readonly msMax: number
}

/** Runs all tests of a folder. Resolves with whether all of them passed. */
export async function runTests(options: TestRunOptions): Promise<boolean> {
  const { folder, signal, show = (text: string) => void process.stderr.write(text) } = options
  const begun = performance.now()
  using timings = new Timings(folder, testsOf(folder))
  let sum: Counts = nothingCounted
  const wrong: string[] = []
  for (const run of runsOf(options, timings)) {
    if (signal?.aborted === true) {
      wrong.push(`${run.title}: not begun`)
      continue
    }
    show(`\n--- ${run.title}\n`)
    const { counts, failures } = await ran(run, { folder, signal, show })
    sum = added(sum, counts)
    wrong.push(...failures)
  }
  show(shownSum(sum, { wrong, seconds: (performance.now() - begun) / 1_000 }))
  return wrong.length === 0 && sum.fail === 0 && sum.errors === 0 && sum.pass > 0
}

function runsOf(
  { alone = Object.keys(aloneTests), lanes = lanesHere(), msMax = runMsMax }: TestRunOptions,
  timings: Timings,
): readonly Run[] {
  const [kept, shared] = [true, false].map((isAlone) => timings.files.filter((file) => alone.includes(file) === isAlone))
  const together: Run = {
    title: `${shared?.length} files, ${lanes} at once`,
    flags: [`--parallel=${lanes}`, `--timings=${timings.path}`],
    files: shared ?? [],
    msMax,
  }
  const each = (kept ?? []).map((file) => ({ title: `${file}, alone`, flags: ['--isolate'], files: [file], msMax: msMax / 4 }))
  return [...(together.files.length === 0 ? [] : [together]), ...each]
}

/** Every test file, from the folder on, with `/`. */
function testsOf(folder: string): readonly string[] {
  const below = readdirSync(join(folder, 'test'), { recursive: true, encoding: 'utf8' })
  return below
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file.replaceAll('\\', '/')}`)
    .toSorted()
}

/** Much of what tests do is wait. */
function lanesHere(): number {
  return Math.min(4, availableParallelism() + 1)
}

interface RunParts {
  readonly folder: string
  readonly signal: AbortSignal | undefined
  readonly show: (text: string) => void
}

async function ran({ title, flags, files, msMax }: Run, { folder, signal, show }: RunParts) {
  const limit = AbortSignal.timeout(msMax)
  using written = new Report()
  const child = bunTest([...flags, ...written.flags, ...files.map((file) => `./${file}`)], {
    ...{ folder, output: 'pipe', isWhole: true },
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  })
  let told = ''
  child.stdout?.setEncoding('utf8').on('data', show)
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text
    show(text)
  })
  const ending = await endOf(child)
  const report = written.read()
  const untested = files.filter((file) => !report.tested.has(file))
  return readSummary(told, { title, files: files.length, ending, untested, report })
}

/** What `bun test` writes down beside what it says: of a file without a test it says nothing. */
class Report implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sealwire-report-'))
  readonly #path = join(this.#folder, 'junit.xml')

  get flags(): readonly string[] {
    return ['--reporter=junit', `--reporter-outfile=${this.#path}`]
  }

  /** Where no file has a test nothing is written. */
  read(): TestReport {
    return existsSync(this.#path) ? readReport(readFileSync(this.#path, 'utf8')) : emptyReport
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}

interface BunTestParts {
  readonly folder: string
  readonly output: 'pipe' | 'inherit'
  /** Nothing is to be left out: `test.only` is refused. */
  readonly isWhole: boolean
  readonly signal: AbortSignal
}

/** Told to end, it names the files that still run. */
function bunTest(flags: readonly string[], { folder, output, isWhole, signal }: BunTestParts): ChildProcess {
  const colours = process.stderr.isTTY && process.env['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {}
  // Bun refuses it where CI is set. Not `true`, with which tests that lack a program of this machine fail instead of being skipped.
  const whole = isWhole ? { CI: process.env['CI'] || '1' } : {}
  const child = spawn(process.execPath, ['test', `--timeout=${testMsMax}`, ...flags], {
    ...{ cwd: folder, stdio: ['inherit', output, output] },
    env: { ...process.env, ...colours, ...whole },
  })
  const end = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), killMs).unref()
  }
  signal.addEventListener('abort', end)
  child.once('close', () => signal.removeEventListener('abort', end))
  return child
}

/** Resolves with its exit code, or the signal that has ended it. */
function endOf(child: ChildProcess): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  child.once('error', reject)
  child.once('exit', (code, signal) => {
    // What a test has left behind may hold the other ends of these.
    const left = setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream?.destroy()), leftMs)
    child.once('close', () => {
      clearTimeout(left)
      resolve(code ?? signal ?? 1)
    })
  })
  return promise
}

const testMsMax = 60_000
const runMsMax = (process.env['SEALWIRE_LONG'] === '1' ? 24 : 1) * 3_600_000
const killMs = 10_000
const leftMs = 5_000

if (import.meta.main) {
  const [folder, named] = [fileURLToPath(new URL('..', import.meta.url)), process.argv.slice(2)]
  const over = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => over.abort())
  const { signal } = over
  const isGood =
    named.length > 0
      ? (await endOf(bunTest(['--isolate', ...named], { folder, output: 'inherit', isWhole: false, signal }))) === 0
      : await runTests({ folder, signal })
  process.exitCode = isGood ? 0 : 1
}

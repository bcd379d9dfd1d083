import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aloneTests } from '../../tools/test-alone.ts'
import { runTests, type TestRunOptions } from '../../tools/test.ts'
import { until } from '../faults/until.ts'
import { sourceFolder } from '../support/source-folder.ts'

const root = new URL('../../', import.meta.url)
const head = "import { expect, test } from 'bun:test'\n"
const passes = `${head}test('passes', () => expect(1).toBe(1))\n`

/** Runs the tests of a folder that has these files below test/. */
async function run(files: Readonly<Record<string, string>>, options: Partial<TestRunOptions> = {}) {
  using folder = sourceFolder(Object.fromEntries(Object.entries(files).map(([name, text]) => [`test/${name}`, text])))
  let shown = ''
  const isGood = await runTests({ folder: folder.path, alone: [], lanes: 2, ...options, show: (text) => (shown += text) })
  return { isGood, shown, end: shown.slice(shown.lastIndexOf('\n--- all\n')).trim().split('\n').slice(1, -1) }
}

describe('all tests', () => {
  test('are good when each of them passes or is skipped, in the lanes and alone', async () => {
    const files = {
      'a.test.ts': passes,
      'b.test.ts': `${passes}test.skip('rests', () => {})\n`,
      'c/d.test.ts': passes,
      'e.test.ts': passes,
    }
    const { isGood, shown, end } = await run(files, { alone: ['test/c/d.test.ts', 'test/gone.test.ts'] })
    expect([isGood, end]).toEqual([true, [' 4 pass', ' 1 skip', ' 0 fail']])
    expect(shown).toContain('--- 3 files, 2 at once')
    expect(shown).toContain('\n(skip) rests\n')
    expect(shown.indexOf('--- test/c/d.test.ts, alone')).toBeGreaterThan(shown.indexOf('test/e.test.ts:'))
  }, 60_000)

  test('are not when one fails, breaks off, leaves, hangs or cannot be loaded, and the others run nevertheless', async () => {
    const files = {
      'fails.test.ts': `${passes}test('fails', () => expect(1).toBe(2))\n`,
      'crashes.test.ts': `${passes}test('crashes', () => void process.kill(process.pid, 'SIGKILL'))\n`,
      'leaves.test.ts': `${passes}test('leaves', () => process.exit(0))\n`,
      'hangs.test.ts': `${passes}test('hangs', () => new Promise(() => {}), 300)\n`,
      'unloaded.test.ts': `import './gone.ts'\n${passes}`,
      'good.test.ts': passes,
      'alone-crashes.test.ts': `${passes}test('crashes', () => void process.kill(process.pid, 'SIGKILL'))\n`,
      'alone-leaves.test.ts': `${passes}test('leaves', () => process.exit(0))\n`,
      'alone.test.ts': passes,
    }
    const alone = ['test/alone-crashes.test.ts', 'test/alone-leaves.test.ts', 'test/alone.test.ts']
    const { isGood, shown, end } = await run(files, { alone })
    // What passed before a process broke off is not counted.
    expect([isGood, end]).toEqual([false, [' 4 pass', ' 0 skip', ' 7 fail', ' 1 error']])
    const failed = shown.slice(shown.indexOf('\n--- what failed\n'), shown.indexOf('\n--- all\n')).trim().split('\n').slice(1)
    const [named, reasons] = [false, true].map((isReason) => failed.filter((line) => line.startsWith('  ') === isReason))
    expect(reasons).toContain('    AssertionError: expect(received).toBe(expected)')
    expect(named?.map((line) => line.replace(/ \[[\d.]+ms\]$|(?<= from ').*(?=test\/)/g, '')).toSorted()).toEqual([
      "# Unhandled error between tests: error: Cannot find module './gone.ts' from 'test/unloaded.test.ts'",
      'test/alone-crashes.test.ts, alone: ended (SIGKILL) and has told of 0 of 1 files',
      'test/alone-leaves.test.ts, alone: ended (0) and has told of 0 of 1 files',
      'test/crashes.test.ts: ✗ test/crashes.test.ts (worker crashed: SIGKILL)',
      'test/fails.test.ts: (fail) fails',
      'test/hangs.test.ts: (fail) hangs',
      'test/leaves.test.ts: ✗ test/leaves.test.ts (worker crashed: exit code 0)',
    ])
  }, 60_000)

  test('are not when a file has no test, in the lanes and alone; one whose tests are all skipped has', async () => {
    const empty = `${head}for (const each of []) test(each, () => expect(1).toBe(1))\n`
    const files = {
      'empty.test.ts': empty,
      'rests.test.ts': `${head}test.skip('rests', () => expect(1).toBe(1))\ntest.todo('comes')\n`,
      'good.test.ts': passes,
      'alone-empty.test.ts': empty,
    }
    const { isGood, shown, end } = await run(files, { alone: ['test/alone-empty.test.ts'] })
    expect([isGood, end]).toEqual([false, [' 1 pass', ' 1 skip', ' 2 fail']])
    const failed = shown.slice(shown.indexOf('\n--- what failed\n'), shown.indexOf('\n--- all\n')).trim().split('\n').slice(1)
    expect(failed).toEqual(['test/empty.test.ts: has no test', 'test/alone-empty.test.ts: has no test'])
  }, 60_000)

  test('are not when one has a test.only, in the lanes and alone, beside which nothing else of its file runs', async () => {
    const only = `${head}test.only('passes', () => expect(1).toBe(1))\ntest('fails', () => expect(1).toBe(2))\n`
    const files = { 'only.test.ts': only, 'good.test.ts': passes, 'alone-only.test.ts': only }
    const { isGood, shown, end } = await run(files, { alone: ['test/alone-only.test.ts'] })
    expect([isGood, end]).toEqual([false, [' 1 pass', ' 0 skip', ' 2 fail', ' 2 errors']])
    expect(shown).toContain('.only is disabled')
  }, 60_000)

  test('tell a test which lacks something of this machine nothing of a CI', async () => {
    const skips = `${head}test('skips', () => expect(process.env['CI'] === 'true').toBe(${process.env['CI'] === 'true'}))\n`
    expect(await run({ 'a.test.ts': skips })).toMatchObject({ isGood: true })
  }, 60_000)

  test('are not when there are none', async () => {
    expect(await run({ 'support.ts': passes })).toMatchObject({ isGood: false, end: [' 0 pass', ' 0 skip', ' 0 fail'] })
  }, 60_000)

  test('end with their time', async () => {
    const waits = `${head}test('waits', () => new Promise(() => {}), 50_000)\n`
    const { isGood, shown, end } = await run({ 'a.test.ts': waits }, { alone: ['test/a.test.ts'], msMax: 4_000 })
    expect([isGood, end]).toEqual([false, [' 0 pass', ' 0 skip', ' 1 fail']])
    expect(shown).toContain('\ntest/a.test.ts, alone: ended (')
  }, 60_000)

  test('end although a process that one of them has left holds their output', async () => {
    const left = `import { spawn } from 'node:child_process'\n${passes}
test('leaves a process', () => {
  const child = spawn('sleep', ['55'], { stdio: 'inherit', detached: true })
  child.unref()
  console.error('left', child.pid)
})\n`
    const { isGood, shown, end } = await run({ 'a.test.ts': left }, { alone: ['test/a.test.ts'] })
    process.kill(Number(/^left (\d+)$/m.exec(shown)?.[1]))
    expect([isGood, end]).toEqual([true, [' 2 pass', ' 0 skip', ' 0 fail']])
  }, 50_000)

  test('end with whoever runs them, start nothing more, and name what would not end', async () => {
    const spins = `import { writeFileSync } from 'node:fs'\n${head}test('spins', () => {\n  writeFileSync('spins', '')\n  for (;;);\n})\n`
    using folder = sourceFolder({ 'test/a.test.ts': spins, 'test/b.test.ts': passes, 'test/c.test.ts': passes })
    const over = new AbortController()
    let shown = ''
    const options = { folder: folder.path, alone: ['test/c.test.ts'], lanes: 2, signal: over.signal }
    const running = runTests({ ...options, show: (text) => (shown += text) })
    await until('it spins', 50_000, () => existsSync(join(folder.path, 'spins')))
    over.abort()
    expect(await running).toBe(false)
    expect(shown).toMatch(/^Interrupted while still running:\n {2}test\/a\.test\.ts/m)
    expect(shown).not.toContain('--- test/c.test.ts, alone')
    expect(shown).toContain('test/c.test.ts, alone: not begun')
  }, 60_000)
})

describe('npm test with arguments', () => {
  test.each([
    [['test/domain/clock.test.ts'], 0],
    [['test/domain/clock.test.ts', '-t', 'nothing has that name'], 1],
    [['./test/domain/gone.test.ts'], 1],
  ])('%j is bun test with them', (flags, code) => {
    const program = fileURLToPath(new URL('tools/test.ts', root))
    const { status, stderr } = spawnSync(process.execPath, [program, ...flags], { encoding: 'utf8', timeout: 50_000 })
    expect(status).toBe(code)
    expect(stderr).not.toContain('--- all')
  })
})

test('what is listed by name is there', () => {
  const { files } = JSON.parse(readFileSync(new URL('test/timings.json', root), 'utf8')) as { files: Record<string, number> }
  const names = [...Object.keys(aloneTests), ...Object.keys(files)]
  expect(names.filter((name) => !existsSync(new URL(name, root)))).toEqual([])
})

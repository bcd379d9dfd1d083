import { afterAll, describe, expect, test } from 'bun:test'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-launch-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const platformPackage = `bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly output: string
  readonly errors: string
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when standard output holds this text. */
  seen(text: string): Promise<void>
}

describe('bin/bun.mjs', () => {
  test('hands arguments over as they are', async () => {
    const { output } = await run(['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', '--flag', 'two words', '']).ended
    expect(output).toEndWith('"--flag","two words",""]\n')
  })

  test('ends with the exit code of the program', async () => {
    expect(await run(['-e', 'process.exit(3)']).ended).toMatchObject({ code: 3, signal: null })
  })

  test('passes standard input on', async () => {
    const running = run(['-e', 'console.log((await Bun.stdin.text()).toUpperCase())'])
    running.child.stdin?.end('quiet')
    expect((await running.ended).output).toBe('QUIET\n')
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)('forwards %s and lets the program decide how it ends', async (signal) => {
    const running = run(['-e', `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`])
    await running.seen('ready')
    running.child.kill(signal)
    expect(await running.ended).toMatchObject({ code: 7, signal: null })
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)('dies of %s when the program does', async (signal) => {
    const { code, signal: seen } = await run(['-e', `process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`]).ended
    expect({ code, seen }).toEqual({ code: null, seen: signal })
  })

  // Node 20 aborts at its end where it cannot put the terminal back as it was.
  test.skipIf(process.platform === 'win32').each([
    ['an exit code', `process.on('SIGHUP', () => process.exit(7))`, [7, null]],
    ['a signal', `process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))`, [143, 'SIGTERM']],
  ] as const)('ends as the program did, with %s, also when its terminal is gone', async (_what, program, expected) => {
    const ready = Promise.withResolvers<void>()
    let screen = ''
    const data = (_: unknown, bytes: Uint8Array): void => {
      screen += Buffer.from(bytes).toString()
      if (screen.includes('ready')) ready.resolve()
    }
    const script = `${program}; setInterval(() => {}, 1000); console.log('ready')`
    const child = Bun.spawn(['node', join(root, 'bin/bun.mjs'), '-e', script], { terminal: { cols: 80, rows: 24, data } })
    await ready.promise
    child.terminal?.close()
    const end: readonly unknown[] = [await child.exited, child.signalCode]
    expect(end).toEqual(expected)
  })

  test('exits with 128 and the number of a signal that Node ignores', async () => {
    const folder = layout('pipe', ({ bun }) => standIn(join(bun, 'bin', 'bun.exe'), 'kill -PIPE $$'))
    const { code } = await run([], folder).ended
    expect(code).toBe(128 + constants.signals.SIGPIPE)
  })
})

describe('finding the binary', () => {
  test('takes the one in the package bun after a normal installation', async () => {
    const folder = layout('normal', ({ bun }) => standIn(join(bun, 'bin', 'bun.exe')))
    expect(await usedBinary(folder)).toBe(join('node_modules', 'bun', 'bin', 'bun.exe'))
  })

  test('takes the one of the platform package when install scripts did not run', async () => {
    const folder = layout('ignore-scripts', ({ modules }) => platform(modules))
    expect(await usedBinary(folder)).toBe(join('node_modules', '@oven', platformPackage, 'bin', 'bun'))
  })

  test('finds the platform package nested below the package bun', async () => {
    const folder = layout('nested', ({ bun }) => platform(join(bun, 'node_modules')))
    expect(await usedBinary(folder)).toBe(join('node_modules', 'bun', 'node_modules', '@oven', platformPackage, 'bin', 'bun'))
  })

  test.if(process.platform === 'linux')('takes the build for the C library when both are there', async () => {
    const folder = layout('both', ({ modules }) => {
      platform(modules)
      platform(modules, `${platformPackage}-musl`)
    })
    const expected = existsSync('/etc/alpine-release') ? `${platformPackage}-musl` : platformPackage
    expect(await usedBinary(folder)).toBe(join('node_modules', '@oven', expected, 'bin', 'bun'))
  })

  test('says what to do when optional packages were left out', async () => {
    const folder = layout('omitted')
    const { code, errors } = await run(['-e', '1'], folder).ended
    expect(code).toBe(1)
    expect(errors).toBe(
      `sealwire: the runtime for ${process.platform}-${process.arch} is not installed. Run npm ci again, without --omit=optional\n`,
    )
  })

  test('says what to do when nothing is installed', async () => {
    const folder = layout('empty', ({ bun }) => rmSync(bun, { recursive: true }))
    const { code, errors } = await run(['-e', '1'], folder).ended
    expect(code).toBe(1)
    expect(errors).toBe('sealwire: the package bun is not installed. Run npm ci first\n')
  })

  test('says so on a platform that has no runtime', async () => {
    const folder = layout('platform')
    writeFileSync(join(folder, 'aix.mjs'), `Object.defineProperty(process, 'platform', { value: 'aix' }); await import('./bin/bun.mjs')`)
    const { code, errors } = await run(['-e', '1'], folder, 'aix.mjs').ended
    expect(code).toBe(1)
    expect(errors).toBe(`sealwire: there is no runtime for aix-${process.arch}. Use Linux or macOS on x64 or arm64\n`)
  })

  test('says so when the binary cannot be started', async () => {
    const folder = layout('unusable', ({ bun }) => {
      standIn(join(bun, 'bin', 'bun.exe'))
      chmodSync(join(bun, 'bin', 'bun.exe'), 0o644)
    })
    const { code, errors } = await run([], folder).ended
    expect(code).toBe(1)
    expect(errors).toMatch(
      /^sealwire: the runtime does not start \(spawn .*bun\.exe EACCES\)\. Install again on this machine with npm ci\n$/,
    )
  })
})

/** A checkout with the real launcher and an installed package `bun` whose binary is only a placeholder. */
function layout(name: string, change: (folders: { bun: string; modules: string }) => void = () => {}): string {
  const folder = join(scratch, name)
  const modules = join(folder, 'node_modules')
  const bun = join(modules, 'bun')
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  mkdirSync(join(bun, 'bin'), { recursive: true })
  writeFileSync(join(bun, 'package.json'), '{ "name": "bun", "version": "0.0.0" }')
  writeFileSync(join(bun, 'bin', 'bun.exe'), 'echo placeholder; exit 1', { mode: 0o755 })
  change({ bun, modules })
  return folder
}

function platform(modules: string, name = platformPackage): void {
  const folder = join(modules, '@oven', name)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), `{ "name": "@oven/${name}", "version": "0.0.0" }`)
  standIn(join(folder, 'bin', 'bun'))
}

/** A script as large as a binary, which says where it is. */
function standIn(path: string, commands = 'printf %s "$0"'): void {
  writeFileSync(path, `#!/bin/sh\n${commands}\nexit 0\n${'#'.repeat(1024 * 1024)}\n`, { mode: 0o755 })
}

async function usedBinary(folder: string): Promise<string> {
  const { code, output, errors } = await run([], folder).ended
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
  return output.slice(realpathSync(folder).length + 1)
}

function run(args: readonly string[], folder = root, entry = 'bin/bun.mjs'): Running {
  const child = spawn('node', [join(folder, entry), ...args], { stdio: 'pipe' })
  const text = { output: '', errors: '' }
  const waiting = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    text.output += chunk.toString()
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    text.errors += chunk.toString()
  })
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...text })))
  const seen = (wanted: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => (text.output.includes(wanted) ? resolve() : undefined)
      waiting.add(look)
      look()
      void ended.then(() => reject(new Error(`ended without saying ${wanted}: ${text.errors}`)))
    })
  return { child, ended, seen }
}

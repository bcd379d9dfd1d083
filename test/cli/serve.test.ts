import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../faults/until.ts'
import { CliProcess, type CliOptions, runCli } from './cli-process.ts'
import { canMount, inNamespace } from './mount-namespace.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-serve-'))
afterAll(() => rmSync(root, { recursive: true }))

/** The last line that a start prints. */
const started = /^fingerprint SHA256:\S+$/m

describe('serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends in order at %s', async (signal) => {
    await using server = serve(emptyFolder())
    await server.printed(started)
    server.child.kill(signal)
    expect(await server.ended()).toBe(0)
  })

  test('logs to standard error and to a file that is its owner’s alone', async () => {
    const data = emptyFolder()
    await using server = serve(data, ['--log-format', 'classic'])
    await server.printed(started)
    server.child.kill('SIGTERM')
    await server.ended()
    const path = join(data, 'logs', 'server.log')
    expect(readFileSync(path, 'utf8')).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[INFO\] Server started/m)
    expect(server.stderr).toBe(readFileSync(path, 'utf8'))
    expect([statSync(path).mode & 0o777, statSync(join(data, 'logs')).mode & 0o777]).toEqual([0o600, 0o700])
  })

  test('writes local time in the classic format and JSON where there is no terminal', async () => {
    const data = emptyFolder()
    for (const format of ['json', 'classic']) {
      const environment = { TZ: 'Asia/Kolkata', ...(format === 'json' ? {} : { SEALWIRE_LOG_FORMAT: format }) }
      await using server = serve(data, [], { environment })
      await server.printed(started)
      server.child.kill('SIGTERM')
      await server.ended()
    }
    const lines = readFileSync(join(data, 'logs', 'server.log'), 'utf8').split('\n')
    const { time } = JSON.parse(lines[0] ?? '') as { time: string }
    const classic = lines
      .find((line) => line.startsWith('['))
      ?.slice(1, 20)
      .replace(' ', 'T')
    const apart = Date.parse(`${classic}+05:30`) - Date.parse(time)
    expect(apart).toBeGreaterThan(-1000)
    expect(apart).toBeLessThan(60_000)
  })

  test('goes on when the disk of its log is full, and says so once', async () => {
    const data = emptyFolder()
    mkdirSync(join(data, 'logs'))
    symlinkSync('/dev/full', join(data, 'logs', 'server.log'))
    await using server = serve(data)
    await server.printed(started)
    await server.printed(/log file cannot be written/, 'stderr')
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
    expect(server.stderr.match(/log file cannot be written/g)).toHaveLength(1)
  })

  test('goes on when nobody reads its log any more', async () => {
    await using server = serve(emptyFolder())
    server.child.stderr.destroy()
    await server.printed(started)
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
  })

  test('logs what a crash was, and ends with 1', async () => {
    const data = emptyFolder()
    const crash = join(root, 'crash.ts')
    writeFileSync(crash, `process.on('SIGUSR2', () => { throw new TypeError('odd') })`)
    await using server = serve(data, [], { preload: [crash] })
    const log = join(data, 'logs', 'server.log')
    // Nothing is on its way to either any more: what is written meanwhile may come behind what the crash was.
    await server.printed(/"event":"server started".*\n/, 'stderr')
    await until('it is in the file', 60_000, () => /"event":"server started".*\n/.test(readFileSync(log, 'utf8')))
    server.child.kill('SIGUSR2')
    expect(await server.ended()).toBe(1)
    const last = JSON.parse(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '') as { error: string }
    expect(last).toMatchObject({ level: 'error', event: 'server crashed' })
    expect(last.error).toMatch(/^TypeError: odd\n {4}at /)
    expect(server.stderr).toEndWith(
      'sealwire: internal error: TypeError: odd. this is a bug: please report it, with the log at --log-level debug.\n',
    )
  })

  test('ends by a crash also when nobody reads standard error', async () => {
    const crash = join(root, 'crash-unread.ts')
    // More than a pipe holds is on its way to standard error when it happens.
    writeFileSync(
      crash,
      `import { write } from 'node:fs'; process.on('SIGUSR2', () => { write(2, Buffer.alloc(300_000), () => {}); throw new TypeError('odd') })`,
    )
    const data = emptyFolder()
    await using server = serve(data, [], { preload: [crash] })
    await server.printed(started)
    server.child.stderr.pause()
    server.child.once('exit', () => server.child.stderr.resume())
    server.child.kill('SIGUSR2')
    expect(await server.ended()).toBe(1)
    expect(readFileSync(join(data, 'logs', 'server.log'), 'utf8')).toContain('"event":"server crashed"')
  })

  test('refuses a second server on one data folder, and tells the log why when it is asked to', async () => {
    const data = emptyFolder()
    await using server = serve(data)
    await server.printed(started)
    const second = await runCli(['serve', '--listen', '127.0.0.1:0', '--data', data, '--log-level', 'debug'])
    expect(second.exitCode).toBe(3)
    expect(second.stderr).toMatch(
      /^\{.*"event":"command failed","reason":"SealwireError: \[data_locked\].*\\n {4}at .*\}\nsealwire: .* is in use\. .*\.\n$/,
    )
    expect(server.child.exitCode).toBeNull()
  })

  test('refuses an address that is in use', async () => {
    await using server = serve(emptyFolder())
    await server.printed(started)
    const address = /tls:\/\/(\S+)/.exec(server.stdout)?.[1] ?? ''
    const second = await runCli(['serve', '--listen', address, '--data', emptyFolder(), '--log-level', 'error'])
    expect([second.exitCode, second.stdout]).toEqual([4, ''])
    expect(second.stderr).toMatch(new RegExp(`^sealwire: .*${address}.*\\.\n$`))
  })

  test('refuses a key that others can read', async () => {
    const data = emptyFolder()
    await using server = serve(data)
    await server.printed(started)
    server.child.kill('SIGTERM')
    await server.ended()
    chmodSync(join(data, 'server.key'), 0o644)
    await refused(['--data', data], 3, /^sealwire: the key \S+ is open to other users \(mode 0644\)\. run: chmod 600 \S+\.\n$/)
  })

  test('refuses an impossible data folder', async () => {
    const file = join(emptyFolder(), 'file')
    writeFileSync(file, '')
    await refused(['--data', join(file, 'data')], 3, /^sealwire: cannot make the folder \S+ \(ENOTDIR\)\. .*\.\n$/)
    await refused(['--data', file], 3, /^sealwire: .*\.\n$/)
  })

  test.skipIf(!canMount)('refuses a full disk', () => {
    const mount = `mount -t tmpfs -o nr_inodes=1 none "$1" && exec "$2" "$3" serve --listen 127.0.0.1:0 --data "$1/data"`
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    const { status, stdout, stderr } = inNamespace('sh', '-c', mount, 'sh', emptyFolder(), process.execPath, main)
    expect([status, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^sealwire: cannot make the folder \S+: the disk is full\. free some space and start again\.\n$/)
  })

  test('refuses a configuration file that cannot be read, or says what cannot be', async () => {
    const folder = emptyFolder()
    await refused(
      ['--config', join(folder, 'missing.toml')],
      2,
      /^sealwire: the configuration file "\S+missing\.toml" does not exist\. .*\.\n$/,
    )
    const path = join(folder, 'server.toml')
    writeFileSync(path, 'classic = true\nregistration = "opne"\n')
    await refused(
      ['--config', path],
      2,
      /^sealwire: \S+server\.toml:2: registration "opne" is not one of invite, open, closed\. did you mean open\?\n$/,
    )
  })

  test('refuses what no flag and no variable can say, and makes no folder for it', async () => {
    const data = join(emptyFolder(), 'data')
    await refused(
      ['--data', data, '--limit', 'frameMsMax=1'],
      2,
      /^sealwire: --limit "frameMsMax=1" is not a whole number from 1000 to 60000 ms\. .*\.\n$/,
    )
    await refused(['--data', data, '--host', '*'], 2, /^sealwire: the host "\*" is a wildcard\. .*\.\n$/)
    await refused(['--data', data], 2, /^sealwire: SEALWIRE_LISTEN "5555" has no port\. .*\.\n$/, {
      environment: { SEALWIRE_LISTEN: '5555' },
    })
    await refused(['70000', '--data', data], 2, /^sealwire: PORT "70000" is not a port from 0 to 65535\. .*\.\n$/)
    expect(existsSync(data)).toBe(false)
  })

  test('takes every flag in every form that the help shows', async () => {
    const path = join(emptyFolder(), 'server.toml')
    writeFileSync(path, 'classic = true')
    const flags = [
      '--listen=127.0.0.1:0',
      '--listen',
      '[::1]:0',
      '--host',
      'chat.example',
      '--host',
      '192.0.2.1',
      '--registration',
      'closed',
    ]
    const more = [
      '--no-classic',
      '--echo',
      '127.0.0.1:0',
      '--log-level',
      'warning',
      '--log-format',
      'pretty',
      '--limit',
      'frameMsMax=2000',
      '--config',
      path,
    ]
    await using server = new CliProcess(['serve', '--data', emptyFolder(), ...flags, ...more])
    await server.printed(started)
    expect(server.stdout).toMatch(/^sealwire listening on tls:\/\/127\.0\.0\.1:\d+\nsealwire listening on tls:\/\/\[::1\]:\d+\n/)
    server.child.kill('SIGTERM')
    expect(await server.ended()).toBe(0)
  })
})

async function refused(flags: readonly string[], exitCode: number, line: RegExp, options?: CliOptions): Promise<void> {
  const result = await runCli(['serve', ...flags], options)
  expect(result.stderr).toMatch(line)
  expect([result.exitCode, result.stdout]).toEqual([exitCode, ''])
}

function serve(data: string, flags: readonly string[] = [], options?: CliOptions): CliProcess {
  return new CliProcess(['serve', '--listen', '127.0.0.1:0', '--data', data, ...flags], options)
}

function emptyFolder(): string {
  return mkdtempSync(join(root, 'data-'))
}

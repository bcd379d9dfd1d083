import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, read, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type LogOptions, openLog } from '../../../src/cli/log/logging.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { resolveLimits } from '../../../src/protocol/limits.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-logging-'))
afterAll(() => rmSync(root, { recursive: true }))

describe('openLog', () => {
  test('writes every line to standard error and to the file', async () => {
    const { log, data, standardError } = open()
    log.info('client connected', { connection: 1 })
    log.warning('handshakes failed', { timeout: 2 })
    log.error('session failed', { connection: 1 }, new TypeError('odd'))
    await log.close()
    const lines = fileOf(data)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toMatchObject([
      { level: 'info', event: 'client connected', connection: 1 },
      { level: 'warning', event: 'handshakes failed', timeout: 2 },
      { level: 'error', event: 'session failed', connection: 1 },
    ])
    expect(lines[2]?.['error']).toMatch(/^TypeError: odd\n {4}at /)
    expect(standardError()).toBe(fileOf(data))
  })

  test.each([
    ['debug', 'debug info warning error'],
    ['info', 'info warning error'],
    ['warning', 'warning error'],
    ['error', 'error'],
  ] as const)('leaves out what is below the level %s', async (level, expected) => {
    const { log, data } = open({ level, format: 'classic' })
    for (const event of ['debug', 'info', 'warning', 'error'] as const) log[event](event)
    await log.close()
    expect(
      fileOf(data)
        .trimEnd()
        .split('\n')
        .map((line) => line.split('] ')[2]?.toLowerCase())
        .join(' '),
    ).toBe(expected)
  })

  test('colours standard error when it is asked to, and never the file', async () => {
    const { log, data, standardError } = open({ format: 'pretty', colours: true })
    log.warning('something', { name: 'x' })
    await log.close()
    expect(standardError()).toContain('\u001b[33mwarning')
    expect(fileOf(data)).toMatch(/ warning {2}something {2}name=x\n$/)
  })

  test('says in both outputs that the file was moved, unless only worse is logged', async () => {
    for (const level of ['info', 'warning'] as const) {
      const { log, data, standardError } = open({ level, format: 'classic' })
      renameSync(join(data, 'logs', 'server.log'), join(data, 'logs', 'moved'))
      log.warning('after')
      await log.close()
      const told = level === 'info' ? ['Log file was moved or removed'] : []
      for (const text of [fileOf(data), standardError()]) {
        expect(text.match(/(?<=\] )(After|Log file was moved or removed)/g)?.toSorted()).toEqual(['After', ...told])
      }
    }
  })

  test('goes on in the file when nobody reads standard error, and does not wait for that for ever', async () => {
    const pipe = join(mkdtempSync(join(root, 'pipe-')), 'pipe')
    spawnSync('mkfifo', [pipe])
    // Open for both, so that it never ends: what is written stays in it, up to 64 KiB.
    const descriptor = openSync(pipe, 'r+')
    const { log, data } = open({}, descriptor)
    const line = 'x'.repeat(1000)
    for (let count = 0; count < 3000; count++) {
      log.info(line)
      // The file has its moments to write in; what it needs is not the matter here.
      while (count % 100 === 99 && fileOf(data).split('\n').length <= count) await new Promise(setImmediate)
    }
    await log.close()
    expect(fileOf(data).split('\n')).toHaveLength(3001)
    await emptied(descriptor)
  })

  test('loses what goes over its queues, and says in both outputs how much', async () => {
    const limits = resolveLimits({ logQueueBytesMax: 65_536 })
    const { log, data, standardError } = open({ limits })
    // All in one moment: nothing is written meanwhile.
    for (let count = 0; count < 200; count++) log.info('x'.repeat(1_000))
    await log.close()
    for (const text of [fileOf(data), standardError()]) {
      const lines = text.trimEnd().split('\n')
      const kept = lines.filter((line) => line.includes('xxx'))
      const bytes = (kept[0]?.length ?? 0) + 1
      expect(kept).toHaveLength(Math.floor(limits.logQueueBytesMax / bytes))
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ event: 'log lines lost', lines: 200 - kept.length })
    }
  })

  test('cuts a value that is longer than its bound, and no other', async () => {
    const { log, data } = open({ limits: resolveLimits({ logValueCharactersMax: 256 }) })
    log.info('something', { fits: 'x'.repeat(256), long: 'y'.repeat(257) })
    await log.close()
    expect(JSON.parse(fileOf(data))).toMatchObject({ fits: 'x'.repeat(256), long: `${'y'.repeat(256)}…` })
  })

  test('tells on standard error that the file cannot be written, once', async () => {
    const data = mkdtempSync(join(root, 'data-'))
    mkdirSync(join(data, 'logs'))
    symlinkSync('/dev/full', join(data, 'logs', 'server.log'))
    const { log, standardError } = open({ data, format: 'classic' })
    for (const event of ['one', 'two', 'three']) {
      log.info(event)
      await new Promise(setImmediate)
    }
    await log.close()
    expect(standardError().match(/\[WARNING\] Log file cannot be written path=\S+ reason=ENOSPC/g)).toHaveLength(1)
    for (const event of ['One', 'Two', 'Three']) expect(standardError()).toContain(`[INFO] ${event}\n`)
  })

  test('writes at once before a process ends', () => {
    const { log, data, standardError } = open()
    log.info('one')
    log.error('two')
    log.flushSync()
    expect(fileOf(data)).toMatch(/"event":"one"[^]*"event":"two"/)
    expect(standardError()).toBe(fileOf(data))
  })

  test('is silent after it was closed, and can be closed twice', async () => {
    const { log, data } = open()
    await log.close()
    log.info('late')
    log.flushSync()
    await log.close()
    expect(fileOf(data)).toBe('')
  })

  test('refuses a data folder that cannot be one', () => {
    const data = join(mkdtempSync(join(root, 'data-')), 'file')
    writeFileSync(data, '')
    expect(() => open({ data })).toThrow(expect.objectContaining({ code: 'data_unusable' }))
  })
})

/** A log whose standard error is a file, unless there is something else for it. */
function open(options: Partial<LogOptions> = {}, descriptor?: number) {
  const data = options.data ?? mkdtempSync(join(root, 'data-'))
  const path = join(mkdtempSync(join(root, 'standard-error-')), 'text')
  const components = { clock: systemClock, standardError: descriptor ?? openSync(path, 'w') }
  const log = openLog({ data, level: 'info', format: 'json', colours: false, limits: resolveLimits(), ...options }, components)
  return { log, data, standardError: () => readFileSync(path, 'utf8') }
}

/** Reads what a log still had to say, so that its write can end. */
async function emptied(descriptor: number): Promise<void> {
  const buffer = Buffer.alloc(1024 * 1024)
  for (let ended = false; !ended; ) {
    const { bytesRead } = await promisify(read)(descriptor, buffer, 0, buffer.length, null)
    ended = buffer.toString('utf8', 0, bytesRead).endsWith('\n')
  }
}

function fileOf(data: string): string {
  return readFileSync(join(data, 'logs', 'server.log'), 'utf8')
}

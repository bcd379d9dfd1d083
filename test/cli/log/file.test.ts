import { afterAll, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { LogFile } from '../../../src/cli/log/file.ts'
import { type Clock, systemClock } from '../../../src/domain/clock.ts'
import { limitTable, resolveLimits } from '../../../src/protocol/limits.ts'
import { canMount, inNamespace } from '../mount-namespace.ts'

const root = mkdtempSync(join(tmpdir(), 'sealwire-log-file-'))
afterAll(() => rmSync(root, { recursive: true }))

const logFileBytesMax = limitTable.logFileBytesMax.min
const logRetryMs = 1000
const limits = resolveLimits({ logFileBytesMax, logFilesMax: 3, logRetryMs })
const half = `${'x'.repeat(logFileBytesMax / 2 - 1)}\n`

describe('LogFile', () => {
  test('makes the file and its folder for their owner alone', () => {
    const path = join(emptyFolder(), 'data', 'logs', 'server.log')
    open(path).file.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  })

  test('goes on where an earlier process has ended', async () => {
    const path = join(emptyFolder(), 'server.log')
    for (const line of ['one\n', 'two\n']) {
      const { file } = open(path)
      await file.write(line)
      file.close()
    }
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  })

  test('starts a new file rather than let one grow over its limit, and keeps so many of the old ones', async () => {
    const path = join(emptyFolder(), 'server.log')
    const { file } = open(path)
    for (let number = 0; number < 12; number++) await file.write(half.replace(/^xx/, String(number).padStart(2, '0')))
    file.close()
    const starts = ['', '.1', '.2', '.3', '.4'].map((end) => existsSync(path + end) && readFileSync(path + end, 'utf8').slice(0, 2))
    expect(starts).toEqual(['10', '08', '06', '04', false])
    expect(statSync(`${path}.1`).size).toBe(logFileBytesMax)
    expect(statSync(`${path}.1`).mode & 0o777).toBe(0o600)
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  test('counts what was in the file before', async () => {
    const path = join(emptyFolder(), 'server.log')
    writeFileSync(path, half)
    const { file } = open(path)
    await file.write(half)
    await file.write('next\n')
    file.close()
    expect(readFileSync(path, 'utf8')).toBe('next\n')
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(half + half)
  })

  test('does not rotate what somebody has emptied', async () => {
    const path = join(emptyFolder(), 'server.log')
    const { file } = open(path)
    await file.write(half)
    truncateSync(path)
    await file.write(half)
    await file.write('next\n')
    file.close()
    expect(existsSync(`${path}.1`)).toBe(false)
  })

  test('goes on in a new file when somebody has moved or removed it', async () => {
    const path = join(emptyFolder(), 'logs', 'server.log')
    const { file, failures, later } = timed(path)
    await file.write('one\n')
    renameSync(path, `${path}-20260101`)
    later()
    await file.write('two\n')
    await file.write('three\n')
    expect(readFileSync(`${path}-20260101`, 'utf8')).toBe('one\n')
    expect(readFileSync(path, 'utf8')).toBe('opened anew\ntwo\nthree\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    rmSync(path)
    later()
    await file.write('four\n')
    expect(readFileSync(path, 'utf8')).toBe('opened anew\nfour\n')
    rmSync(dirname(path), { recursive: true })
    later()
    await file.write('five\n')
    file.close()
    expect(readFileSync(path, 'utf8')).toBe('opened anew\nfive\n')
    expect(failures).toEqual([])
  })

  test('goes on in the file that somebody has put in its place, and counts what is in that', async () => {
    const path = join(emptyFolder(), 'server.log')
    const { file, later } = timed(path)
    await file.write('one\n')
    renameSync(path, `${path}.old`)
    writeFileSync(path, half)
    later()
    await file.write(half)
    await file.write('next\n')
    file.close()
    expect([`${path}.old`, `${path}.1`, path].map((name) => readFileSync(name, 'utf8'))).toEqual([
      'one\n',
      `${half}opened anew\n`,
      `${half}next\n`,
    ])
  })

  test('tells and counts what is lost while it is gone and there can be no other one', async () => {
    const folder = join(emptyFolder(), 'data')
    const path = join(folder, 'logs', 'server.log')
    const { file, failures, later } = timed(path)
    await file.write('one\n')
    renameSync(folder, `${folder}-moved`)
    later()
    await file.write('two\n')
    expect([failures, existsSync(folder)]).toEqual([['ENOENT'], false])
    mkdirSync(folder)
    later()
    await file.write('three\n')
    file.close()
    expect(readFileSync(path, 'utf8')).toBe('opened anew\nlost 1\nthree\n')
  })

  test('leaves files alone that are not its own', async () => {
    const path = join(emptyFolder(), 'server.log')
    writeFileSync(`${path}.9.gz`, 'kept')
    writeFileSync(`${path}.09`, 'kept')
    writeFileSync(`${path}.9`, 'removed')
    writeFileSync(path, half + half)
    const { file } = open(path)
    await file.write('next\n')
    file.close()
    expect([existsSync(`${path}.9.gz`), existsSync(`${path}.09`), existsSync(`${path}.9`)]).toEqual([true, true, false])
  })

  test('tells once that the disk is full, tries again later, and counts what is missing', async () => {
    const path = join(emptyFolder(), 'server.log')
    symlinkSync('/dev/full', path)
    let now = 0
    const { file, failures } = open(path, { ...systemClock, monotonic: () => now })
    await file.write('a\nb\n')
    await file.write('c\n')
    now += logRetryMs
    await file.write('d\n')
    expect(failures).toEqual(['ENOSPC'])
    file.close()
  })

  test('says in the file how many lines are missing, once it can be written again', async () => {
    const folder = emptyFolder()
    const path = join(folder, 'server.log')
    let now = 0
    const { file, failures } = open(path, { ...systemClock, monotonic: () => now })
    await file.write(half + half)
    // A folder in the place of the next file: no rotation can succeed until it is gone.
    mkdirSync(`${path}.new`)
    await file.write('a\nb\n')
    await file.write('c\n')
    rmSync(`${path}.new`, { recursive: true })
    await file.write('still waiting\n')
    now += logRetryMs
    await file.write('d\n')
    await file.write('e\n')
    file.close()
    expect(failures).toEqual(['EISDIR'])
    expect(readFileSync(path, 'utf8')).toBe('lost 4\nd\ne\n')
  })

  test('tells a new trouble after the old one is over', async () => {
    const path = join(emptyFolder(), 'server.log')
    let now = 0
    const { file, failures } = open(path, { ...systemClock, monotonic: () => now })
    for (let round = 0; round < 2; round++) {
      mkdirSync(`${path}.new`)
      await file.write(half + half + half)
      await file.write('lost\n')
      rmSync(`${path}.new`, { recursive: true })
      now += logRetryMs
      await file.write('x\n')
    }
    file.close()
    expect(failures).toEqual(['EISDIR', 'EISDIR'])
  })

  // A small file system of its own, where that is allowed: the only place where a write breaks off half-way.
  test.skipIf(!canMount)('mends the half of a line that a full disk has left', () => {
    const script = join(import.meta.dir, './full-disk.ts')
    const mount = `mount -t tmpfs -o size=64k none "$1" && exec "$2" "$3" "$1"`
    const { stdout, stderr } = inNamespace('sh', '-c', mount, 'sh', emptyFolder(), process.execPath, script)
    expect(stderr).toBe('')
    const { failures, end } = JSON.parse(stdout) as { failures: string[]; end: string }
    expect(failures).toEqual(['ENOSPC'])
    expect(end).toMatch(/^.*\nx+\nlost 1\nafter\n$/)
  })

  test('writes at once what cannot wait, after what is on its way', async () => {
    const path = join(emptyFolder(), 'server.log')
    const { file } = open(path)
    const writing = file.write(half)
    file.writeSync('last\n')
    expect(readFileSync(path, 'utf8')).toBe(`${half}last\n`)
    await writing
    file.close()
  })

  test('is silent when the end cannot be written', () => {
    const path = join(emptyFolder(), 'server.log')
    symlinkSync('/dev/full', path)
    const { file } = open(path)
    expect(() => file.writeSync('last\n')).not.toThrow()
    file.close()
  })

  test('can be a link to a device, which is never full', async () => {
    const path = join(emptyFolder(), 'server.log')
    symlinkSync('/dev/null', path)
    const { file, failures } = open(path)
    for (let count = 0; count < 3; count++) await file.write(half)
    file.close()
    expect(failures).toEqual([])
    expect(existsSync(`${path}.1`)).toBe(false)
  })

  test('refuses a place where there can be no file', () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'file'), '')
    mkdirSync(join(folder, 'folder'))
    spawnSync('mkfifo', [join(folder, 'pipe')])
    const refused: unknown = expect.objectContaining({ code: 'data_unusable' })
    expect(() => open(join(folder, 'file', 'server.log'))).toThrow(refused)
    expect(() => open(join(folder, 'folder'))).toThrow(refused)
    expect(() => open(join(folder, 'pipe'))).toThrow(refused)
  })
})

function open(path: string, clock: Clock = systemClock) {
  const failures: unknown[] = []
  const events = {
    failed: (reason: unknown) => void failures.push((reason as NodeJS.ErrnoException).code),
    lossLine: (lines: number) => `lost ${lines}\n`,
    reopened: () => 'opened anew\n',
  }
  return { file: new LogFile(path, { limits, clock, events }), failures }
}

/** With a clock of its own: a second `later` the file is looked for again, and tried again. */
function timed(path: string) {
  let now = 0
  return { ...open(path, { ...systemClock, monotonic: () => now }), later: () => void (now += logRetryMs) }
}

function emptyFolder(): string {
  return mkdtempSync(join(root, 'folder-'))
}

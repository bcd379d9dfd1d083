import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorCode, makeFolder, sweepTemporaries, unusable, writeDurably } from '../../src/pki/durable-file.ts'
import { callsIn, cannotTrace, tracing } from '../support/traced-calls.ts'
import { entries, onUnix, refusal, temporaryFolder } from './support.ts'

describe('writeDurably', () => {
  test('makes a file with its mode and leaves nothing else behind', () => {
    using folder = temporaryFolder()
    writeDurably(join(folder.path, 'a'), 'text', 0o600)
    expect(readFileSync(join(folder.path, 'a'), 'utf8')).toBe('text')
    expect(entries(folder.path)).toEqual(['a'])
    if (onUnix) expect(statSync(join(folder.path, 'a')).mode & 0o777).toBe(0o600)
  })

  test('replaces a file, its mode included', () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'a'), 'a longer old text', { mode: 0o644 })
    writeDurably(join(folder.path, 'a'), 'new', 0o600)
    expect(readFileSync(join(folder.path, 'a'), 'utf8')).toBe('new')
    if (onUnix) expect(statSync(join(folder.path, 'a')).mode & 0o777).toBe(0o600)
  })

  test('keeps what is there when it fails', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'a'))
    const error = await refusal('data_unusable', () => writeDurably(join(folder.path, 'a'), 'text', 0o600))
    expect(error.sentence).toStartWith(`cannot write ${join(folder.path, 'a')}`)
    expect(entries(folder.path)).toEqual(['a'])
  })

  test.skipIf(process.platform !== 'linux')('says that the disk is full', async () => {
    // Linux has a device that is always full.
    const reason = await refusal('storage_full', () => {
      try {
        writeFileSync('/dev/full', 'text')
      } catch (cause) {
        throw unusable('cannot write a', cause)
      }
    })
    expect(reason.sentence).toBe('cannot write a: the disk is full')
    expect(errorCode(reason.cause)).toBe('ENOSPC')
  })
})

describe('makeFolder', () => {
  test('makes the folder and its parents for the owner only', () => {
    using folder = temporaryFolder()
    makeFolder(join(folder.path, 'a', 'b'))
    for (const made of ['a', 'a/b']) {
      expect(statSync(join(folder.path, made)).isDirectory()).toBe(true)
      if (onUnix) expect(statSync(join(folder.path, made)).mode & 0o777).toBe(0o700)
    }
  })

  test('leaves a folder that exists as it is', () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, 'a'), { mode: 0o750 })
    const { mode } = statSync(join(folder.path, 'a'))
    makeFolder(join(folder.path, 'a'))
    expect(statSync(join(folder.path, 'a')).mode).toBe(mode)
  })

  test('says so when something else has that name', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'a'), '')
    await refusal('data_unusable', () => makeFolder(join(folder.path, 'a')))
  })
})

test.skipIf(cannotTrace())('what is done is on the disk, bytes before names', () => {
  using folder = temporaryFolder()
  const [strace = '', ...options] = tracing(folder.path)
  const program = fileURLToPath(new URL('../support/durable-program.ts', import.meta.url))
  const { status, stderr } = spawnSync(strace, [...options, process.execPath, program, folder.path], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  const within = callsIn(folder.path).filter((call) => call.includes(folder.path))
  const told = within.map((call) => call.replace(folder.path, '').replace(/[0-9a-f]{16}/, 'x'))
  const [written, removed] = [
    ['sync /.written.x.tmp', 'rename /written', 'sync '],
    ['remove /written', 'sync '],
  ]
  expect(told).toEqual([...written, ...removed, 'sync /outer', 'sync '])
})

describe('sweepTemporaries', () => {
  test('removes the temporary files of the names it is given and nothing else', () => {
    using folder = temporaryFolder()
    const kept = ['a.key', '.a.key.tmp', '.a.key.0123456789abcdeX.tmp', '.b.key.0123456789abcdef.tmp', 'a.key.0123456789abcdef.tmp']
    for (const name of [...kept, '.a.key.0123456789abcdef.tmp', '.a.crt.fedcba9876543210.tmp']) writeFileSync(join(folder.path, name), 'x')
    sweepTemporaries(folder.path, ['a.key', 'a.crt'])
    expect(entries(folder.path)).toEqual(kept.sort())
  })
})

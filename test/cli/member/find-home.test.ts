import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { findHome } from '../../../src/cli/member/find-home.ts'
import { onUnix, refused, temporaryHome } from '../home-support.ts'

describe('findHome', () => {
  test('takes --home before SEALWIRE_HOME, and that before ~/.sealwire', () => {
    expect(findHome('a', { SEALWIRE_HOME: '/b' }).path).toBe(resolve('a'))
    expect(findHome(undefined, { SEALWIRE_HOME: 'b' }).path).toBe(resolve('b'))
    expect(findHome(undefined, { SEALWIRE_HOME: '' }).path).toBe(join(homedir(), '.sealwire'))
    expect(findHome(undefined, {}).path).toBe(join(homedir(), '.sealwire'))
  })

  test('refuses what cannot be a path, and says where it was written', () => {
    expect(refused(() => findHome('', {}))).toMatchObject({ code: 'usage', sentence: '--home "" cannot be a path' })
    expect(refused(() => findHome(undefined, { SEALWIRE_HOME: 'a\0' }))).toMatchObject({ code: 'config_invalid' })
  })
})

describe('Home', () => {
  test('is made with its first file, both for their owner only', () => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    expect(stage.home.read('file', 100)).toBe('text')
    expect(readdirSync(stage.home.path)).toEqual(['file'])
    if (onUnix) expect([stage.home.path, stage.home.pathOf('file')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600])
  })

  test('has no text for a file that is not there, and makes nothing to find that out', () => {
    using stage = temporaryHome()
    expect(stage.home.read('file', 100)).toBeUndefined()
    expect(readdirSync(stage.parent)).toEqual([])
  })

  test('reads a file of the largest size and refuses one byte more', () => {
    using stage = temporaryHome()
    stage.home.write('file', 'x'.repeat(100))
    expect(stage.home.read('file', 100)).toHaveLength(100)
    expect(refused(() => stage.home.read('file', 99))).toMatchObject({
      code: 'config_invalid',
      sentence: `${stage.home.pathOf('file')} is larger than 99 bytes`,
    })
  })

  test('refuses what is not UTF-8', () => {
    using stage = temporaryHome()
    stage.home.make()
    writeFileSync(stage.home.pathOf('file'), Uint8Array.of(0x61, 0xff), { mode: 0o600 })
    expect(refused(() => stage.home.read('file', 100)).sentence).toBe(`${stage.home.pathOf('file')} is not UTF-8 text`)
  })

  test.skipIf(!onUnix).each([0o640, 0o604, 0o620, 0o644, 0o666])('refuses a file of mode %p and says how to mend it', (mode) => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    chmodSync(stage.home.pathOf('file'), mode)
    expect(refused(() => stage.home.read('file', 100))).toMatchObject({
      code: 'key_unsafe',
      sentence: `${stage.home.pathOf('file')} is open to other users (mode 0${mode.toString(8)})`,
      hint: `run: chmod 600 ${stage.home.pathOf('file')}`,
    })
    expect(readFileSync(stage.home.pathOf('file'), 'utf8')).toBe('text')
  })

  test.skipIf(!onUnix).each([0o770, 0o720, 0o702, 0o777])('refuses a folder of mode %p in which others could put files', (mode) => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    chmodSync(stage.home.path, mode)
    const refusal = {
      code: 'key_unsafe',
      sentence: `${stage.home.path} is open to other users (mode 0${mode.toString(8)})`,
      hint: `run: chmod 700 ${stage.home.path}`,
    }
    for (const use of [() => stage.home.read('file', 100), () => stage.home.read('none', 100), () => stage.home.write('file', 'new')]) {
      expect(refused(use)).toMatchObject(refusal)
    }
    chmodSync(stage.home.path, 0o755)
    expect(stage.home.read('file', 100)).toBe('text')
  })

  // Only root can give a folder away.
  test.skipIf(process.getuid?.() !== 0)('refuses a folder of another user', () => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    chownSync(stage.home.path, 12345, 12345)
    expect(refused(() => stage.home.read('file', 100))).toMatchObject({
      code: 'key_unsafe',
      sentence: `${stage.home.path} belongs to another user (id 12345)`,
    })
  })

  // Only root can give a file away.
  test.skipIf(process.getuid?.() !== 0)('refuses a file of another user', () => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    chownSync(stage.home.pathOf('file'), 12345, 12345)
    expect(refused(() => stage.home.read('file', 100))).toMatchObject({
      code: 'key_unsafe',
      sentence: `${stage.home.pathOf('file')} belongs to another user (id 12345)`,
    })
  })

  test('says so when something else is in the place of the file or the folder', () => {
    using stage = temporaryHome()
    mkdirSync(stage.home.pathOf('file'), { recursive: true, mode: 0o700 })
    expect(refused(() => stage.home.read('file', 100)).code).toBe('data_unusable')
    writeFileSync(stage.home.pathOf('other'), '', { mode: 0o600 })
    expect(refused(() => stage.home.write('other/file', 'text')).code).toBe('data_unusable')
  })

  test('leaves nothing of a check behind, nor what a crash left of the file', () => {
    using stage = temporaryHome()
    stage.home.write('file', 'text')
    writeFileSync(stage.home.pathOf('.file.0123456789abcdef.tmp'), 'half')
    stage.home.checkWritable('file', 100)
    expect(readdirSync(stage.home.path)).toEqual(['file'])
  })
})

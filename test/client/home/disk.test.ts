import { afterAll, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileTarget } from '../../../src/client/files.ts'
import { disk, partOf } from '../../../src/client/home/disk.ts'
import { SealwireError } from '../../../src/protocol/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const id = new Uint8Array(16).fill(0x1d)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a file that is saved', () => {
  test('goes on from what is there, and has its name when it is whole', async () => {
    const path = join(folder, 'whole')
    await using first = await disk.target(path, id)
    await first.append(bytes('one '))
    await first[Symbol.asyncDispose]()
    await using second = await disk.target(path, id)
    expect([second.size, existsSync(path)]).toEqual([4, false])
    await second.append(bytes('two'))
    await second.finish()
    expect([readFileSync(path, 'utf8'), existsSync(partOf(path, id))]).toEqual(['one two', false])
  })

  test('is never a mixture of two that are saved at once: one of them stops', async () => {
    const path = join(folder, 'twice')
    await using first = await disk.target(path, id)
    await using second = await disk.target(path, id)
    await first.append(bytes('first'))
    const refused = `somebody else is saving to ${path}`
    expect(await sentenceOf(second.append(bytes('second')))).toBe(refused)
    expect(await sentenceOf(second.restart())).toBe(refused)
    expect(await sentenceOf(second.finish())).toBe(refused)
    await first.append(bytes(' again'))
    await first.finish()
    expect(await sentenceOf(second.append(bytes('late')))).toBe(refused)
    expect(readFileSync(path, 'utf8')).toBe('first again')
  })

  test('is whole also where a third one has begun anew before the second was done', async () => {
    const path = join(folder, 'thrice')
    await using first = await disk.target(path, id)
    await first.append(bytes('all of it'))
    await using second = await disk.target(path, id)
    await first.finish()
    await using third = await disk.target(path, id)
    await third.append(bytes('al'))
    expect(await sentenceOf(second.finish())).toBe(`somebody else is saving to ${path}`)
    expect([readFileSync(path, 'utf8'), readFileSync(partOf(path, id), 'utf8')]).toEqual(['all of it', 'al'])
  })

  test('is there once where two are done one after the other, or at once', async () => {
    for (const name of ['after', 'at once']) {
      const path = join(folder, name)
      await using first = await disk.target(path, id)
      await first.append(bytes('all of it'))
      await using second = await disk.target(path, id)
      const done = first.finish()
      if (name === 'after') await done
      const sentences = await Promise.all([done, second.finish()].map(sentenceOf))
      expect(sentences.sort()).toEqual(['it was done', `somebody else is saving to ${path}`])
      expect(readFileSync(path, 'utf8')).toBe('all of it')
    }
  })

  test('is not written over another one that has come to be there meanwhile', async () => {
    const path = join(folder, 'report')
    await using first = await disk.target(path, id)
    await using second = await disk.target(path, new Uint8Array(16).fill(0x3d))
    await first.append(bytes('one report'))
    await second.append(bytes('another report'))
    const sentences = await Promise.all([first.finish(), second.finish()].map(sentenceOf))
    expect(sentences.sort()).toEqual(['it was done', `there is ${path} already`])
    const [saved = '', left = ''] = readdirSync(folder)
      .filter((name) => name.startsWith('report'))
      .sort()
    expect([saved, left]).toEqual(['report', expect.stringMatching(/^report\.(1d|3d){16}\.part$/)])
    const texts = [saved, left].map((name) => readFileSync(join(folder, name), 'utf8'))
    expect(texts.sort()).toEqual(['another report', 'one report'])
  })

  test('takes the place of what was there when it was begun', async () => {
    const path = join(folder, 'older')
    writeFileSync(path, 'the older one')
    await using target = await disk.target(path, id)
    await target.append(bytes('the newer one'))
    await target.finish()
    expect([readFileSync(path, 'utf8'), existsSync(partOf(path, id))]).toEqual(['the newer one', false])
  })

  test('says what is wrong when what was saved of it is gone, and nothing is there', async () => {
    const path = join(folder, 'gone')
    await using target = await disk.target(path, id)
    rmSync(partOf(path, id))
    expect(await sentenceOf(target.finish())).toBe(`cannot use ${path} (ENOENT)`)
  })

  test('is begun beside it, under a name of the file alone: what is somebody else’s PATH.part stays as it is', async () => {
    const path = join(folder, 'mine')
    const other = new Uint8Array(16).fill(0x2d)
    writeFileSync(`${path}.part`, 'my own words')
    for (const [each, text] of [
      [id, 'half of one'],
      [other, 'half of another'],
    ] as const) {
      await using target = await disk.target(path, each)
      expect(target.size).toBe(0)
      await target.append(bytes(text))
    }
    await using again = await disk.target(path, id)
    expect([again.size, partOf(path, id)]).toEqual([11, `${path}.${'1d'.repeat(16)}.part`])
    await again.finish()
    expect(['', '.part'].map((end) => readFileSync(`${path}${end}`, 'utf8'))).toEqual(['half of one', 'my own words'])
    expect(readFileSync(partOf(path, other), 'utf8')).toBe('half of another')
  })

  test('is written to no place that somebody else has prepared', async () => {
    const [path, secret] = [join(folder, 'trap'), join(folder, 'secret')]
    writeFileSync(secret, 'untouched')
    symlinkSync(secret, partOf(path, id))
    expect(await sentenceOf(disk.target(path, id))).toStartWith(`cannot use ${partOf(path, id)} (`)
    rmSync(partOf(path, id))
    linkSync(secret, partOf(path, id))
    expect(await sentenceOf(disk.target(path, id))).toBe(`${partOf(path, id)} is not what an earlier try has left`)
    expect([readFileSync(secret, 'utf8'), existsSync(path)]).toEqual(['untouched', false])
  })

  test.skipIf(process.getuid === undefined)('goes on from nothing that others may write to', async () => {
    const path = join(folder, 'shared')
    const part = partOf(path, id)
    for (const [mode, sentence] of [
      [0o620, `${part} is not what an earlier try has left`],
      [0o602, `${part} is not what an earlier try has left`],
      [0o644, 'it was done'],
    ] as const) {
      writeFileSync(part, 'prepared')
      chmodSync(part, mode)
      expect([mode, await sentenceOf(closed(disk.target(path, id)))]).toEqual([mode, sentence])
    }
    expect([readFileSync(part, 'utf8'), existsSync(path)]).toEqual(['prepared', false])
  })

  test.skipIf(process.getuid?.() !== 0)('goes on from nothing of another user', async () => {
    const path = join(folder, 'foreign')
    const part = partOf(path, id)
    writeFileSync(part, 'prepared', { mode: 0o600 })
    chownSync(part, 12_345, 12_345)
    expect(await sentenceOf(closed(disk.target(path, id)))).toBe(`${part} is not what an earlier try has left`)
    expect([readFileSync(part, 'utf8'), existsSync(path)]).toEqual(['prepared', false])
  })

  test('is refused before anything is there when its name is too long', async () => {
    const inside = mkdtempSync(join(folder, 'long-'))
    const paths = [join(inside, 'x'.repeat(256)), join(inside, `${'ä'.repeat(127)}xx`)]
    for (const path of paths) {
      expect(await sentenceOf(closed(disk.target(path, id)))).toBe(`the name ${path} is too long`)
    }
    expect(readdirSync(inside)).toEqual([])
  })

  test('may have the longest name there is', async () => {
    const path = join(folder, 'ä'.repeat(127))
    await using target = await disk.target(path, id)
    await target.append(bytes('all'))
    await target.finish()
    expect([readFileSync(path, 'utf8'), existsSync(partOf(path, id))]).toEqual(['all', false])
  })

  test('needs a folder, and a path that is none', async () => {
    mkdirSync(join(folder, 'inside'))
    writeFileSync(join(folder, 'flat'), '')
    expect(await sentenceOf(disk.target(join(folder, 'inside'), id))).toBe(`${join(folder, 'inside')} is a folder`)
    expect(await sentenceOf(disk.target(join(folder, 'flat', 'x'), id))).toBe(`there is no folder ${join(folder, 'flat')}`)
    expect(readdirSync(folder).filter((name) => /^(inside|flat)\..*part$/.test(name))).toEqual([])
  })
})

/** Opened, and closed again. */
async function closed(target: Promise<FileTarget>): Promise<void> {
  await using _ = await target
}

async function sentenceOf(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'it was done',
    (reason: unknown) => SealwireError.from(reason).sentence,
  )
}

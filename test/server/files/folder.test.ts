import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskFailure, FileFolder, fileKey } from '../../../src/server/files/folder.ts'
import { rejectionOf } from '../../support/refusal.ts'

const key = '0123456789abcdef0123456789abcdef'

async function inFolder(action: (folder: FileFolder, path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-folder-'))
  try {
    await action(new FileFolder(join(path, 'files')), join(path, 'files'))
  } finally {
    rmSync(path, { recursive: true })
  }
}

describe('FileFolder', () => {
  test('makes folder and file when there is the first, for nobody else to read', async () => {
    await inFolder(async (folder, path) => {
      expect(await folder.bytesOf(key)).toBe(0)
      const handle = await folder.openForUpload(key)
      await handle.write(Buffer.from('abc'))
      await handle.close()
      await folder.sync()
      expect([statSync(path).mode & 0o777, statSync(join(path, key)).mode & 0o777]).toEqual([0o700, 0o600])
      const again = await folder.openForUpload(key)
      expect((await again.stat()).size).toBe(3)
      await again.close()
      expect(await folder.bytesOf(key)).toBe(3)
    })
  })

  test('says that a content is gone, and removes what is not there', async () => {
    await inFolder(async (folder) => {
      expect(await folder.bytesFree()).toBeGreaterThan(0)
      expect(await rejectionOf(folder.openForReading(key))).toBe('gone')
      await folder.remove(key)
    })
  })

  test('lists files of ours alone, page by page', async () => {
    await inFolder(async (folder, path) => {
      await folder.bytesFree()
      const keys = ['a', 'b', 'c'].map((digit) => digit.repeat(32))
      for (const name of [...keys, 'lost+found', `${key}.tmp`]) writeFileSync(join(path, name), '')
      const pages: (readonly string[])[] = []
      for await (const page of folder.keys(2)) pages.push(page)
      expect(pages.map(({ length }) => length)).toEqual([2, 1])
      expect(pages.flat().toSorted()).toEqual(keys)
    })
  })

  test('is unavailable where no folder can be', async () => {
    const folder = new FileFolder('/dev/null/files')
    expect(await rejectionOf(folder.openForUpload(key))).toBe('unavailable')
    expect(await rejectionOf(folder.bytesFree())).toBe('unavailable')
  })
})

describe('fileKey', () => {
  test('is the hexadecimal form, also of a part of something larger', () => {
    expect(fileKey(Uint8Array.of(9, 0x0a, 0xff, 9).subarray(1, 3))).toBe('0aff')
  })
})

describe('diskFailure', () => {
  test('tells a full disk from a broken one', () => {
    const codes = ['ENOSPC', 'EDQUOT', 'EIO'].map((code) => diskFailure(Object.assign(new TypeError(code), { code })).code)
    expect(codes).toEqual(['storage_full', 'storage_full', 'unavailable'])
  })
})

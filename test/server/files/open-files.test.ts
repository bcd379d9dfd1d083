import { describe, expect, test } from 'bun:test'
import { OpenFiles } from '../../../src/server/files/open-files.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileContent } from '../../../src/server/files/content.ts'
import { Turns } from '../../../src/server/turns.ts'
import { rejectionOf } from '../../support/refusal.ts'

/** Real files, and how often each was opened. */
class Shelf implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-open-'))
  readonly opened: string[] = []

  open(key: string): () => Promise<FileContent> {
    return async () => {
      this.opened.push(key)
      const path = join(this.folder, key)
      writeFileSync(path, key, { flag: 'a' })
      const parts = {
        limits: { fileBufferBytes: 65_536 },
        hashing: new Turns({ width: 1, waitingMax: 1 }),
        ended: new AbortController().signal,
        requireRoom: async () => {},
      }
      return FileContent.open(await open(path, 'r+'), parts)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

const look = async (content: FileContent): Promise<number> => content.size

describe('OpenFiles', () => {
  test('opens a file once for all who use it', async () => {
    using shelf = new Shelf()
    const files = new OpenFiles(2)
    await Promise.all([files.use('a', shelf.open('a'), look), files.use('a', shelf.open('a'), look)])
    await files.use('a', shelf.open('a'), look)
    expect(shelf.opened).toEqual(['a'])
    await files.close()
    expect(files.size).toBe(0)
  })

  test('closes the one that was used longest ago', async () => {
    using shelf = new Shelf()
    const files = new OpenFiles(2)
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await files.use(key, shelf.open(key), look)
    expect(shelf.opened).toEqual(['a', 'b', 'c', 'b'])
    expect(files.size).toBe(2)
    await files.close()
  })

  test('closes none that is in use, and refuses when all are', async () => {
    using shelf = new Shelf()
    const files = new OpenFiles(1)
    const { promise, resolve } = Promise.withResolvers<void>()
    const using = files.use('a', shelf.open('a'), () => promise)
    expect(await rejectionOf(files.use('b', shelf.open('b'), look))).toBe('busy')
    resolve()
    await using
    expect(await files.use('b', shelf.open('b'), look)).toBe(1)
    await files.close()
  })

  test('opens a dropped one anew, once what it had was given to the disk', async () => {
    using shelf = new Shelf()
    const files = new OpenFiles(2)
    await files.use('a', shelf.open('a'), async (content) => {
      files.drop('a')
      await content.append(new Uint8Array(50_000))
    })
    expect(await files.use('a', shelf.open('a'), look)).toBe(50_002)
    await files.close()
  })

  test('forgets what could not be opened', async () => {
    using shelf = new Shelf()
    const files = new OpenFiles(1)
    const broken = async (): Promise<FileContent> => Promise.reject(new TypeError('broken'))
    await expect(files.use('a', broken, look)).rejects.toThrow('broken')
    expect(await files.use('a', shelf.open('a'), look)).toBe(1)
    await files.close()
  })
})

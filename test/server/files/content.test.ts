import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SealwireError } from '../../../src/protocol/index.ts'
import { FileContent } from '../../../src/server/files/content.ts'
import { Turns } from '../../../src/server/turns.ts'
import { fileBytes, sha256 } from '../../support/file-bytes.ts'
import { rejectionOf } from '../../support/refusal.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-content-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Opened {
  readonly path: string
  readonly content: FileContent
}

let files = 0
async function opened({ before = fileBytes(0), requireRoom = async () => {} } = {}): Promise<Opened> {
  const path = join(folder, `file-${++files}`)
  writeFileSync(path, before)
  return { path, content: await reopened(path, requireRoom) }
}

async function reopened(path: string, requireRoom = async () => {}, ended = new AbortController().signal): Promise<FileContent> {
  const hashing = new Turns({ width: 1, waitingMax: 10 })
  return FileContent.open(await open(path, 'r+'), { limits: { fileBufferBytes: 65_536 }, hashing, ended, requireRoom })
}

async function append(content: FileContent, bytes: Uint8Array<ArrayBuffer>, chunkBytes = 60_000): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) await content.append(bytes.subarray(at, at + chunkBytes))
}

describe('append and finish', () => {
  test('put every byte where it belongs and answer the SHA-256 of the whole', async () => {
    const { path, content } = await opened()
    const bytes = fileBytes(9_000_001)
    await append(content, bytes)
    expect(content.size).toBe(bytes.length)
    expect(await content.finish()).toEqual(sha256(bytes))
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0)
    await content.close()
  })

  test('hash what was there before it was opened too, while more is appended', async () => {
    const bytes = fileBytes(5_000_000)
    const { path, content } = await opened({ before: bytes.subarray(0, 3_000_000) })
    expect(content.size).toBe(3_000_000)
    await append(content, bytes.subarray(3_000_000), 10_000)
    expect(await content.finish()).toEqual(sha256(bytes))
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0)
    await content.close()
  })

  test('take an empty file, and one that was opened whole', async () => {
    const { content } = await opened()
    expect(await content.finish()).toEqual(sha256(new Uint8Array(0)))
    await content.close()
    const bytes = fileBytes(700_000)
    const other = await opened({ before: bytes })
    expect(await other.content.finish()).toEqual(sha256(bytes))
    expect(await other.content.finish()).toEqual(sha256(bytes))
    await other.content.close()
  })

  test('make whoever appends wait while the disk is behind', async () => {
    const { content } = await opened()
    const bytes = fileBytes(65_536)
    await content.append(bytes)
    let hasRoom = false
    const second = content.append(bytes).then(() => (hasRoom = true))
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    expect(hasRoom).toBe(false)
    await second
    await content.close()
  })
})

describe('restart', () => {
  test('forgets everything, on the disk too', async () => {
    const { path, content } = await opened({ before: fileBytes(1_000) })
    await append(content, fileBytes(200_000))
    await content.restart()
    expect([content.size, readFileSync(path).length]).toEqual([0, 0])
    const bytes = fileBytes(100_000)
    await append(content, bytes)
    expect(await content.finish()).toEqual(sha256(bytes))
    await content.close()
  })
})

describe('close', () => {
  test('gives what waits to the disk, and the next who opens it goes on', async () => {
    const { path, content } = await opened()
    const bytes = fileBytes(150_000)
    void content.append(bytes.subarray(0, 60_000))
    await content.close()
    const again = await reopened(path)
    expect(again.size).toBe(60_000)
    await append(again, bytes.subarray(60_000))
    expect(await again.finish()).toEqual(sha256(bytes))
    await again.close()
  })
})

describe('the end of the server', () => {
  test('does not wait until a file was read back, and loses nothing', async () => {
    const { path, content } = await opened({ before: fileBytes(5_000_000) })
    await content.close()
    const ended = new AbortController()
    const again = await reopened(path, undefined, ended.signal)
    await again.append(fileBytes(60_000))
    const finishing = rejectionOf(again.finish())
    ended.abort()
    expect(await finishing).toBe('unavailable')
    await again.close()
    expect(readFileSync(path).length).toBe(5_060_000)
  })
})

describe('a full disk', () => {
  test('refuses what was appended and what comes after it', async () => {
    const requireRoom = async (): Promise<void> => {
      throw new SealwireError('storage_full', 'no room')
    }
    const { content } = await opened({ requireRoom })
    expect(await rejectionOf(append(content, fileBytes(9_000_000)))).toBe('storage_full')
    expect([content.hasFailed, await rejectionOf(content.finish())]).toEqual([true, 'storage_full'])
    await content.close()
  })
})

describe('read', () => {
  test('answers fewer bytes only at the end, and none behind it', async () => {
    const bytes = fileBytes(100_000)
    const { content } = await opened({ before: bytes })
    expect(await content.read(10, 60_000)).toEqual(bytes.subarray(10, 60_010))
    expect(await content.read(90_000, 60_000)).toEqual(bytes.subarray(90_000))
    expect((await content.read(100_000, 60_000)).length).toBe(0)
    expect((await content.read(Number.MAX_SAFE_INTEGER, 60_000)).length).toBe(0)
    await content.close()
  })
})

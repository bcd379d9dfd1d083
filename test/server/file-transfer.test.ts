// Files and a real server over TLS: what is left when either end dies in the middle, and whether others are heard beside it.

import { describe, expect, test } from 'bun:test'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, connectNode } from '../../src/client/node.ts'
import { fileBytes, newFileId, sha256 } from '../support/file-bytes.ts'
import { beginUpload, download, putAll, upload } from '../support/file-transfer.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const limits = { ...liftedRates, messagesBurstPerAccountMax: 1_000_000 }
const password = 'correct-horse-battery'

async function dial(server: ServerProcess): Promise<Client> {
  return connectNode({ host: '127.0.0.1', port: server.port, pin: server.fingerprint })
}

async function back(server: ServerProcess): Promise<Client> {
  const client = await dial(server)
  await client.request('account.login', { name: 'alice', password })
  return client
}

/** Alice, with a room. */
async function arrive(server: ServerProcess): Promise<{ readonly client: Client; readonly conversation: number }> {
  const client = await dial(server)
  await client.request('account.register', { name: 'alice', password })
  const { conversation } = await client.request('room.create', { id: newFileId(), title: 'Files' })
  return { client, conversation }
}

function newFile(conversation: number, size: number) {
  const bytes = fileBytes(size)
  return { id: newFileId(), conversation, bytes, sha256: sha256(bytes), size }
}

describe('a transfer', () => {
  test('goes on where it stopped when the client dies in the middle, up and down', async () => {
    await using server = await ServerProcess.start({ limits })
    const { client, conversation } = await arrive(server)
    const file = newFile(conversation, 20_000_000)
    expect(await beginUpload(client, file)).toBe(0)
    await putAll(client, file, 0, 8_000_000)
    const dying = putAll(client, file, 8_000_000).catch(() => {})
    client.close()
    await dying
    const again = await back(server)
    expect(await upload(again, file)).toBeGreaterThanOrEqual(8_000_000)
    const half = await download(again, { id: file.id, size: 9_999_999 })
    again.close()
    const third = await back(server)
    const rest = await download(third, file, 9_999_999)
    expect(Buffer.compare(Buffer.concat([half, rest]), file.bytes)).toBe(0)
    third.close()
  })

  test('goes on where the disk says when the server is killed in the middle', async () => {
    await using first = await ServerProcess.start({ limits })
    const { client, conversation } = await arrive(first)
    const file = newFile(conversation, 20_000_000)
    await beginUpload(client, file)
    await putAll(client, file, 0, 8_000_000)
    const dying = putAll(client, file, 8_000_000).catch(() => {})
    await first.kill()
    await dying
    const kept = statSync(join(first.data, 'files', Buffer.from(file.id).toString('hex'))).size
    await using second = await ServerProcess.start({ limits, data: first.data })
    const again = await back(second)
    expect(await upload(again, file)).toBe(kept)
    expect(Buffer.compare(await download(again, file), file.bytes)).toBe(0)
    const { seq } = await again.request('message.send', { conversation, id: newFileId(), body: new Uint8Array(1), file: file.id })
    await again.request('message.delete', { conversation, id: newFileId(), target: seq })
    await again.drain()
    await second.stop()
    expect(readdirSync(join(first.data, 'files'))).toEqual([])
  })

  test('lets others be answered in its middle, on the same connection and on another', async () => {
    await using server = await ServerProcess.start({ limits })
    const { client, conversation } = await arrive(server)
    const other = await back(server)
    const file = newFile(conversation, 30_000_000)
    const waits: number[] = []
    const done = new AbortController()
    const talk = async (who: Client): Promise<void> => {
      while (!done.signal.aborted) {
        const before = performance.now()
        await who.request('message.send', { conversation, id: newFileId(), body: Buffer.from('hello') })
        waits.push(performance.now() - before)
      }
    }
    const talking = [talk(client), talk(other)]
    await upload(client, file)
    expect(Buffer.compare(await download(client, file), file.bytes)).toBe(0)
    done.abort()
    await Promise.all(talking)
    waits.sort((one, next) => one - next)
    // It is under 10 ms where nothing else runs; what waits for a whole transfer takes seconds.
    expect(waits.length).toBeGreaterThan(20)
    expect(waits[waits.length >> 1]).toBeLessThan(250)
    client.close()
    other.close()
  })
})

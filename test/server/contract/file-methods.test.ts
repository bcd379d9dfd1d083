import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { fileBytes, newFileId, sha256 } from '../../support/file-bytes.ts'
import { ServerStage } from '../../support/server-stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-file-methods-'))
afterAll(() => rmSync(folder, { recursive: true }))

const bytes = fileBytes(150_000)
let stages = 0

interface Scene extends AsyncDisposable {
  readonly stage: ServerStage
  readonly files: string
  readonly alice: ContractPeer
  readonly conversation: number
}

async function scene(limits: ConstructorParameters<typeof ServerStage>[0] = {}): Promise<Scene> {
  const files = join(folder, `files-${++stages}`)
  const stage = new ServerStage(limits, { files })
  const alice = await stage.member('alice')
  const { conversation } = await alice.ask('room.create', { id: newFileId(), title: 'Files' })
  const end = async (): Promise<void> => {
    await stage.context.files.close()
    stage[Symbol.dispose]()
  }
  return { stage, files, alice, conversation, [Symbol.asyncDispose]: end }
}

function announced(conversation: number, id = newFileId()) {
  return { id, conversation, name: 'report.pdf', size: bytes.length, sha256: sha256(bytes) }
}

async function put(peer: ContractPeer, id: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 60_000) {
    const data = bytes.subarray(at, at + 60_000)
    expect(await peer.ask('file.put', { id, offset: at, data })).toEqual({ offset: at + data.length })
  }
}

describe('a file', () => {
  test('goes up, goes with a message, comes down, and goes with its message', async () => {
    await using play = await scene()
    const { alice, conversation, files, stage } = play
    const file = announced(conversation)
    expect(await alice.ask('file.begin', file)).toEqual({ offset: 0 })
    await put(alice, file.id)
    expect(await alice.ask('file.begin', file)).toEqual({ offset: bytes.length })
    await alice.ask('file.end', { id: file.id })
    const bob = await stage.member('bob')
    await bob.ask('room.join', { secret: (await alice.ask('room.link', { conversation })).secret })
    expect(await bob.refusal('file.find', { id: file.id })).toBe('not_found')
    const { seq } = await alice.ask('message.send', { conversation, id: newFileId(), body: fileBytes(0), file: file.id })
    const { conversation: _, ...words } = file
    expect(await bob.ask('file.find', { id: file.id })).toEqual(words)
    expect((await bob.ask('message.history', { conversation })).entries.at(-1)?.file).toEqual(words)
    expect(await bob.ask('file.get', { id: file.id, offset: 120_000, length: 60_000 })).toEqual({ data: bytes.slice(120_000) })
    await alice.ask('message.delete', { conversation, id: newFileId(), target: seq })
    expect(await bob.refusal('file.find', { id: file.id })).toBe('not_found')
    await stage.context.files.close()
    expect(readdirSync(files)).toEqual([])
  })

  test('is not announced for a conversation that one is not in', async () => {
    await using play = await scene()
    const bob = await play.stage.member('bob')
    expect(await bob.refusal('file.begin', announced(play.conversation))).toBe('not_found')
  })

  test('counts against the quota until it is abandoned', async () => {
    await using play = await scene({ filesPerAccountMax: 1 })
    const { alice, conversation } = play
    const file = announced(conversation)
    await alice.ask('file.begin', file)
    expect(await alice.refusal('file.begin', announced(conversation))).toBe('quota_exceeded')
    await alice.ask('file.abandon', { id: file.id })
    expect(await alice.refusal('file.begin', announced(conversation))).toBeUndefined()
  })
})

describe('chunks', () => {
  test('do not count against the rate of the account', async () => {
    await using play = await scene({ messagesBurstPerAccountMax: 10, messagesPerSecondPerAccountMax: 1 })
    const { alice, conversation } = play
    const file = announced(conversation)
    await alice.ask('file.begin', file)
    for (let at = 0; at < 100; at++) await alice.ask('file.put', { id: file.id, offset: at, data: bytes.subarray(at, at + 1) })
    expect(await alice.ask('file.begin', file)).toEqual({ offset: 100 })
  })

  test('of files let others go ahead while the disk is behind, and a goodbye waits for them', async () => {
    await using play = await scene()
    const { stage, alice, conversation } = play
    const file = announced(conversation)
    await alice.ask('file.begin', file)
    await put(alice, file.id)
    const disk = Promise.withResolvers<void>()
    stage.before.set('file.whole', () => disk.promise)
    const end = alice.send('file.end', { id: file.id })
    const ping = alice.send('session.ping', {})
    expect((await alice.next()).slice(0, 2)).toEqual(['result', ping])
    alice.goodbye()
    expect(await alice.arrived()).toEqual([])
    disk.resolve()
    expect((await alice.next()).slice(0, 2)).toEqual(['result', end])
    expect(await alice.next()).toEqual(['goodbye'])
  })

  test('are under way in a bounded number; behind the last everything waits', async () => {
    await using play = await scene({ requestsApartMax: 2 })
    const { stage, alice, conversation } = play
    const file = announced(conversation)
    await alice.ask('file.begin', file)
    const disk = Promise.withResolvers<void>()
    stage.before.set('file.find', () => disk.promise)
    const sent = [0, 10, 20].map((offset) => alice.send('file.put', { id: file.id, offset, data: bytes.subarray(offset, offset + 10) }))
    const ping = alice.send('session.ping', {})
    expect(await alice.arrived()).toEqual([])
    disk.resolve()
    const answered = [await alice.next(), await alice.next(), await alice.next(), await alice.next()].map(
      ([kind, id]) => [id, kind] as const,
    )
    expect(new Map(answered)).toEqual(new Map([...sent, ping].map((id) => [id, 'result'])))
    expect(await alice.ask('file.begin', file)).toEqual({ offset: 30 })
  })
})

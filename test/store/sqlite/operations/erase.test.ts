import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { encodeCbor } from '../../../../src/protocol/contract/cbor.ts'
import { StoreFolder } from '../../../support/store-folder.ts'
import { Stage } from './stage.ts'

// Raw bytes of the files, while the store is open: what a thief of the disk has.

/** Each is a commit of its own, and each deletion empties the log. */
const messages = 210

describe('what is deleted is gone from the files', () => {
  test('of a message and its neighbours too when it was edited to be longer', () => {
    using folder = new StoreFolder()
    using stage = new Stage(2, {}, { folder: folder.path })
    stage.befriend([1n, 2n])
    const secrets = Array.from({ length: 600 }, (_, index): Secret => {
      const words = `canary${index}x`
      const { seq } = stage.say(1n, 1n, `${words} ${'filling '.repeat(index % 20)}`)
      return { conversationId: 1n, seq, words: [words] }
    })
    for (const [index, { conversationId, seq: target }] of secrets.entries()) {
      if (index % 3 > 0) continue
      const body = new TextEncoder().encode(`canary${index}x ${'longer '.repeat(200)}`)
      stage.run('entry.post', { ...stage.act(1n), kind: 'edit', type: 'text/plain', body, conversationId, target })
    }
    for (const { conversationId, seq: target } of secrets)
      stage.run('entry.post', { ...stage.act(1n), kind: 'delete', conversationId, target })
    expect(found(folder, secrets)).toEqual([])
  }, 60_000)

  test('by a deletion, an edit, and retention, among many conversations that grow at the same time', () => {
    using folder = new StoreFolder()
    using stage = new Stage(6, {}, { folder: folder.path })
    const pairs = [
      [1n, 2n],
      [2n, 3n],
      [3n, 4n],
      [4n, 5n],
      [5n, 6n],
    ] as const
    stage.befriend(...pairs)
    const secrets: Secret[] = []
    for (let index = 0; index < messages; index++) {
      stage.at += 1_000n
      const conversationId = BigInt((index % pairs.length) + 1)
      // Some on a page with others, some over many pages.
      const words = `canary${index}x ${'filling '.repeat(index % 7 === 0 ? 1_000 : 5)} yrana${index}c`
      const data = encodeCbor({ mentions: [`mention${index}n`] })
      const { seq } = stage.say(conversationId, conversationId, words, { data })
      secrets.push({ conversationId, seq, words: [`canary${index}x`, `yrana${index}c`, `mention${index}n`] })
    }
    while (stage.run('search.index', { max: 100n }));
    expect(found(folder, secrets)).toHaveLength(3 * messages)

    const deleted = secrets.filter((_, index) => index % 3 === 0)
    for (const { conversationId, seq: target } of deleted) {
      stage.run('entry.post', { ...stage.act(conversationId), kind: 'delete', conversationId, target })
    }
    expect(found(folder, deleted)).toEqual([])
    expect(statSync(`${folder.database}-wal`).size).toBe(0)

    const edited = secrets.filter((_, index) => index % 3 === 1)
    for (const { conversationId, seq: target } of edited) {
      const body = new TextEncoder().encode('something else')
      stage.run('entry.post', { ...stage.act(conversationId), kind: 'edit', type: 'text/plain', body, conversationId, target })
    }
    const bodies = edited.map(({ words, ...rest }) => ({ ...rest, words: words.slice(0, 2) }))
    expect(found(folder, bodies)).toEqual([])

    const { conversationId } = secrets[0] ?? { conversationId: 0n }
    stage.run('conversation.retain', { ...stage.act(1n), id: conversationId, retentionMs: 1n, max: 50n })
    while (stage.run('conversation.expire', { at: stage.at + 2n, max: 50n }).entries > 0n);
    const expired = secrets.filter((secret) => secret.conversationId === conversationId)
    expect(found(folder, expired)).toEqual([])
    // The test sees what is there.
    const left = secrets.filter((secret, index) => index % 3 === 2 && secret.conversationId !== conversationId)
    expect(found(folder, left)).toHaveLength(3 * left.length)
  }, 60_000)

  test('while another program reads nothing is refused, and it is gone after a later group', () => {
    using folder = new StoreFolder()
    using stage = new Stage(2, {}, { folder: folder.path })
    stage.befriend([1n, 2n])
    const secret = { conversationId: 1n, seq: stage.say(1n, 1n, 'canary').seq, words: ['canary'] }
    const reader = new DatabaseSync(folder.database)
    reader.exec('begin; select * from entry')
    const started = performance.now()
    stage.run('entry.post', { ...stage.act(1n), kind: 'delete', conversationId: 1n, target: secret.seq })
    // storeBusyMsMax is 5000: nobody waits for the reader.
    expect(performance.now() - started).toBeLessThan(4_000)
    expect(found(folder, [secret])).toEqual(['canary'])
    reader.exec('rollback')
    reader.close()
    stage.run('account.findById', { id: 1n })
    expect(found(folder, [secret])).toEqual([])
  })
})

interface Secret {
  readonly conversationId: bigint
  readonly seq: bigint
  readonly words: readonly string[]
}

/** Which words are in the database or in its log. */
function found(folder: StoreFolder, secrets: readonly Secret[]): readonly string[] {
  const files = [folder.database, `${folder.database}-wal`].filter((path) => existsSync(path)).map((path) => readFileSync(path))
  return secrets.flatMap(({ words }) => words.filter((word) => files.some((bytes) => bytes.includes(word))))
}

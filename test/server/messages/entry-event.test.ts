import { describe, expect, test } from 'bun:test'
import { encodeEvent, parseEvent } from '../../../src/protocol/contract/index.ts'
import { entryBytesOf } from '../../../src/store/index.ts'
import { encodeData, encodeEntry, inboxEventHead, wireEntry } from '../../../src/server/messages/entry-event.ts'
import type { StoredEntry } from '../../../src/store/index.ts'

const stored: StoredEntry = {
  conversationId: 7n,
  seq: 3n,
  kind: 'message',
  id: new Uint8Array(16).fill(1),
  authorId: 4n,
  author: 'alice',
  device: 'device1',
  at: 1_790_000_000_000n,
  type: 'text/plain',
  body: Uint8Array.of(1, 2, 3),
  target: undefined,
  data: encodeData({ replyTo: 2, mentions: ['bob'] }),
  editedAt: undefined,
  deletedAt: undefined,
}

describe('an entry on the wire', () => {
  test('says what is stored, and of what is missing nothing', () => {
    const entry = wireEntry(stored)
    expect(JSON.parse(JSON.stringify({ ...entry, id: 0, body: 0 }))).toEqual({
      ...{ conversation: 7, seq: 3, kind: 'message', id: 0, from: 'alice', device: 'device1' },
      ...{ at: 1_790_000_000_000, type: 'text/plain', body: 0, replyTo: 2, mentions: ['bob'] },
    })
    expect(wireEntry({ ...stored, body: undefined, type: undefined, deletedAt: 5n })).toMatchObject({ deleted: true, body: undefined })
  })

  test('spliced behind its place in the inbox is the event as it would be encoded whole', () => {
    const entry = encodeEntry(stored)
    for (const seq of [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const spliced = new Uint8Array(Buffer.concat([inboxEventHead(BigInt(seq)), entry]))
      expect(Buffer.compare(spliced, encodeEvent('inbox.entry', { seq, entry: wireEntry(stored) }))).toBe(0)
      expect(parseEvent(spliced)?.data).toMatchObject({ seq })
    }
  })

  test('takes no more than is counted', () => {
    const long = {
      ...stored,
      author: '\u{1f600}'.repeat(32),
      device: 'd'.repeat(32),
      target: 2n ** 32n,
      editedAt: stored.at,
      deletedAt: 1n,
    }
    for (const entry of [stored, long, { ...long, kind: 'reaction', data: encodeData({ emoji: 'x'.repeat(32), on: false }) } as const]) {
      expect(encodeEntry(entry).length).toBeLessThanOrEqual(entryBytesOf(entry))
    }
  })

  test('has no data when there is nothing to say', () => {
    expect(encodeData({})).toBeUndefined()
    expect(encodeData({ replyTo: undefined })).toBeUndefined()
  })
})

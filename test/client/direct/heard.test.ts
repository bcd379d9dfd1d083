import { describe, expect, test } from 'bun:test'
import { Heard, messageKey } from '../../../src/client/direct/heard.ts'
import { type HeardMessage, MemoryHeard } from '../../../src/client/direct/heard-store.ts'
import { wordsHash } from '../../../src/client/direct/words.ts'
import { parseMessageId } from '../../../src/client/outbox/message-id.ts'
import { type Entry, paymentType } from '../../../src/protocol/contract/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { rejectionOf } from '../../support/refusal.ts'

describe('messageKey', () => {
  test('is a UUID of the time of the id, and another one for each conversation, author and id', () => {
    const id = parseMessageId('01234567-89ab-7def-8123-456789abcdef')
    const key = messageKey({ conversation: 7, from: 'alice', id })
    expect(key).toBe('01234567-89ab-7dea-af03-26dff543664c')
    expect(parseMessageId(key)).toHaveLength(16)
    expect(messageKey({ conversation: 7, from: 'Alice', id })).toBe(key)
    const others = [
      { conversation: 8, from: 'alice', id },
      { conversation: 7, from: 'bob', id },
      { conversation: 7, from: 'alice', id: parseMessageId('01234567-89ab-7def-8123-456789abcdee') },
    ]
    expect(new Set([key, ...others.map(messageKey)]).size).toBe(4)
  })
})

describe('what came directly', () => {
  test('lets the copy of nobody else pass unseen', async () => {
    const heard = new Heard(new MemoryHeard(), resolveLimits())
    heard.queue(message(1))
    expect([heard.passes(entry(1, { from: 'carol' }), 1), heard.passes(entry(1, { conversation: 8 }), 2)]).toEqual(['new', 'new'])
    expect(heard.passes(entry(1), 3)).toBe('heard')
    await heard[Symbol.asyncDispose]()
  })

  test('lets a copy pass unseen only where it says what was said', () => {
    const said = { body: Buffer.from('a'), type: 'text/plain', replyTo: 3, mentions: ['bob', 'carol'] }
    const others: Partial<Entry>[] = [
      { ...said, body: Buffer.from('b') },
      { ...said, type: 'text/html' },
      { ...said, replyTo: 4 },
      { ...said, mentions: ['bob'] },
      { ...said, file: { id: new Uint8Array(16), name: 'a', size: 1, sha256: new Uint8Array(32) } },
      { ...said, kind: 'edit' },
      { kind: 'delete', target: 1 },
      { ...said, type: paymentType },
    ]
    for (const isDone of [false, true]) {
      for (const other of [...others, said]) {
        const heard = new Heard(new MemoryHeard(), resolveLimits())
        heard.queue(message(1, said))
        if (isDone) void heard.done(message(1, said))
        expect(heard.passes(entry(1, other), 1)).toBe(other === said ? 'heard' : 'new')
      }
    }
  })

  test('lets the copy pass unseen also where it was changed meanwhile: the change has an entry of its own', () => {
    for (const change of [{ body: Buffer.from('b'), edited: 9 }, { deleted: true }]) {
      const heard = new Heard(new MemoryHeard(), resolveLimits())
      heard.queue(message(1, { body: Buffer.from('a') }))
      expect(heard.passes(entry(1, change), 1)).toBe('heard')
    }
  })

  test('of an earlier run lets only the same words pass unseen, and all of them where it has lost its own', async () => {
    const store = new MemoryHeard()
    await store.add(message(1, { body: Buffer.from('a') }))
    await store.add({ ...message(2), hash: '' })
    const heard = new Heard(store, resolveLimits())
    const passed = [entry(1, { body: Buffer.from('b') }), entry(2, { body: Buffer.from('b') }), entry(1, { body: Buffer.from('a') })]
    expect(passed.map((one, at) => heard.passes(one, at + 1))).toEqual(['new', 'heard', 'heard'])
  })

  test('of one conversation is no more than its part of the room', async () => {
    const store = new MemoryHeard()
    const limits = resolveLimits({ directHeardPerConversationMax: 2 })
    const heard = new Heard(store, limits)
    heard.queue(message(1))
    heard.queue(message(2))
    expect([await rejectionOf(heard.ready(7)), await rejectionOf(heard.ready(8))]).toEqual(['busy', undefined])
    await heard.done(message(1))
    await heard.done(message(2))
    const next = new Heard(store, limits)
    expect([await rejectionOf(next.ready(7)), await rejectionOf(next.ready(8))]).toEqual(['busy', undefined])
    heard.passes(entry(1), 1)
    heard.passed(entry(1), 1)
    heard.acknowledged(1)
    await Promise.resolve()
    expect([await rejectionOf(heard.ready(7)), await rejectionOf(next.ready(7))]).toEqual([undefined, undefined])
  })

  test('is counted again when there seems to be no room: other programs remove some too', async () => {
    const store = new MemoryHeard()
    await store.add(message(1))
    store.recount = () => void store.remove(message(1).key)
    const heard = new Heard(store, resolveLimits({ directHeardMax: 1 }))
    expect([await rejectionOf(heard.ready(7)), store.size]).toEqual([undefined, 0])
  })

  test('is kept from when it is done with until the server knows, also when that is quicker than the disk', async () => {
    const store = new MemoryHeard()
    const heard = new Heard(store, resolveLimits())
    heard.queue(message(1))
    expect([heard.find(message(1).key), store.size]).toEqual(['known', 0])
    const done = heard.done(message(1))
    heard.passes(entry(1), 5)
    heard.passed(entry(1), 5)
    heard.acknowledged(4)
    await done
    expect(store.size).toBe(1)
    heard.acknowledged(5)
    await heard[Symbol.asyncDispose]()
    await Promise.resolve()
    expect([store.size, heard.find(message(1).key)]).toEqual([0, 'known'])
  })

  test('of an earlier run is stored, and another device of its author is not told what was said knowing it', async () => {
    const store = new MemoryHeard()
    await store.add(message(1))
    const heard = new Heard(store, resolveLimits())
    await heard.ready(7)
    expect(heard.find(message(1).key)).toBe('stored')
    expect(heard.isHanded(message(1).key)).toBe(true)
    expect([heard.isUnplaced(7, 'a1'), heard.isUnplaced(7, 'a2'), heard.isUnplaced(8, 'a2')]).toEqual([false, true, false])
    expect(heard.passes(entry(1), 1)).toBe('heard')
    expect(heard.isUnplaced(7, 'a2')).toBe(false)
  })

  test('that cannot be kept is told without where it was to be kept, and nothing more is taken until it can', async () => {
    const store = new MemoryHeard()
    let isFull = true
    const keep = store.add.bind(store)
    store.add = async (one) => {
      if (isFull) throw new SealwireError('storage_full', 'cannot write the home')
      await keep(one)
    }
    const heard = new Heard(store, resolveLimits())
    heard.queue(message(1))
    expect(await heard.done(message(1)).catch(String)).toMatch(/^SealwireError: \[storage_full\] what came cannot be kept here$/)
    expect(await rejectionOf(heard.ready(7))).toBe('storage_full')
    expect(heard.passes(entry(1), 1)).toBe('heard')
    isFull = false
    expect([await rejectionOf(heard.ready(7)), store.size]).toEqual([undefined, 1])
  })

  test('is no more than there is room for', async () => {
    const store = new MemoryHeard()
    const heard = new Heard(store, resolveLimits({ directHeardMax: 2 }))
    await heard.ready(7)
    heard.queue(message(1))
    heard.queue(message(2))
    expect(await rejectionOf(heard.ready(7))).toBe('busy')
    heard.drop(message(1).key)
    expect(await rejectionOf(heard.ready(7))).toBeUndefined()
  })

  test('is not handed out any more once it was dropped, or once the reader went that had its copy', () => {
    const heard = new Heard(new MemoryHeard(), resolveLimits())
    heard.queue(message(1))
    heard.drop(message(1).key)
    for (const each of [2, 3]) heard.passes(entry(each), each)
    heard.ended(2)
    expect([1, 2, 3].map((each) => heard.isHanded(message(each).key))).toEqual([false, true, false])
  })

  test('is remembered as long as there is room', () => {
    const heard = new Heard(new MemoryHeard(), resolveLimits({ directHandedMax: 2 }))
    for (const each of [1, 2, 3]) heard.passes(entry(each), each)
    expect([1, 2, 3].map((each) => heard.find(message(each).key))).toEqual(['new', 'known', 'known'])
    expect([1, 2, 3].map((each) => heard.isHanded(message(each).key))).toEqual([false, true, true])
  })
})

function entry(each: number, more: Partial<Entry> = {}): Entry {
  return { conversation: 7, seq: each, kind: 'message', id: new Uint8Array(16).fill(each), from: 'alice', device: 'a1', at: each, ...more }
}

function message(each: number, more: Partial<Entry> = {}): HeardMessage {
  const said = entry(each, more)
  return { key: messageKey(said), conversation: said.conversation, device: 'a1', hash: wordsHash(said) }
}

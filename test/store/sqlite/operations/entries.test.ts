import { describe, expect, test } from 'bun:test'
import { encodeCbor } from '../../../../src/protocol/contract/cbor.ts'
import type { Input, StoredEntry } from '../../../../src/store/index.ts'
import { Stage } from './stage.ts'

describe('entry.post', () => {
  test('gives places without gaps, in one order for everybody', () => {
    using stage = new Stage(3)
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n, 3n)
    const first = stage.say(1n, room, '0').seq
    for (let index = 1; index < 30; index++) {
      expect(stage.say(BigInt((index % 3) + 1), room, String(index)).seq).toBe(first + BigInt(index))
    }
    const words = Array.from({ length: 30 }, (_, index) => String(index))
    for (const accountId of [1n, 2n, 3n]) expect(messagesIn(stage, accountId).slice(-30)).toEqual(words)
  })

  test('reaches who is in it, the own other devices too, and nobody else', () => {
    using stage = new Stage(3, {}, { devices: 1 })
    stage.befriend([1n, 2n])
    const id = direct(stage)
    expect(stage.say(1n, id, 'one').deliveries).toEqual([{ accountId: 2n, inboxSeq: 1n }])
    stage.run('inbox.open', { accountId: 1n, device: 'another', at: 1n })
    expect(accountsOf(stage.say(1n, id, 'two'))).toEqual([1n, 2n])
    // Not a device: every device lacks it.
    expect(accountsOf(stage.say(2n, id, 'three', { device: undefined }))).toEqual([1n, 2n])
  })

  test('the same id again is answered as the first time, and delivered no more', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const input = { ...message(stage, 'once'), peerId: 2n }
    const posted = stage.run('entry.post', input)
    expect(posted.repeated).toBe(false)
    for (const again of [
      input,
      { ...input, at: 99n, device: 'other' },
      { ...input, peerId: undefined, conversationId: posted.conversationId },
    ]) {
      expect(stage.run('entry.post', again)).toEqual({ ...posted, repeated: true, deliveries: [] })
    }
    expect(messagesIn(stage, 2n)).toEqual(['once'])
    // Another author's id is another id.
    expect(stage.run('entry.post', { ...input, accountId: 2n, peerId: 1n }).repeated).toBe(false)
  })

  test('the same id with other content is a conflict, and changes nothing', () => {
    using stage = new Stage(3)
    stage.befriend([1n, 2n], [1n, 3n])
    const input = { ...message(stage, 'once'), peerId: 2n, data: encodeCbor({ mentions: ['a2'] }) }
    const { conversationId } = stage.run('entry.post', input)
    const others: readonly Partial<Input<'entry.post'>>[] = [
      { body: bytes('twice') },
      { type: 'text/html' },
      { data: undefined },
      { peerId: 3n },
      { kind: 'reaction', target: 1n },
    ]
    for (const other of others) expect(stage.codeOf(() => stage.run('entry.post', { ...input, ...other }))).toBe('conflict')
    expect(stage.say(1n, conversationId, 'next').seq).toBe(2n)
  })

  test('a message that was edited or deleted since is repeated with what it said at first, and so are its edits', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const input = { ...message(stage, 'one'), peerId: 2n }
    const { conversationId, seq: target } = stage.run('entry.post', input)
    const edit = { ...message(stage, 'two'), kind: 'edit', conversationId, target } as const
    const edited = stage.run('entry.post', edit)
    const repeats = (again: Input<'entry.post'>) => stage.run('entry.post', again).repeated
    expect([repeats(input), repeats(edit)]).toEqual([true, true])
    expect(stage.codeOf(() => stage.run('entry.post', { ...edit, body: bytes('three') }))).toBe('conflict')
    stage.run('entry.post', { ...message(stage, 'four'), kind: 'edit', conversationId, target })
    expect(stage.run('entry.post', edit)).toMatchObject({ seq: edited.seq, repeated: true })
    const deletion = { ...stage.act(1n), kind: 'delete', conversationId, target } as const
    stage.run('entry.post', deletion)
    expect([input, edit, deletion].map(repeats)).toEqual([true, true, true])
  })

  test('an id that is known is answered although it would be refused now', () => {
    using stage = new Stage(2, { inboxEntriesPerSenderMax: 1 })
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    const input = { ...message(stage, 'said', 2n), conversationId: room }
    const posted = stage.run('entry.post', input)
    stage.run('room.remove', { ...stage.act(1n), conversationId: room, peerId: 2n })
    expect(stage.run('entry.post', input)).toEqual({ ...posted, repeated: true, deliveries: [] })
    expect(stage.codeOf(() => stage.say(2n, room, 'more'))).toBe('not_found')
  })

  test('who is not in it, or not a contact, is refused', () => {
    using stage = new Stage(3)
    stage.befriend([1n, 2n])
    stage.run('contact.request', { ...stage.act(1n), peerId: 3n })
    const refused = (accountId: bigint, other: Partial<Input<'entry.post'>>) =>
      stage.codeOf(() => stage.run('entry.post', { ...message(stage, 'x', accountId), ...other }))
    expect(refused(3n, { conversationId: direct(stage) })).toBe('not_found')
    expect(refused(3n, { conversationId: 99n })).toBe('not_found')
    expect(refused(2n, { peerId: 3n })).toBe('not_found')
    expect(refused(2n, { peerId: 2n })).toBe('not_found')
    expect(refused(1n, { peerId: 3n })).toBe('not_contact')
    expect(refused(3n, { peerId: 1n })).toBe('not_contact')
  })

  test('in an announcement room only owner and moderators speak', () => {
    using stage = new Stage(2)
    const room = stage.room(1n, { announcement: true })
    stage.admit(room, 1n, 2n)
    expect(stage.codeOf(() => stage.say(1n, room, 'news'))).toBeUndefined()
    expect(stage.codeOf(() => stage.say(2n, room, 'me too'))).toBe('not_permitted')
  })

  test('who blocks the author gets nothing, sees nothing, and is not told of', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const id = direct(stage)
    const before = stage.say(1n, id, 'before')
    stage.run('block.add', { accountId: 2n, blockedId: 1n, at: 1n })
    const posted = stage.say(1n, id, 'hidden')
    expect(posted).toMatchObject({ seq: before.seq + 1n, repeated: false })
    expect(accountsOf(posted)).toEqual([1n])
    // What is about a hidden message is hidden too, and cannot be answered.
    stage.run('block.remove', { accountId: 2n, blockedId: 1n })
    const edit = { ...message(stage, 'changed'), kind: 'edit', conversationId: id, target: posted.seq } as const
    expect(accountsOf(stage.run('entry.post', edit))).toEqual([1n])
    expect(stage.codeOf(() => react(stage, 2n, id, posted.seq))).toBe('not_found')
    expect(messagesIn(stage, 2n)).toEqual(['before'])
    expect(history(stage, 2n, id).map(wordsOf)).toEqual(['before'])
    expect(history(stage, 1n, id).map(wordsOf)).toEqual(['before', 'changed', 'changed'])
  })

  test('who blocks the author keeps what they see as it is, whatever the author does to it', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const id = direct(stage)
    const [edited, deleted, pinned] = ['one', 'two', 'three'].map((words) => stage.say(1n, id, words).seq)
    stage.run('block.add', { accountId: 2n, blockedId: 1n, at: 1n })
    const edit = { ...message(stage, 'changed'), kind: 'edit', conversationId: id, target: edited } as const
    const posted = [
      stage.run('entry.post', edit),
      remove(stage, 1n, id, deleted ?? 0n),
      pin(stage, 1n, id, pinned ?? 0n, true),
      react(stage, 1n, id, pinned ?? 0n),
    ]
    expect(posted.map(accountsOf)).toEqual([[1n], [1n], [1n], [1n]])
    expect(stage.run('entry.post', edit)).toEqual({ ...posted[0], repeated: true, deliveries: [] } as (typeof posted)[0])
    expect(history(stage, 2n, id).map(wordsOf)).toEqual(['one', 'two', 'three'])
    expect(history(stage, 2n, id).map(({ editedAt, deletedAt }) => editedAt ?? deletedAt)).toEqual([undefined, undefined, undefined])
    expect(history(stage, 2n, id, { pinned: true })).toEqual([])
    expect(messagesIn(stage, 2n)).toEqual(['one', 'two', 'three'])
    // What they do not see is the author's as ever.
    const { seq: hidden } = stage.say(1n, id, 'hidden')
    remove(stage, 1n, id, hidden)
    expect(history(stage, 1n, id).find(({ seq }) => seq === hidden)?.deletedAt).toBe(stage.at)
    stage.run('block.remove', { accountId: 2n, blockedId: 1n })
    editBy(stage, 1n, id, edited ?? 0n)
    expect(history(stage, 2n, id).map(wordsOf)[0]).toBe('changed')
  })
})

describe('quotas', () => {
  test('of one sender: what waits in one direct conversation, however much the other one says meanwhile', () => {
    using stage = new Stage(3, { inboxEntriesPerSenderMax: 3 })
    stage.befriend([1n, 2n], [2n, 3n])
    const id = direct(stage)
    for (const words of ['1', '2', '3']) stage.say(1n, id, words)
    expect(stage.codeOf(() => stage.say(1n, id, '4'))).toBe('quota_exceeded')
    const other = stage.run('entry.post', { ...message(stage, 'hi', 3n), peerId: 2n })
    expect(accountsOf(other)).toContain(2n)
    // The other one speaks, and stores what comes.
    for (let index = 0; index < 9; index++) {
      stage.say(2n, id, 'answer')
      acknowledgeAll(stage, 1n)
    }
    expect(stage.codeOf(() => stage.say(1n, id, '4'))).toBe('quota_exceeded')
    acknowledgeAll(stage, 2n)
    for (const words of ['4', '5', '6']) stage.say(1n, id, words)
    expect(stage.codeOf(() => stage.say(1n, id, '7'))).toBe('quota_exceeded')
  })

  test('of the inbox in a direct conversation, in entries and in bytes: refused, whoever blocks whom', () => {
    for (const limits of [{ inboxEntriesMax: 3 }, { inboxBytesMax: 30 }]) {
      using stage = new Stage(2, limits)
      stage.befriend([1n, 2n])
      const id = direct(stage)
      for (let index = 0; index < 3; index++) stage.say(1n, id, '0123456789')
      expect(stage.codeOf(() => stage.say(1n, id, '0123456789'))).toBe('quota_exceeded')
      stage.run('block.add', { accountId: 2n, blockedId: 1n, at: 1n })
      expect(stage.codeOf(() => stage.say(1n, id, '0123456789'))).toBe('quota_exceeded')
      // Nobody is kept from deleting.
      expect(stage.codeOf(() => remove(stage, 1n, id, 1n))).toBeUndefined()
    }
  })

  test('of the inbox in a room: the oldest leaves, and every device is told', () => {
    for (const limits of [{ inboxEntriesMax: 3 }, { inboxBytesMax: 30 }]) {
      using stage = new Stage(2, limits)
      const room = stage.room(1n)
      stage.admit(room, 1n, 2n)
      acknowledgeAll(stage, 2n)
      const first = lastSeq(stage, 2n)
      for (let index = 0; index < 5; index++) stage.say(1n, room, `012345678${index}`)
      expect(messagesIn(stage, 2n)).toEqual(['0123456782', '0123456783', '0123456784'])
      const opened = stage.run('inbox.open', { accountId: 2n, device: 'd2.1', at: 1n })
      expect(opened).toEqual({ lastSeq: first + 5n, ackedSeq: first, lostSeq: first + 2n })
      expect(history(stage, 2n, room).filter(({ kind }) => kind === 'message')).toHaveLength(5)
    }
  })
})

describe('changes', () => {
  test('an edit replaces the body, also where it is on its way', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const id = direct(stage)
    const { seq: target } = stage.say(1n, id, 'old')
    stage.at += 1n
    stage.run('entry.post', { ...message(stage, 'new'), type: 'text/html', kind: 'edit', conversationId: id, target })
    expect(messagesIn(stage, 2n)).toEqual(['new', 'new'])
    const [said, edit] = history(stage, 2n, id)
    expect(said).toMatchObject({ kind: 'message', type: 'text/html', editedAt: stage.at })
    expect(edit).toMatchObject({ kind: 'edit', type: 'text/html', target })
    expect(stage.codeOf(() => editBy(stage, 2n, id, target))).toBe('not_permitted')
  })

  test('of a deleted message only who, when and where stay, and nothing more is done to it', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const id = direct(stage)
    const { seq: target } = stage.say(1n, id, 'words', { data: encodeCbor({ mentions: ['a2'] }) })
    react(stage, 2n, id, target)
    pin(stage, 2n, id, target, true)
    expect(stage.codeOf(() => remove(stage, 2n, id, target))).toBe('not_permitted')
    expect(remove(stage, 1n, id, target)).toMatchObject({ repeated: false })
    const [said, reaction] = history(stage, 2n, id)
    expect(said).toMatchObject({ device: 'd1.1', body: undefined, type: undefined, data: undefined, deletedAt: stage.at })
    expect(reaction).toMatchObject({ kind: 'reaction', data: undefined, deletedAt: stage.at })
    expect(history(stage, 2n, id, { pinned: true })).toEqual([])
    const codes = [() => remove(stage, 1n, id, target), () => editBy(stage, 1n, id, target), () => react(stage, 2n, id, target)]
    expect(codes.map((action) => stage.codeOf(action))).toEqual(['gone', 'gone', 'gone'])
    expect(stage.codeOf(() => remove(stage, 1n, id, 99n))).toBe('not_found')
    expect(stage.codeOf(() => remove(stage, 1n, id, 2n))).toBe('not_found')
  })

  test('a moderator deletes what others said; a deletion takes the file along', () => {
    using stage = new Stage(2)
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    const file = stage.id('file')
    const begin = { ...stage.act(2n), id: file, conversationId: room, name: 'n', size: 5n, sha256: new Uint8Array(32) }
    stage.run('file.begin', begin)
    expect(stage.codeOf(() => stage.say(2n, room, 'see', { file }))).toBe('not_found')
    stage.run('file.whole', { accountId: 2n, id: file })
    const { seq } = stage.say(2n, room, 'see', { file })
    expect(stage.codeOf(() => stage.say(2n, room, 'again', { file }))).toBe('conflict')
    expect(remove(stage, 1n, room, seq).files).toEqual([file])
    expect(stage.run('file.find', { accountId: 2n, id: file })).toBeUndefined()
  })

  test('pins come and go', () => {
    using stage = new Stage(2)
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    const [one, two] = [stage.say(2n, room, 'one').seq, stage.say(2n, room, 'two').seq]
    for (const seq of [one, two, one]) pin(stage, 1n, room, seq, true)
    expect(history(stage, 2n, room, { pinned: true }).map(wordsOf)).toEqual(['one', 'two'])
    expect(history(stage, 2n, room, { pinned: true, max: 1n }).map(wordsOf)).toEqual(['two'])
    expect(history(stage, 2n, room, { pinned: true, max: 1n, after: 0n }).map(wordsOf)).toEqual(['one'])
    pin(stage, 1n, room, one, false)
    expect(history(stage, 2n, room, { pinned: true }).map(wordsOf)).toEqual(['two'])
    expect(stage.codeOf(() => pin(stage, 2n, room, one, true))).toBe('not_permitted')
  })
})

describe('entry.history', () => {
  test('pages in both directions, by number and by bytes, and says whether there is more', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const id = direct(stage)
    for (let index = 1; index <= 10; index++) stage.say(1n, id, `${index}`.padEnd(100, '.'))
    const page = (other: Partial<Input<'entry.history'>>) => {
      const { entries, more } = stage.run('entry.history', { accountId: 2n, conversationId: id, max: 200n, bytesMax: 10_000n, ...other })
      return [entries.map(({ seq }) => Number(seq)), more]
    }
    expect(page({ max: 3n })).toEqual([[8, 9, 10], true])
    expect(page({ max: 3n, before: 8n })).toEqual([[5, 6, 7], true])
    expect(page({ max: 3n, before: 4n })).toEqual([[1, 2, 3], false])
    expect(page({ max: 3n, after: 0n })).toEqual([[1, 2, 3], true])
    expect(page({ max: 3n, after: 7n })).toEqual([[8, 9, 10], false])
    expect(page({ bytesMax: 250n })).toEqual([[9, 10], true])
    expect(page({ bytesMax: 250n, after: 0n })).toEqual([[1, 2], true])
    expect(page({ bytesMax: 1n })).toEqual([[10], true])
    expect(page({ before: 1n })).toEqual([[], false])
    expect(page({ after: 2n ** 60n })).toEqual([[], false])
    expect(page({ before: 2n ** 60n, max: 1n })).toEqual([[10], true])
  })

  test('begins where the account may begin to see', () => {
    using stage = new Stage(3)
    const rooms = (['joined', 'all'] as const).map((policy) => {
      const room = stage.room(1n, { history: policy })
      stage.say(1n, room, 'before')
      stage.admit(room, 1n, 2n)
      stage.say(1n, room, 'after')
      return room
    })
    const said = (room: bigint) =>
      history(stage, 2n, room)
        .filter(({ kind }) => kind === 'message')
        .map(wordsOf)
    expect(rooms.map(said)).toEqual([['after'], ['before', 'after']])
    const [joined = 0n] = rooms
    // Its own entries have places 1 to 2: the room, and what was said before.
    expect(stage.codeOf(() => react(stage, 2n, joined, 2n))).toBe('not_found')
    expect(stage.codeOf(() => history(stage, 3n, joined))).toBe('not_found')
  })
})

function message(stage: Stage, words: string, accountId = 1n) {
  return { ...stage.act(accountId), kind: 'message', type: 'text/plain', body: bytes(words) } as const
}

function direct(stage: Stage): bigint {
  return stage.run('conversation.find', { accountId: 1n, peerId: 2n })?.id ?? -1n
}

function react(stage: Stage, accountId: bigint, conversationId: bigint, target: bigint) {
  return stage.run('entry.post', {
    ...stage.act(accountId),
    kind: 'reaction',
    conversationId,
    target,
    data: encodeCbor({ emoji: '👍', on: true }),
  })
}

function pin(stage: Stage, accountId: bigint, conversationId: bigint, target: bigint, on: boolean) {
  return stage.run('entry.post', { ...stage.act(accountId), kind: 'pin', conversationId, target, data: encodeCbor({ on }) })
}

function remove(stage: Stage, accountId: bigint, conversationId: bigint, target: bigint) {
  return stage.run('entry.post', { ...stage.act(accountId), kind: 'delete', conversationId, target })
}

function editBy(stage: Stage, accountId: bigint, conversationId: bigint, target: bigint) {
  return stage.run('entry.post', { ...message(stage, 'changed', accountId), kind: 'edit', conversationId, target })
}

function history(
  stage: Stage,
  accountId: bigint,
  conversationId: bigint,
  other: Partial<Input<'entry.history'>> = {},
): readonly StoredEntry[] {
  return stage.run('entry.history', { accountId, conversationId, max: 1_000n, bytesMax: 1_000_000n, ...other }).entries
}

/** What is said in an inbox. */
function messagesIn(stage: Stage, accountId: bigint): readonly string[] {
  const { entries } = stage.run('inbox.read', { accountId, after: 0n, max: 1_000n, bytesMax: 1_000_000n })
  return entries.flatMap(({ entry }) => (entry.body === undefined ? [] : [wordsOf(entry)]))
}

function lastSeq(stage: Stage, accountId: bigint): bigint {
  return stage.run('inbox.read', { accountId, after: 0n, max: 1n, bytesMax: 1n }).lastSeq
}

function acknowledgeAll(stage: Stage, accountId: bigint): void {
  stage.run('inbox.ack', { accountId, device: `d${accountId}.1`, seq: lastSeq(stage, accountId), at: 1n })
}

function accountsOf({ deliveries }: { readonly deliveries: readonly { readonly accountId: bigint }[] }): readonly bigint[] {
  return deliveries.map(({ accountId }) => accountId).toSorted((a, b) => Number(a - b))
}

function wordsOf({ body }: StoredEntry): string {
  return new TextDecoder().decode(body)
}

function bytes(words: string): Uint8Array {
  return new TextEncoder().encode(words)
}

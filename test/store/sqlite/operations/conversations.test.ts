import { describe, expect, test } from 'bun:test'
import { Stage } from './stage.ts'

describe('conversation', () => {
  test('is shown to each as it is for them', () => {
    using stage = new Stage(3)
    stage.befriend([1n, 2n])
    stage.say(1n, 1n, 'hi')
    stage.run('mark.read', { accountId: 2n, conversationId: 1n, seq: 1n })
    stage.run('contact.request', { ...stage.act(1n), peerId: 3n })
    const states = (accountId: bigint) =>
      stage.run('conversation.list', { accountId, after: 0n, max: 9n }).map(({ peer, state }) => `${peer?.key}:${state}`)
    expect([1n, 2n, 3n].map(states)).toEqual([['a2:accepted', 'a3:asked'], ['a1:accepted'], ['a1:asking']])
    expect(stage.run('conversation.find', { accountId: 1n, peerId: 2n })).toMatchObject({
      id: 1n,
      kind: 'direct',
      members: 2n,
      lastSeq: 1n,
      firstSeq: 1n,
      readSeq: 0n,
      peerReadSeq: 1n,
      retentionMs: undefined,
    })
    stage.run('block.add', { accountId: 3n, blockedId: 1n, at: 1n })
    expect([1n, 3n].map(states)).toEqual([['a2:accepted', 'a3:asked'], []])
  })

  test('of a room is shown to members and who is invited, to nobody else', () => {
    using stage = new Stage(3)
    stage.befriend([1n, 2n])
    const room = stage.room(1n, { title: 'garden' })
    stage.run('room.invite', { ...stage.act(1n), conversationId: room, peerId: 2n })
    const find = (accountId: bigint) => stage.run('conversation.find', { accountId, id: room })
    expect(find(1n)).toMatchObject({ kind: 'room', peer: undefined, title: 'garden', role: 'owner', state: 'accepted', members: 1n })
    expect(find(2n)).toMatchObject({ state: 'invited' })
    expect(find(3n)).toBeUndefined()
    const members = (accountId: bigint) => stage.run('conversation.members', { accountId, id: room })
    expect([1n, 2n, 3n].map(members)).toEqual([[1n], undefined, undefined])
    expect(stage.run('conversation.list', { accountId: 1n, after: 0n, max: 1n })).toHaveLength(1)
    expect(stage.run('conversation.list', { accountId: 1n, after: 1n, max: 9n }).map(({ id }) => id)).toEqual([room])
  })

  test('a read mark never goes back, nor behind the end', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
    const read = (seq: bigint, accountId = 2n) => stage.run('mark.read', { accountId, conversationId: 1n, seq })
    expect(read(2n)).toEqual({ readSeq: 2n, changed: true })
    expect(read(1n)).toEqual({ readSeq: 2n, changed: false })
    expect(read(2n ** 60n)).toEqual({ readSeq: 3n, changed: true })
    expect(read(1n, 3n)).toBeUndefined()
  })

  test('a read mark that settles makes room for more, though no device has stored anything', () => {
    for (const devices of [0, 1]) {
      using stage = new Stage(2, { inboxEntriesPerSenderMax: 3 }, { devices })
      stage.befriend([1n, 2n])
      for (const words of ['1', '2', '3']) stage.say(1n, 1n, words)
      const read = (seq: bigint, settles: boolean) => stage.run('mark.read', { accountId: 2n, conversationId: 1n, seq, settles })
      read(1n, false)
      expect(stage.codeOf(() => stage.say(1n, 1n, '4'))).toBe('quota_exceeded')
      read(3n, true)
      expect(stage.run('conversation.find', { accountId: 1n, id: 1n })).toMatchObject({ peerReadSeq: 3n, peerDeliveredSeq: 3n })
      for (const words of ['4', '5', '6']) stage.say(1n, 1n, words)
      expect(stage.codeOf(() => stage.say(1n, 1n, '7'))).toBe('quota_exceeded')
      // A device that was away finds everything.
      stage.run('inbox.open', { accountId: 2n, device: 'd2.1', at: 1n })
      expect(stage.run('inbox.read', { accountId: 2n, after: 0n, max: 9n, bytesMax: 9_999n }).entries).toHaveLength(6)
    }
  })
})

describe('retention', () => {
  test('deletes at once what is older, reports what that freed, and goes on by itself', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    for (let index = 0; index < 5; index++) {
      stage.at += 1_000n
      stage.say(1n, 1n, '0123456789')
    }
    // Entries are of 2000, 3000, … 6000.
    const retain = (retentionMs: bigint | undefined, max = 9n) =>
      stage.run('conversation.retain', { ...stage.act(2n), id: 1n, retentionMs, max })
    expect(retain(2_500n, 1n)).toEqual({ entries: 1n, bytes: 10n, files: [], more: true })
    const expire = (at: bigint, max = 9n) => stage.run('conversation.expire', { at, max }).entries
    expect(expire(6_000n)).toBe(1n)
    expect(bodies(stage)).toEqual([false, false, true, true, true])
    expect(expire(6_499n)).toBe(0n)
    expect(expire(6_500n)).toBe(1n)
    expect(expire(99_000n, 1n)).toBe(1n)
    expect(expire(99_000n)).toBe(1n)
    expect(expire(99_000n)).toBe(0n)
    stage.at = 99_000n
    stage.say(1n, 1n, 'later')
    expect(expire(101_499n)).toBe(0n)
    expect(retain(undefined)).toEqual({ entries: 0n, bytes: 0n, files: [], more: false })
    expect(expire(999_000n)).toBe(0n)
    expect(bodies(stage).at(-1)).toBe(true)
  })

  test('goes on behind what was deleted before', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    const said = [0, 1, 2, 3, 4].map((index) => stage.say(1n, 1n, `${index}`))
    for (const { seq } of said.slice(0, 2)) {
      stage.run('entry.post', { ...stage.act(1n), conversationId: 1n, kind: 'delete', target: seq })
    }
    stage.at += 9_000n
    const steps: bigint[] = []
    for (let more = true; more; ) {
      const freed = stage.run('conversation.retain', { ...stage.act(2n), id: 1n, retentionMs: 1_000n, max: 2n })
      steps.push(freed.entries)
      more = freed.more
    }
    expect(steps[0]).toBe(0n)
    expect(bodies(stage)).not.toContain(true)
  })

  test('is not for who is blocked by the other one to shorten', () => {
    using stage = new Stage(2)
    stage.befriend([1n, 2n])
    stage.say(1n, 1n, 'said')
    stage.at += 9_000n
    stage.run('block.add', { accountId: 2n, blockedId: 1n, at: stage.at })
    const retain = (accountId: bigint) =>
      stage.run('conversation.retain', { ...stage.act(accountId), id: 1n, retentionMs: 1_000n, max: 9n }).entries
    expect(retain(1n)).toBe(0n)
    expect(stage.run('conversation.expire', { at: stage.at, max: 9n }).entries).toBe(0n)
    expect(bodies(stage)).toEqual([true])
    expect(retain(2n)).toBe(1n)
  })

  test('in a room only its owner may set it', () => {
    using stage = new Stage(3)
    const room = stage.room(1n)
    stage.admit(room, 1n, 2n)
    const codes = [1n, 2n, 3n].map((accountId) =>
      stage.codeOf(() => stage.run('conversation.retain', { ...stage.act(accountId), id: room, retentionMs: 1_000n, max: 9n })),
    )
    expect(codes).toEqual([undefined, 'not_permitted', 'not_found'])
  })
})

function bodies(stage: Stage): readonly boolean[] {
  const { entries } = stage.run('entry.history', { accountId: 2n, conversationId: 1n, max: 99n, bytesMax: 10_000n })
  return entries.map(({ body }) => body !== undefined)
}

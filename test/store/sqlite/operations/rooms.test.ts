import { describe, expect, test } from 'bun:test'
import { hashOf } from '../../../compliance/store-subject.ts'
import { Stage } from './stage.ts'

const [alice, bob, carol, dave] = [1n, 2n, 3n, 4n]

describe('room.create', () => {
  test('the same id again answers the same room, another title under it is refused', () => {
    using stage = new Stage(1)
    const input = { ...stage.act(alice), title: 't', topic: '', announcement: false, history: 'all' } as const
    const first = stage.run('room.create', input)
    expect(stage.run('room.create', input)).toEqual({ ...first, repeated: true, deliveries: [] })
    expect(stage.codeOf(() => stage.run('room.create', { ...input, title: 'other' }))).toBe('conflict')
    stage.run('room.leave', { ...stage.act(alice), conversationId: first.conversationId })
    expect(stage.run('room.create', input).conversationId).toBe(first.conversationId)
    expect(stage.run('conversation.list', { accountId: alice, after: 0n, max: 9n })).toEqual([])
  })

  test('is refused to who owns too many', () => {
    using stage = new Stage(2, { roomsPerAccountMax: 1 })
    const room = stage.room(alice)
    expect(stage.codeOf(() => stage.room(alice))).toBe('busy')
    stage.admit(room, alice, bob)
    stage.run('room.role', { ...stage.act(alice), conversationId: room, peerId: bob, role: 'owner' })
    expect(stage.codeOf(() => stage.room(alice))).toBeUndefined()
  })
})

describe('room.update', () => {
  test('changes what is given, for who may manage; others learn nothing of the room', () => {
    using stage = new Stage(3)
    const room = stage.room(alice, { topic: 'before' })
    stage.admit(room, alice, bob)
    const update = (by: bigint) => stage.run('room.update', { ...stage.act(by), conversationId: room, announcement: true })
    expect([bob, carol].map((by) => stage.codeOf(() => update(by)))).toEqual(['not_permitted', 'not_found'])
    update(alice)
    expect(stage.run('conversation.find', { accountId: bob, id: room })).toMatchObject({
      title: 'room',
      topic: 'before',
      announcement: true,
    })
    expect(stage.inbox(bob).at(-1)).toEqual({ announcement: true })
  })
})

describe('room.invite', () => {
  test('reaches a contact, who is in it when they join', () => {
    using stage = new Stage(3)
    stage.befriend([alice, bob])
    const room = stage.room(alice)
    const invite = (peerId: bigint) => stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId })
    expect(stage.codeOf(() => invite(carol))).toBe('not_contact')
    expect(invite(bob)).toMatchObject({ seq: 2n, repeated: false })
    expect(invite(bob)).toMatchObject({ repeated: true, deliveries: [] })
    expect(stage.run('conversation.find', { accountId: bob, id: room })?.state).toBe('invited')
    expect([stage.members(alice, room), stage.members(bob, room)]).toEqual([['a1:owner', 'a2:invited'], undefined])
    expect(stage.codeOf(() => stage.say(bob, room, 'hello'))).toBe('not_found')
    expect(stage.inbox(bob)).toEqual([{ what: 'invited', about: 'a2' }])
    stage.run('room.join', { ...stage.act(bob), conversationId: room })
    expect(stage.members(bob, room)).toEqual(['a1:owner', 'a2:member'])
    expect(stage.say(bob, room, 'hello').seq).toBe(4n)
  })

  test('does not reach who blocks the account, which cannot tell', () => {
    using stage = new Stage(4, { roomMembersMax: 4 })
    stage.befriend([alice, bob], [alice, carol], [alice, dave])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    const room = stage.room(alice)
    const invite = (peerId: bigint) => stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId })
    const seen = (peerId: bigint) => {
      const { repeated } = invite(peerId)
      return [repeated, invite(peerId).repeated, stage.members(alice, room)?.includes(`a${peerId}:invited`)]
    }
    expect([seen(bob), seen(carol)]).toEqual([
      [false, true, true],
      [false, true, true],
    ])
    expect([stage.inbox(bob), stage.run('conversation.list', { accountId: bob, after: room - 1n, max: 9n })]).toEqual([[], []])
    const join = () => stage.run('room.join', { ...stage.act(bob), conversationId: room })
    expect(stage.codeOf(join)).toBe('not_found')
    expect(stage.run('room.leave', { ...stage.act(bob), conversationId: room })).toBeUndefined()
    // They take a place like others.
    invite(dave)
    expect(stage.members(alice, room)).toHaveLength(4)
    stage.run('block.remove', { accountId: bob, blockedId: alice })
    expect(invite(bob).repeated).toBe(false)
    expect(stage.codeOf(join)).toBeUndefined()
    expect(stage.members(alice, room)).toEqual(['a1:owner', 'a2:member', 'a3:invited', 'a4:invited'])
  })

  test('tells who has not joined once a day, however often it is taken back or turned down', () => {
    using stage = new Stage(3)
    stage.befriend([alice, bob], [alice, carol])
    stage.run('block.add', { accountId: carol, blockedId: alice, at: 1n })
    const room = stage.room(alice)
    const invite = (peerId: bigint) => stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId })
    const takeBack = (peerId: bigint) => stage.run('room.remove', { ...stage.act(alice), conversationId: room, peerId })
    const told = { what: 'invited', about: 'a2' }
    for (const peerId of [bob, carol]) {
      const repeated = [1, 2, 3].map(() => {
        const answer = invite(peerId)
        expect(stage.members(alice, room)).toContain(`a${peerId}:invited`)
        takeBack(peerId)
        expect(stage.members(alice, room)).toEqual(['a1:owner'])
        return answer.repeated
      })
      expect(repeated).toEqual([false, true, true])
    }
    expect([stage.inbox(bob), stage.inbox(carol)]).toEqual([[told], []])
    stage.at += 86_399_999n
    expect(invite(bob)).toMatchObject({ repeated: true, at: 1_000n })
    expect(stage.run('conversation.find', { accountId: bob, id: room })?.state).toBe('invited')
    stage.run('room.leave', { ...stage.act(bob), conversationId: room })
    stage.at += 1n
    expect(invite(bob)).toMatchObject({ repeated: false })
    stage.run('room.leave', { ...stage.act(bob), conversationId: room })
    expect(invite(bob)).toMatchObject({ repeated: true })
    expect(stage.inbox(bob).filter((each) => JSON.stringify(each) === JSON.stringify(told))).toHaveLength(2)
    expect(stage.codeOf(() => stage.run('room.join', { ...stage.act(bob), conversationId: room }))).toBeUndefined()
    expect(stage.members(bob, room)).toContain('a2:member')
  })

  test('throws out nothing that waits: a full inbox does not get it, the list of conversations has it', () => {
    using stage = new Stage(3, { inboxEntriesMax: 2 })
    stage.befriend([alice, bob], [bob, carol])
    const [direct] = stage.run('conversation.list', { accountId: bob, after: 0n, max: 1n })
    for (const words of ['1', '2']) stage.say(alice, direct?.id ?? 0n, words)
    const room = stage.room(alice)
    const { deliveries } = stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: bob })
    expect(deliveries.map(({ accountId }) => accountId)).toEqual([alice])
    expect(stage.inbox(bob)).toEqual(['message', 'message'])
    expect(stage.run('inbox.open', { accountId: bob, device: 'd2.1', at: 1n }).lostSeq).toBeUndefined()
    expect(stage.run('conversation.find', { accountId: bob, id: room })?.state).toBe('invited')
  })

  test('one that was not seen can be taken back', () => {
    using stage = new Stage(2)
    stage.befriend([alice, bob])
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    const room = stage.room(alice)
    stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: bob })
    stage.run('room.remove', { ...stage.act(alice), conversationId: room, peerId: bob })
    expect([stage.members(alice, room), stage.inbox(bob)]).toEqual([['a1:owner'], []])
  })

  test('is refused in a full room', () => {
    using stage = new Stage(3, { roomMembersMax: 2 })
    stage.befriend([alice, bob], [alice, carol])
    const room = stage.room(alice)
    stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: bob })
    const invite = () => stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: carol })
    expect([stage.codeOf(invite), stage.codeOf(() => stage.admit(room, alice, carol))]).toEqual(['room_full', 'room_full'])
    stage.run('room.leave', { ...stage.act(bob), conversationId: room })
    expect(stage.codeOf(invite)).toBeUndefined()
  })
})

describe('room.join', () => {
  test('by a link, as often and as long as it is good; who is in it uses none of it', () => {
    using stage = new Stage(4)
    const room = stage.room(alice)
    const hash = hashOf('link')
    stage.run('room.link', { ...stage.act(alice), conversationId: room, hash, uses: 1n, expiresAt: stage.at + 10n })
    const join = (accountId: bigint, of = hash) => stage.codeOf(() => stage.run('room.join', { ...stage.act(accountId), hash: of }))
    expect([join(bob), join(bob), join(carol), join(carol, hashOf('no link'))]).toEqual([
      undefined,
      undefined,
      'invitation_used',
      'invitation_invalid',
    ])
    stage.run('room.link', { ...stage.act(alice), conversationId: room, hash: hashOf('new'), uses: 5n, expiresAt: stage.at + 10n })
    expect([join(carol), join(carol, hashOf('new'))]).toEqual(['invitation_invalid', undefined])
    stage.at += 10n
    expect(join(dave, hashOf('new'))).toBe('invitation_expired')
    expect(stage.codeOf(() => stage.run('room.link', { ...stage.act(bob), conversationId: room, hash, uses: 1n, expiresAt: 9n }))).toBe(
      'not_permitted',
    )
  })

  test('shows what was before where the room says so', () => {
    using stage = new Stage(2)
    for (const history of ['joined', 'all'] as const) {
      const room = stage.room(alice, { history })
      stage.say(alice, room, 'before')
      stage.admit(room, alice, bob)
      stage.say(alice, room, 'after')
      const { entries } = stage.run('entry.history', { accountId: bob, conversationId: room, max: 9n, bytesMax: 99_999n })
      expect(entries.map(({ seq }) => seq)).toEqual(history === 'all' ? [1n, 2n, 3n, 4n] : [3n, 4n])
      expect(stage.run('conversation.find', { accountId: bob, id: room })?.readSeq).toBe(2n)
    }
  })
})

describe('the link of a room', () => {
  const link = (stage: Stage, by: bigint, room: bigint) =>
    stage.run('room.link', { ...stage.act(by), conversationId: room, hash: hashOf('link'), uses: 9n, expiresAt: stage.at + 10n })
  const join = (stage: Stage, who: bigint) => stage.codeOf(() => stage.run('room.join', { ...stage.act(who), hash: hashOf('link') }))
  type Done = (stage: Stage, of: { conversationId: bigint }) => unknown
  const voiding: readonly (readonly [string, Done])[] = [
    ['who made it is removed', (stage, of) => stage.run('room.remove', { ...stage.act(alice), ...of, peerId: bob })],
    ['a member is removed', (stage, of) => stage.run('room.remove', { ...stage.act(alice), ...of, peerId: carol })],
    ['a moderator becomes a member', (stage, of) => stage.run('room.role', { ...stage.act(alice), ...of, peerId: bob, role: 'member' })],
    ['a moderator leaves', (stage, of) => stage.run('room.leave', { ...stage.act(bob), ...of })],
    ['the owner leaves', (stage, of) => stage.run('room.leave', { ...stage.act(alice), ...of })],
  ]
  const keeping: readonly (readonly [string, Done])[] = [
    ['a member leaves', (stage, of) => stage.run('room.leave', { ...stage.act(carol), ...of })],
    [
      'a member becomes a moderator',
      (stage, of) => stage.run('room.role', { ...stage.act(alice), ...of, peerId: carol, role: 'moderator' }),
    ],
    ['it has another owner', (stage, of) => stage.run('room.role', { ...stage.act(alice), ...of, peerId: bob, role: 'owner' })],
    ['nobody is removed', (stage, of) => stage.run('room.remove', { ...stage.act(alice), ...of, peerId: dave })],
    ['somebody may not do that', (stage, of) => stage.codeOf(() => stage.run('room.remove', { ...stage.act(carol), ...of, peerId: bob }))],
  ]
  /** Alice's room with a link of its moderator, Bob. */
  const after = (done: Done, who: bigint) => {
    using stage = new Stage(4)
    const room = stage.room(alice)
    stage.admit(room, alice, bob, carol)
    stage.run('room.role', { ...stage.act(alice), conversationId: room, peerId: bob, role: 'moderator' })
    link(stage, bob, room)
    done(stage, { conversationId: room })
    return join(stage, who)
  }

  test.each(voiding)('is void once %s', (_, done) => {
    expect(after(done, dave)).toBe('invitation_invalid')
  })

  test.each(keeping)('is good still when %s', (_, done) => {
    expect(after(done, dave)).toBeUndefined()
  })
})

describe('room.leave', () => {
  test('hands over to the moderator, else the member, who has been there longest', () => {
    using stage = new Stage(4)
    const room = stage.room(alice)
    for (const account of [carol, bob, dave]) {
      stage.admit(room, alice, account)
      stage.at++
    }
    stage.run('room.role', { ...stage.act(alice), conversationId: room, peerId: dave, role: 'moderator' })
    stage.run('room.leave', { ...stage.act(alice), conversationId: room })
    expect(stage.members(bob, room)).toEqual(['a2:member', 'a3:member', 'a4:owner'])
    expect(stage.inbox(bob).at(-1)).toEqual({ what: 'left', about: 'a4', role: 'owner' })
    stage.run('room.leave', { ...stage.act(dave), conversationId: room })
    expect(stage.members(bob, room)).toEqual(['a2:member', 'a3:owner'])
    expect(stage.codeOf(() => stage.say(alice, room, 'hello'))).toBe('not_found')
  })

  test('of the last one deletes everything but the places, and answers the files', () => {
    using stage = new Stage(2)
    stage.befriend([alice, bob])
    const room = stage.room(alice)
    stage.say(alice, room, 'secret')
    const file = { ...stage.act(alice), conversationId: room, name: 'n', size: 3n, sha256: hashOf('f') }
    stage.run('file.begin', file)
    stage.run('search.index', { max: 99n })
    stage.run('room.invite', { ...stage.act(alice), conversationId: room, peerId: bob })
    const act = stage.act(alice)
    const left = stage.run('room.leave', { ...act, conversationId: room })
    expect(left).toMatchObject({ seq: 4n, files: [file.id] })
    expect(stage.run('file.known', { ids: [file.id] })).toEqual([])
    expect(stage.run('conversation.list', { accountId: bob, after: room - 1n, max: 9n })).toEqual([])
    const { entries } = stage.run('inbox.read', { accountId: alice, after: 0n, max: 99n, bytesMax: 99_999n })
    expect(entries.map(({ inboxSeq }) => inboxSeq)).toEqual([1n, 2n, 3n, 4n])
    expect(entries.flatMap(({ entry }) => [entry.body, entry.data]).filter((part) => part !== undefined)).toHaveLength(1)
    expect(stage.run('room.leave', { ...act, conversationId: room })).toMatchObject({ seq: 4n, repeated: true })
    expect(stage.run('room.leave', { ...stage.act(alice), conversationId: room })).toBeUndefined()
  })
})

describe('room.leave of a long conversation', () => {
  test('deletes it in pieces, and nobody can see what is left', () => {
    using stage = new Stage(2)
    const room = stage.room(alice)
    const link = hashOf('link')
    stage.run('room.link', { ...stage.act(alice), conversationId: room, hash: link, uses: 9n, expiresAt: 9_999n })
    const bodies = 600
    for (let count = 0; count < bodies; count++) stage.say(alice, room, 'word')
    stage.run('room.leave', { ...stage.act(alice), conversationId: room })
    expect([stage.run('conversation.list', { accountId: alice, after: 0n, max: 9n }), stage.codeOf(() => stage.room(alice))]).toEqual([
      [],
      undefined,
    ])
    expect(stage.codeOf(() => stage.run('room.join', { ...stage.act(bob), hash: link }))).toBe('invitation_invalid')
    expect(stage.codeOf(() => stage.say(alice, room, 'word'))).toBe('not_found')
    const left = () => {
      const { entries } = stage.run('inbox.read', { accountId: alice, after: 0n, max: 9_999n, bytesMax: 9_999_999n })
      return entries.filter(({ entry }) => entry.conversationId === room && entry.body !== undefined).length
    }
    const before = left()
    expect(before).toBeGreaterThan(0)
    stage.at += 10n
    while (stage.run('conversation.expire', { at: stage.at, max: 50n }).entries > 0n);
    expect([before < bodies, left()]).toEqual([true, 0])
  })
})

describe('room.remove and room.role', () => {
  test('are for who is above', () => {
    using stage = new Stage(5)
    const room = stage.room(alice)
    stage.admit(room, alice, bob, carol, dave)
    const role = (by: bigint, peerId: bigint, to: 'owner' | 'moderator' | 'member') =>
      stage.codeOf(() => stage.run('room.role', { ...stage.act(by), conversationId: room, peerId, role: to }))
    const remove = (by: bigint, peerId: bigint) =>
      stage.codeOf(() => stage.run('room.remove', { ...stage.act(by), conversationId: room, peerId }))
    expect([role(alice, bob, 'moderator'), role(alice, carol, 'moderator')]).toEqual([undefined, undefined])
    expect([role(bob, dave, 'moderator'), role(alice, alice, 'member'), role(alice, 5n, 'member')]).toEqual([
      'not_permitted',
      'not_permitted',
      'not_found',
    ])
    expect([remove(bob, carol), remove(bob, alice), remove(alice, alice), remove(dave, bob)]).toEqual(Array(4).fill('not_permitted'))
    expect([remove(bob, dave), remove(bob, dave), remove(5n, bob)]).toEqual([undefined, undefined, 'not_found'])
    expect(stage.inbox(dave).at(-1)).toEqual({ what: 'removed', about: 'a4' })
    expect(role(alice, bob, 'owner')).toBeUndefined()
    expect(stage.members(carol, room)).toEqual(['a1:moderator', 'a2:owner', 'a3:moderator'])
  })

  test('hand a room to nobody who owns too many; a room that is left has an owner all the same', () => {
    using stage = new Stage(2, { roomsPerAccountMax: 2 })
    const rooms = [1, 2].map(() => stage.room(alice))
    for (const room of rooms) stage.admit(room, alice, bob)
    const handOver = (conversationId: bigint) =>
      stage.codeOf(() => stage.run('room.role', { ...stage.act(alice), conversationId, peerId: bob, role: 'owner' }))
    const [first = 0n, second = 0n] = rooms
    expect([handOver(first), stage.codeOf(() => stage.room(bob)), handOver(second)]).toEqual([undefined, undefined, 'busy'])
    expect(stage.members(bob, second)).toEqual(['a1:owner', 'a2:member'])
    stage.run('room.leave', { ...stage.act(alice), conversationId: second })
    expect(stage.members(bob, second)).toEqual(['a2:owner'])
  })
})

describe('room.members', () => {
  test('goes on behind a key', () => {
    using stage = new Stage(4)
    const room = stage.room(carol)
    stage.admit(room, carol, alice, bob, dave)
    const page = (after: string) =>
      stage.run('room.members', { accountId: alice, conversationId: room, after, max: 2n })?.map(({ account }) => account.key)
    expect([page(''), page('a2'), page('a4')]).toEqual([['a1', 'a2'], ['a3', 'a4'], []])
  })
})

import { describe, expect, test } from 'bun:test'
import { newFileId, sha256 } from '../../support/file-bytes.ts'
import type { ContractPeer } from '../../support/contract-peer.ts'
import { ServerStage } from '../../support/server-stage.ts'

/** Alice's room. */
async function roomOf(
  alice: ContractPeer,
  traits: { readonly announcement?: boolean; readonly history?: 'joined' | 'all' } = {},
): Promise<number> {
  return (await alice.ask('room.create', { id: newFileId(), title: 'Garden', topic: 'what grows', ...traits })).conversation
}

async function befriend(one: ContractPeer, other: ContractPeer): Promise<void> {
  await one.ask('contact.request', { name: other.name, id: newFileId() })
  await other.ask('contact.accept', { name: one.name })
}

/** Somebody who has come in through a link. */
async function joined(stage: ServerStage, alice: ContractPeer, conversation: number, name: string): Promise<ContractPeer> {
  const peer = await stage.member(name)
  const { secret } = await alice.ask('room.link', { conversation })
  await peer.ask('room.join', { secret })
  return peer
}

async function membersOf(peer: ContractPeer, conversation: number): Promise<readonly string[]> {
  const { members } = await peer.ask('room.members', { conversation })
  return members.map(({ name, role, invited }) => `${name} ${invited === true ? 'invited' : role}`)
}

describe('room.create', () => {
  test('makes a room of which its maker is the owner, once for the same id', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const id = newFileId()
    const { conversation } = await alice.ask('room.create', { id, title: 'Garden' })
    expect(await alice.ask('room.create', { id, title: 'Garden' })).toEqual({ conversation })
    expect(await alice.ask('room.members', { conversation })).toEqual({
      members: [{ name: 'alice', role: 'owner', since: expect.any(Number), here: true }],
      more: false,
    })
    expect(await alice.refusal('room.create', { id, title: 'Shed' })).toBe('conflict')
  })
})

describe('room.update', () => {
  test('changes what is given, for owner and moderators, and nothing for nobody', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    const bob = await joined(stage, alice, conversation, 'bob')
    const { seq } = await alice.ask('room.update', { conversation, topic: 'what withers' })
    expect(await alice.ask('message.history', { conversation, after: seq - 1 })).toMatchObject({
      entries: [{ kind: 'room', seq, from: 'alice', topic: 'what withers' }],
    })
    expect(await bob.refusal('room.update', { conversation, title: 'Mine' })).toBe('not_permitted')
    expect(await (await stage.member('carol')).refusal('room.update', { conversation, title: 'Mine' })).toBe('not_found')
    expect(await alice.refusal('room.update', { conversation })).toBe('malformed')
  })
})

describe('room.invite', () => {
  test('asks a contact, who joins or turns it down', async () => {
    using stage = new ServerStage()
    const [alice, bob, carol] = [await stage.member('alice'), await stage.member('bob'), await stage.member('carol')]
    const conversation = await roomOf(alice)
    expect(await alice.refusal('room.invite', { conversation, name: 'bob' })).toBe('not_contact')
    expect(await alice.refusal('room.invite', { conversation, name: 'nobody' })).toBe('not_found')
    await befriend(alice, bob)
    await befriend(alice, carol)
    expect(await bob.refusal('room.join', { conversation })).toBe('not_found')
    await alice.ask('room.invite', { conversation, name: 'bob' })
    await alice.ask('room.invite', { conversation, name: 'carol' })
    expect(await membersOf(alice, conversation)).toEqual(['alice owner', 'bob invited', 'carol invited'])
    expect((await bob.ask('room.join', { conversation })).conversation).toBe(conversation)
    await carol.ask('room.leave', { conversation })
    expect(await membersOf(bob, conversation)).toEqual(['alice owner', 'bob member'])
  })
})

describe('room.link and room.join', () => {
  test('let in as many as may use it, until it expires or another takes its place', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const [bob, carol, dave] = [await stage.member('bob'), await stage.member('carol'), await stage.member('dave')]
    const conversation = await roomOf(alice)
    const once = await alice.ask('room.link', { conversation, uses: 1, livesMs: 60_000 })
    expect(once.expiresAt).toBe(stage.clock.now() + 60_000)
    expect((await bob.ask('room.join', { secret: once.secret })).conversation).toBe(conversation)
    expect(await carol.refusal('room.join', { secret: once.secret })).toBe('invitation_used')
    const next = await alice.ask('room.link', { conversation })
    expect(await carol.refusal('room.join', { secret: once.secret })).toBe('invitation_invalid')
    expect(await carol.refusal('room.join', { secret: next.secret })).toBeUndefined()
    stage.clock.jump(next.expiresAt - stage.clock.now())
    expect(await dave.refusal('room.join', { secret: next.secret })).toBe('invitation_expired')
    expect(await bob.refusal('room.link', { conversation })).toBe('not_permitted')
    expect(await dave.refusal('room.join', {})).toBe('malformed')
    expect(await dave.refusal('room.join', { conversation, secret: next.secret })).toBe('malformed')
  })

  test('keep nothing of the secret but its hash', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const asked: [name: string, input: object][] = []
    const { run } = stage.context.store
    Object.assign(stage.context.store, { run: (...request: Parameters<typeof run>) => (asked.push(request), run(...request)) })
    const { secret } = await alice.ask('room.link', { conversation: await roomOf(alice) })
    const [, input = {}] = asked.find(([name]) => name === 'room.link') ?? []
    expect(Object.values(input).filter((value) => value instanceof Uint8Array)).toEqual([sha256(secret)])
  })
})

describe('room.role and room.remove', () => {
  test('are for the owner, and a moderator removes members only', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    const bob = await joined(stage, alice, conversation, 'bob')
    const carol = await joined(stage, alice, conversation, 'carol')
    expect(await bob.refusal('room.role', { conversation, name: 'bob', role: 'moderator' })).toBe('not_permitted')
    await alice.ask('room.role', { conversation, name: 'bob', role: 'moderator' })
    expect(await bob.refusal('room.remove', { conversation, name: 'alice' })).toBe('not_permitted')
    await bob.ask('room.remove', { conversation, name: 'carol' })
    expect(await carol.refusal('room.members', { conversation })).toBe('not_found')
    await alice.ask('room.role', { conversation, name: 'bob', role: 'owner' })
    expect(await membersOf(bob, conversation)).toEqual(['alice moderator', 'bob owner'])
  })
})

describe('room.leave', () => {
  test('hands over, and with the last one the room goes', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    const bob = await joined(stage, alice, conversation, 'bob')
    await alice.ask('room.leave', { conversation })
    expect(await membersOf(bob, conversation)).toEqual(['bob owner'])
    expect(await alice.ask('room.leave', { conversation })).toEqual({})
    expect(await membersOf(bob, conversation)).toEqual(['bob owner'])
    await bob.ask('room.leave', { conversation })
    expect(await bob.refusal('room.members', { conversation })).toBe('not_found')
  })
})

describe('what is done already', () => {
  test('is done once more without a trace, and strangers learn nothing by it', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    const [bob, carol] = [await joined(stage, alice, conversation, 'bob'), await joined(stage, alice, conversation, 'carol')]
    const stranger = await stage.member('dave')
    const lastSeq = async () => (await bob.ask('conversation.find', { conversation })).lastSeq
    // Each with its answer lost, as it were: the second time finds the first one done, and its author may be less by now.
    for (const [method, params] of [
      ['room.update', { conversation, title: 'Shed', announcement: true }],
      ['room.remove', { conversation, name: 'carol' }],
      ['room.role', { conversation, name: 'bob', role: 'owner' }],
    ] as const) {
      await alice.ask(method, params)
      const before = await lastSeq()
      expect(await alice.ask(method, params)).toEqual({ seq: before })
      expect(await lastSeq()).toBe(before)
      expect([method, await stranger.refusal(method, params)]).toEqual([method, 'not_found'])
    }
    expect(await membersOf(bob, conversation)).toEqual(['alice moderator', 'bob owner'])
    // Whether they were in it, or there is such a room at all: the answer is the same.
    for (const number of [conversation, 999_999]) {
      for (const peer of [carol, stranger]) expect(await peer.ask('room.leave', { conversation: number })).toEqual({})
    }
    expect(await lastSeq()).toBe((await alice.ask('conversation.find', { conversation })).lastSeq)
  })

  test('does not hold for a direct conversation, which nobody leaves', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const bob = await stage.member('bob')
    await befriend(alice, bob)
    const { conversation } = await alice.ask('conversation.find', { name: 'bob' })
    expect(await alice.refusal('room.leave', { conversation })).toBe('not_found')
  })
})

describe('room.members', () => {
  test('come in pages, by name', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    for (let at = 0; at < 251; at++) {
      const name = `m${String(at).padStart(3, '0')}`
      const account = stage.store('account.create', { name, key: name, skeleton: name, passwordHash: undefined, createdAt: 1n })
      const [hash, act] = [new Uint8Array(32).fill(at), { accountId: account.id, at: BigInt(stage.clock.now()), id: newFileId() }]
      stage.store('room.link', { accountId: 1n, at: 1n, conversationId: BigInt(conversation), hash, uses: 1n, expiresAt: 1n << 50n })
      stage.store('room.join', { ...act, hash })
    }
    const first = await alice.ask('room.members', { conversation })
    expect([first.members.length, first.more, first.members[0]?.name]).toEqual([250, true, 'alice'])
    const rest = await alice.ask('room.members', { conversation, after: first.members.at(-1)?.name ?? '' })
    expect([rest.members.map(({ name }) => name), rest.more]).toEqual([['m249', 'm250'], false])
  })

  test('say who is here only of those who show it', async () => {
    using stage = new ServerStage()
    const alice = await stage.member('alice')
    const conversation = await roomOf(alice)
    const bob = await joined(stage, alice, conversation, 'bob')
    const carol = await joined(stage, alice, conversation, 'carol')
    await bob.ask('account.visibility', { visibility: 'everyone' })
    await carol.ask('account.visibility', { visibility: 'nobody' })
    const { members } = await alice.ask('room.members', { conversation })
    expect(members.map(({ name, here }) => [name, here])).toEqual([
      ['alice', true],
      ['bob', true],
      ['carol', undefined],
    ])
  })
})

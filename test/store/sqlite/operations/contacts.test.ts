import { describe, expect, test } from 'bun:test'
import { Stage } from './stage.ts'

const day = 24n * 60n * 60n * 1000n
const [alice, bob, carol] = [1n, 2n, 3n]
const text = new TextEncoder().encode('may I?')

/** What the list of contacts says: names with states. */
function contacts(stage: Stage, accountId: bigint): readonly string[] {
  return stage.run('contact.page', { accountId, after: '', max: 99n }).map(({ account, state }) => `${account.key}:${state}`)
}

describe('contact.request', () => {
  test('reaches who is asked with its text, and both talk once it is accepted', () => {
    using stage = new Stage(2)
    const { conversationId, accepted } = stage.run('contact.request', { ...stage.act(alice), peerId: bob, text })
    expect(accepted).toBe(false)
    expect([contacts(stage, alice), contacts(stage, bob)]).toEqual([['a2:asked'], ['a1:asking']])
    expect(stage.codeOf(() => stage.say(alice, conversationId, 'hello'))).toBe('not_contact')
    const answered = stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true })
    expect(answered).toMatchObject({ conversationId, seq: 2n, repeated: false })
    expect([contacts(stage, alice), contacts(stage, bob)]).toEqual([['a2:accepted'], ['a1:accepted']])
    expect(stage.run('contact.list', { accountId: bob }).map(({ key }) => key)).toEqual(['a1'])
    expect(stage.say(alice, conversationId, 'hello').seq).toBe(3n)
    expect(stage.inbox(bob)).toEqual([{ what: 'requested' }, { what: 'accepted' }, 'message'])
    expect(stage.run('inbox.read', { accountId: bob, after: 0n, max: 1n, bytesMax: 9n }).entries[0]?.entry.body).toEqual(text)
  })

  test('of somebody who has asked already accepts', () => {
    using stage = new Stage(2)
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    expect(stage.run('contact.request', { ...stage.act(bob), peerId: alice }).accepted).toBe(true)
    expect(contacts(stage, alice)).toEqual(['a2:accepted'])
  })

  test('delivers nothing twice, whatever its id, and an id stands for one thing', () => {
    using stage = new Stage(3)
    const act = stage.act(alice)
    const first = stage.run('contact.request', { ...act, peerId: bob, text })
    const again = { ...first, repeated: true, deliveries: [] }
    expect(stage.run('contact.request', { ...act, peerId: bob, text })).toEqual(again)
    expect(stage.run('contact.request', { ...stage.act(alice), peerId: bob })).toEqual(again)
    expect(stage.codeOf(() => stage.run('contact.request', { ...act, peerId: carol, text }))).toBe('conflict')
    expect(stage.codeOf(() => stage.run('contact.request', { ...act, peerId: bob }))).toBe('conflict')
    expect(stage.inbox(bob)).toHaveLength(1)
    stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true })
    expect(stage.run('contact.request', { ...act, peerId: bob, text })).toEqual({ ...again, accepted: true })
  })

  test('is refused for a day after it was declined, to who asked and to nobody else', () => {
    using stage = new Stage(2)
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: false })
    const ask = () => stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    stage.at += day - 1n
    expect(stage.codeOf(ask)).toBe('busy')
    stage.at += 1n
    expect(ask().accepted).toBe(false)
    stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: false })
    expect(stage.run('contact.request', { ...stage.act(bob), peerId: alice }).accepted).toBe(false)
    expect(contacts(stage, alice)).toEqual(['a2:asking'])
  })

  test('is refused when too many are open, until one is answered', () => {
    using stage = new Stage(4, { contactRequestsMax: 2 })
    for (const peerId of [bob, carol]) stage.run('contact.request', { ...stage.act(alice), peerId })
    const ask = () => stage.run('contact.request', { ...stage.act(alice), peerId: 4n })
    expect(stage.codeOf(ask)).toBe('busy')
    stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true })
    expect(stage.codeOf(ask)).toBeUndefined()
  })

  test('to who blocks the account is answered like any other, and they notice nothing', () => {
    using stage = new Stage(3)
    stage.run('block.add', { accountId: bob, blockedId: alice, at: 1n })
    const blocked = stage.run('contact.request', { ...stage.act(alice), peerId: bob, text })
    const open = stage.run('contact.request', { ...stage.act(alice), peerId: carol, text })
    expect({ ...blocked, conversationId: 0n, deliveries: [] }).toEqual({ ...open, conversationId: 0n, deliveries: [] })
    expect(contacts(stage, alice)).toEqual(['a2:asked', 'a3:asked'])
    expect([contacts(stage, bob), stage.inbox(bob), stage.run('conversation.list', { accountId: bob, after: 0n, max: 9n })]).toEqual([
      [],
      [],
      [],
    ])
    const answer = () => stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true })
    expect(stage.codeOf(answer)).toBe('no_request')
    stage.run('block.remove', { accountId: bob, blockedId: alice })
    expect(contacts(stage, bob)).toEqual(['a1:asking'])
    expect(stage.codeOf(answer)).toBeUndefined()
  })

  test('to oneself is refused', () => {
    using stage = new Stage(1)
    expect(stage.codeOf(() => stage.run('contact.request', { ...stage.act(alice), peerId: alice }))).toBe('is_self')
  })
})

describe('contact.answer', () => {
  test('needs a request of the other one', () => {
    using stage = new Stage(2)
    const answer = (by: bigint, peerId: bigint, accept: boolean) =>
      stage.codeOf(() => stage.run('contact.answer', { ...stage.act(by), peerId, accept }))
    expect([answer(bob, alice, true), answer(bob, alice, false)]).toEqual(['no_request', 'no_request'])
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    expect([answer(alice, bob, true), answer(alice, bob, false)]).toEqual(['no_request', 'no_request'])
    expect([answer(bob, alice, false), answer(bob, alice, true)]).toEqual([undefined, 'no_request'])
  })

  test('the same answer again changes nothing, under the same id or another', () => {
    using stage = new Stage(2)
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    const act = stage.act(bob)
    const first = stage.run('contact.answer', { ...act, peerId: alice, accept: true })
    for (const again of [act, stage.act(bob)]) {
      expect(stage.run('contact.answer', { ...again, peerId: alice, accept: true })).toEqual({ ...first, repeated: true, deliveries: [] })
    }
    expect(stage.codeOf(() => stage.run('contact.answer', { ...act, peerId: alice, accept: false }))).toBe('conflict')
    expect(stage.inbox(alice)).toEqual([{ what: 'requested' }, { what: 'accepted' }])
  })

  test('accepts nobody beyond contactsPerAccountMax, and the request stays open', () => {
    using stage = new Stage(3, { contactsPerAccountMax: 1 })
    stage.befriend([bob, carol])
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    expect(stage.codeOf(() => stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true }))).toBe('busy')
    expect(contacts(stage, bob)).toEqual(['a1:asking', 'a3:accepted'])
  })
})

describe('contact.remove', () => {
  const remove = (stage: Stage, by: bigint, peerId: bigint, act = stage.act(by)) => stage.run('contact.remove', { ...act, peerId })

  test('ends that two talk: both are told, and who was removed asks again a day later at the earliest', () => {
    using stage = new Stage(2)
    stage.befriend([alice, bob])
    const { id: conversationId } = stage.run('conversation.find', { accountId: alice, peerId: bob }) ?? { id: 0n }
    stage.say(alice, conversationId, 'hello')
    const act = stage.act(alice)
    const first = remove(stage, alice, bob, act)
    expect(first).toMatchObject({ conversationId, seq: 2n, repeated: false })
    expect([contacts(stage, alice), contacts(stage, bob), stage.run('contact.list', { accountId: bob })]).toEqual([[], [], []])
    for (const [by, peerId] of [[alice, bob] as const, [bob, alice] as const]) {
      expect(stage.codeOf(() => stage.say(by, conversationId, 'more'))).toBe('not_contact')
      expect(remove(stage, by, peerId)).toMatchObject({ seq: 2n, repeated: true, deliveries: [] })
    }
    expect(remove(stage, alice, bob, act)).toEqual({ ...first, repeated: true, deliveries: [] })
    expect(stage.inbox(bob)).toEqual(['message', { what: 'removed' }])
    const ask = (by: bigint, peerId: bigint) => stage.codeOf(() => stage.run('contact.request', { ...stage.act(by), peerId }))
    expect(ask(bob, alice)).toBe('busy')
    expect([ask(alice, bob), contacts(stage, bob)]).toEqual([undefined, ['a1:asking']])
    stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true })
    expect(stage.say(bob, conversationId, 'again').seq).toBe(5n)
  })

  test('takes back what was asked, makes room for another request a day later, and is no way to ask more strangers or the same one every minute', () => {
    using stage = new Stage(3, { contactRequestsMax: 1 })
    const ask = (by: bigint, peerId: bigint) => stage.codeOf(() => stage.run('contact.request', { ...stage.act(by), peerId, text }))
    expect([ask(alice, bob), ask(alice, carol)]).toEqual([undefined, 'busy'])
    remove(stage, alice, bob)
    expect([contacts(stage, alice), contacts(stage, bob)]).toEqual([[], []])
    expect(stage.inbox(bob)).toEqual([{ what: 'requested' }, { what: 'withdrawn' }])
    expect(stage.codeOf(() => stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true }))).toBe('no_request')
    expect([ask(alice, carol), ask(alice, bob), ask(bob, carol)]).toEqual(['busy', 'busy', undefined])
    stage.at += day
    expect([ask(alice, carol), ask(alice, bob)]).toEqual([undefined, 'busy'])
  })

  test('makes room in a full list', () => {
    using stage = new Stage(3, { contactsPerAccountMax: 1 })
    stage.befriend([bob, carol])
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    remove(stage, bob, carol)
    expect(stage.codeOf(() => stage.run('contact.answer', { ...stage.act(bob), peerId: alice, accept: true }))).toBeUndefined()
    expect(contacts(stage, bob)).toEqual(['a1:accepted'])
  })

  test('of who is none is refused, and so it is where they ask; nothing of it reaches who blocks', () => {
    using stage = new Stage(3)
    const refusal = (by: bigint, peerId: bigint) => stage.codeOf(() => remove(stage, by, peerId))
    expect([refusal(alice, bob), refusal(alice, alice)]).toEqual(['not_contact', 'not_contact'])
    stage.run('contact.request', { ...stage.act(alice), peerId: bob })
    expect(refusal(bob, alice)).toBe('not_contact')
    stage.befriend([alice, carol])
    stage.run('block.add', { accountId: carol, blockedId: alice, at: 1n })
    expect([refusal(alice, carol), stage.inbox(carol), contacts(stage, carol)]).toEqual([undefined, [], []])
  })
})

describe('what is left when two talk no more', () => {
  /** Two who have said something, and whom alice has parted. */
  function parted(stage: Stage) {
    stage.befriend([alice, bob])
    const { id: conversationId } = stage.run('conversation.find', { accountId: alice, peerId: bob }) ?? { id: 0n }
    for (const each of [alice, bob]) stage.say(each, conversationId, `of ${each}`)
    stage.run('contact.remove', { ...stage.act(alice), peerId: bob })
    const change = (by: bigint, kind: 'edit' | 'delete' | 'pin', target: bigint) =>
      stage.codeOf(() => stage.run('entry.post', { ...stage.act(by), conversationId, kind, target, body: text }))
    return { conversationId, change }
  }

  test('is deleted by who has said it, and by nobody else', () => {
    using stage = new Stage(2)
    const { conversationId, change } = parted(stage)
    expect([change(bob, 'delete', 1n), change(bob, 'edit', 2n), change(bob, 'pin', 2n)]).toEqual([
      'not_permitted',
      'not_contact',
      'not_contact',
    ])
    expect([change(bob, 'delete', 2n), change(alice, 'delete', 1n), change(alice, 'delete', 1n)]).toEqual([undefined, undefined, 'gone'])
    const { entries } = stage.run('entry.history', { accountId: alice, conversationId, max: 9n, bytesMax: 999n })
    expect(entries.filter(({ body }) => body !== undefined)).toEqual([])
  })

  test('is kept as long as it was to be', () => {
    using stage = new Stage(2)
    const { conversationId: id } = parted(stage)
    stage.at += day
    const retain = (accountId: bigint) =>
      stage.codeOf(() => stage.run('conversation.retain', { ...stage.act(accountId), id, retentionMs: 1n, max: 9n }))
    expect([retain(alice), retain(bob)]).toEqual(['not_contact', 'not_contact'])
    expect(stage.run('conversation.find', { accountId: alice, id })?.retentionMs).toBeUndefined()
  })
})

describe('contact.add', () => {
  test('makes the conversation of both, also of an open or declined request', () => {
    using stage = new Stage(3)
    stage.befriend([alice, bob])
    expect(stage.run('conversation.find', { accountId: bob, peerId: alice })).toMatchObject({
      kind: 'direct',
      state: 'accepted',
      members: 2n,
    })
    const { conversationId } = stage.run('contact.request', { ...stage.act(alice), peerId: carol })
    stage.befriend([carol, alice])
    expect(stage.say(carol, conversationId, 'hello').seq).toBe(2n)
    expect(contacts(stage, alice)).toEqual(['a2:accepted', 'a3:accepted'])
  })
})

describe('contact.page', () => {
  test('goes on behind a key', () => {
    using stage = new Stage(5)
    stage.befriend([3n, 1n], [3n, 2n], [3n, 5n])
    stage.run('contact.request', { ...stage.act(4n), peerId: carol })
    const page = (after: string) => stage.run('contact.page', { accountId: carol, after, max: 2n }).map(({ account }) => account.key)
    expect([page(''), page('a2'), page('a5')]).toEqual([['a1', 'a2'], ['a4', 'a5'], []])
  })
})

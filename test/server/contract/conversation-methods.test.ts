import { describe, expect, test } from 'bun:test'
import { ServerStage } from '../../support/server-stage.ts'
import { eventsOf, here, introduce, messageId, nextEntry, nextEvent, talker, textOf, words } from '../../support/talkers.ts'

describe('contacts', () => {
  test('are asked once, with one text, and talk when it is accepted; both hear who is here', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    await bob.ask('inbox.open', {})
    const asked = { name: 'bob', id: messageId(), text: words('may I?') }
    const { conversation } = await alice.ask('contact.request', asked)
    expect(await alice.ask('contact.request', asked)).toEqual({ conversation, accepted: false })
    const arrived = await nextEntry(bob)
    expect(arrived.entry).toMatchObject({ conversation, kind: 'contact', what: 'requested', from: 'alice' })
    expect(textOf(arrived)).toBe('may I?')
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
    expect((await alice.ask('contact.list', {})).contacts).toMatchObject([{ name: 'bob', state: 'asked', conversation }])
    expect((await bob.ask('contact.list', {})).contacts).toMatchObject([{ name: 'alice', state: 'asking' }])
    expect((await bob.ask('contact.list', {})).contacts[0]).not.toHaveProperty('here')
    expect(await bob.refusal('contact.accept', { name: 'nobody' })).toBe('not_found')
    expect(await alice.refusal('contact.accept', { name: 'bob' })).toBe('no_request')
    expect(await bob.ask('contact.accept', { name: 'alice' })).toEqual({ conversation })
    expect(await nextEvent(alice, 'presence.changed')).toEqual({ name: 'bob', here: true })
    expect(await nextEvent(bob, 'presence.changed')).toEqual({ name: 'alice', here: true })
    expect((await alice.ask('contact.list', {})).contacts).toMatchObject([{ name: 'bob', state: 'accepted', here: true }])
  })

  test('are listed page by page', async () => {
    using stage = new ServerStage()
    const alices = talker(stage, 'alice')
    const alice = await here(stage, alices)
    const names = Array.from({ length: 120 }, (_, index) => `friend${String(index).padStart(3, '0')}`)
    for (const name of names) stage.store('contact.add', { a: alices.id, b: talker(stage, name).id, at: 3n })
    const first = await alice.ask('contact.list', {})
    expect(first.more).toBe(true)
    const last = await alice.ask('contact.list', { after: first.contacts.at(-1)?.name ?? '' })
    expect(last.more).toBe(false)
    expect([...first.contacts, ...last.contacts].map(({ name }) => name)).toEqual(names)
  })
})

describe('a page', () => {
  const nobody = { passwordHash: undefined, createdAt: 1n }
  test('of contacts or conversations says that there are more when there are, and not when it is merely full', async () => {
    using stage = new ServerStage()
    const alices = talker(stage, 'alice')
    const alice = await here(stage, alices)
    const befriend = (name: string): void => {
      const { id } = stage.store('account.create', { name, key: name, skeleton: name, ...nobody })
      stage.store('contact.add', { a: alices.id, b: id, at: 3n })
    }
    const told = async (): Promise<readonly unknown[]> => {
      const [{ contacts, ...one }, { conversations, ...other }] = [
        await alice.ask('contact.list', {}),
        await alice.ask('conversation.list', {}),
      ]
      return [contacts.length, one.more, conversations.length, other.more]
    }
    for (let index = 0; index < 100; index++) befriend(`friend${String(index).padStart(3, '0')}`)
    expect(await told()).toEqual([100, false, 100, false])
    befriend('zoe')
    expect(await told()).toEqual([100, true, 100, true])
    const [last] = (await alice.ask('conversation.list', {})).conversations.slice(-1)
    const rest = await alice.ask('conversation.list', { after: last?.conversation ?? 0 })
    expect([rest.conversations.map(({ name }) => name), rest.more]).toEqual([['zoe'], false])
  })
})

describe('conversations', () => {
  test('are listed with what one may know of them', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    const direct = await introduce(alice, bob)
    const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'garden', topic: 'roses' })
    expect((await alice.ask('conversation.list', {})).conversations).toEqual([
      {
        ...{ conversation: direct, kind: 'direct', name: 'bob', state: 'accepted', members: 2, lastSeq: 2, firstSeq: 1 },
        ...{ readSeq: 0, peerDeliveredSeq: 0, peerReadSeq: 0 },
      },
      expect.objectContaining({
        conversation,
        kind: 'room',
        title: 'garden',
        topic: 'roses',
        role: 'owner',
        state: 'accepted',
        members: 1,
      }),
    ])
    expect((await alice.ask('conversation.list', { after: direct })).conversations).toMatchObject([{ conversation }])
    expect(await bob.refusal('conversation.find', { conversation })).toBe('not_found')
    expect(await bob.refusal('conversation.find', {})).toBe('malformed')
  })

  test('are kept as long as is said, at once and from then on', async () => {
    using stage = new ServerStage({ retentionSweepMs: 1_000 })
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    const conversation = await introduce(alice, bob)
    const say = (text: string) => alice.ask('message.send', { conversation, id: messageId(), body: words(text) })
    await say('long ago')
    await stage.clock.move(10_000)
    await say('of late')
    const { entries, freedBytes } = await alice.ask('conversation.retain', { conversation, retentionMs: 5_000 })
    expect([entries > 0, freedBytes >= 'long ago'.length]).toEqual([true, true])
    const left = async () =>
      (await bob.ask('message.history', { conversation })).entries.flatMap(({ body }) => (body ? [Buffer.from(body).toString()] : []))
    expect(await left()).toEqual(['of late'])
    await stage.clock.move(7_000)
    expect(await left()).toEqual([])
    expect(await bob.ask('conversation.find', { conversation })).toMatchObject({ retentionMs: 5_000 })
    await say('kept')
    expect(await bob.ask('conversation.retain', { conversation })).toEqual({ entries: 0, freedBytes: 0 })
    await stage.clock.move(20_000)
    expect(await left()).toEqual(['kept'])
  })
})

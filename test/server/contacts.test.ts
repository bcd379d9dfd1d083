import { describe, expect, test } from 'bun:test'
import { ServerStage } from '../support/server-stage.ts'
import { eventsOf, here, introduce, messageId, nextEntry, talker, words } from '../support/talkers.ts'

describe('contact.remove', () => {
  test('ends what contacts may do and see, for both and at once, and tells the other one', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    for (const peer of [alice, bob]) {
      await peer.ask('account.visibility', { visibility: 'contacts' })
      await peer.ask('inbox.open', {})
    }
    const conversation = await introduce(alice, bob)
    for (const peer of [alice, bob]) await peer.arrived()
    expect(await alice.ask('contact.remove', { name: 'bob' })).toEqual({})
    expect((await nextEntry(bob)).entry).toMatchObject({ kind: 'contact', what: 'removed', from: 'alice', conversation })
    // Neither is to be seen by the other one any more, and each was told so.
    expect(await eventsOf(alice, 'presence.changed')).toEqual([{ name: 'bob', here: false }])
    expect(await eventsOf(bob, 'presence.changed')).toEqual([{ name: 'alice', here: false }])
    for (const [peer, name] of [[alice, 'bob'] as const, [bob, 'alice'] as const]) {
      expect((await peer.ask('directory.who', {})).people.map((person) => person.name)).not.toContain(name)
      expect((await peer.ask('contact.list', {})).contacts).toEqual([])
      expect(await peer.refusal('message.send', { conversation, id: messageId(), body: words('more') })).toBe('not_contact')
      expect(await peer.ask('conversation.find', { conversation })).toMatchObject({ state: 'declined' })
      expect(await peer.ask('contact.remove', { name })).toEqual({})
    }
    expect(await bob.refusal('contact.request', { name: 'alice', id: messageId() })).toBe('busy')
    expect(await alice.ask('contact.request', { name: 'bob', id: messageId() })).toEqual({ conversation, accepted: false })
    expect(await alice.refusal('contact.remove', { name: 'carol' })).toBe('not_found')
  })

  test('of somebody who is away holds when they come', async () => {
    using stage = new ServerStage()
    const [alices, bobs] = [talker(stage, 'alice'), talker(stage, 'bob')]
    const [alice, bob] = [await here(stage, alices), await here(stage, bobs)]
    await alice.ask('account.visibility', { visibility: 'contacts' })
    await introduce(alice, bob)
    bob.link.terminate()
    await bob.next(([what]) => what === 'end')
    await alice.ask('contact.remove', { name: 'bob' })
    const back = await here(stage, bobs)
    expect((await back.ask('directory.who', {})).people.map(({ name }) => name)).toEqual([])
    expect((await back.ask('contact.list', {})).contacts).toEqual([])
  })

  test('ends that the other one is told what is read and typed, also of who is to be seen by everybody', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    await bob.ask('account.visibility', { visibility: 'everyone' })
    const conversation = await introduce(alice, bob)
    const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body: words('hello') })
    await bob.ask('presence.typing', { conversation })
    expect(await eventsOf(alice, 'presence.typing')).toEqual([{ conversation, name: 'bob' }])
    await alice.ask('contact.remove', { name: 'bob' })
    await stage.clock.move(60_000)
    await bob.ask('presence.typing', { conversation })
    await bob.ask('mark.read', { conversation, seq })
    const told = (await alice.arrived()).filter(([kind]) => kind === 'event').map(([, name]) => name)
    expect(told).not.toContain('presence.typing')
    expect(told).not.toContain('mark.changed')
  })
})

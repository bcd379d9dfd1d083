import { describe, expect, test } from 'bun:test'
import type { ContractPeer } from '../support/contract-peer.ts'
import { ServerStage } from '../support/server-stage.ts'
import { eventsOf, here, introduce, messageId, nextEntry, nextEvent, talker, words } from '../support/talkers.ts'

async function pair(stage: ServerStage) {
  const [alices, bobs] = [talker(stage, 'alice', 2), talker(stage, 'bob', 2)]
  const [alice, bob] = [await here(stage, alices), await here(stage, bobs)]
  for (const peer of [alice, bob]) await peer.ask('inbox.open', {})
  const conversation = await introduce(alice, bob)
  await settled(alice, bob)
  return { alices, bobs, alice, bob, conversation }
}

async function settled(...peers: ContractPeer[]): Promise<void> {
  for (const peer of peers) await peer.arrived()
}

/** Everything that somebody does who is watched. */
async function goAbout(stage: ServerStage, { bobs, alice, conversation }: Awaited<ReturnType<typeof pair>>): Promise<void> {
  const bob = await here(stage, bobs, 1)
  await bob.ask('inbox.open', {})
  await alice.ask('message.send', { conversation, id: messageId(), body: words('are you there?') })
  const { seq, entry } = await nextEntry(bob)
  await bob.ask('inbox.ack', { seq })
  await bob.ask('mark.read', { conversation, seq: entry.seq })
  await bob.ask('presence.typing', { conversation })
  bob.link.terminate()
  await bob.next(([what]) => what === 'end')
}

describe('marks', () => {
  test('reach the other one, and converge on the own devices', async () => {
    using stage = new ServerStage()
    const { alice, bob, bobs, conversation } = await pair(stage)
    const tablet = await here(stage, bobs, 1)
    const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body: words('hello') })
    const arrived = await nextEntry(bob)
    await bob.ask('inbox.ack', { seq: arrived.seq })
    expect(await nextEvent(alice, 'mark.changed')).toEqual({ conversation, name: 'bob', deliveredSeq: seq })
    await settled(tablet)
    expect(await bob.ask('mark.read', { conversation, seq })).toEqual({ readSeq: seq })
    for (const peer of [alice, tablet]) expect(await nextEvent(peer, 'mark.changed')).toEqual({ conversation, name: 'bob', readSeq: seq })
    expect(await tablet.ask('mark.read', { conversation, seq: 1 })).toEqual({ readSeq: seq })
    expect(await tablet.ask('mark.read', { conversation, seq: seq + 100 })).toEqual({ readSeq: seq })
    expect(await eventsOf(alice, 'mark.changed')).toEqual([])
    expect(await alice.ask('conversation.find', { name: 'bob' })).toMatchObject({ peerDeliveredSeq: seq, peerReadSeq: seq })
    expect((await tablet.ask('conversation.list', {})).conversations).toMatchObject([{ conversation, name: 'alice', readSeq: seq }])
  })

  test('of a conversation that one is not in are none', async () => {
    using stage = new ServerStage()
    const { conversation } = await pair(stage)
    const eve = await here(stage, talker(stage, 'eve'))
    expect(await eve.refusal('mark.read', { conversation, seq: 1 })).toBe('not_found')
    expect(await eve.refusal('presence.typing', { conversation })).toBe('not_found')
    expect(await eve.refusal('message.history', { conversation })).toBe('not_found')
    expect(await eve.refusal('conversation.find', { conversation })).toBe('not_found')
  })

  test('of a room are told of what was read, not of what was stored', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await pair(stage)
    const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'garden' })
    await alice.ask('room.invite', { conversation, name: 'bob' })
    await bob.ask('room.join', { conversation })
    const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body: words('hello') })
    let arrived = await nextEntry(bob)
    while (arrived.entry.seq < seq) arrived = await nextEntry(bob)
    await settled(alice)
    await bob.ask('inbox.ack', { seq: arrived.seq })
    await bob.ask('mark.read', { conversation, seq })
    await bob.ask('presence.typing', { conversation })
    const told = (await eventsOf(alice, 'mark.changed')).filter((mark) => (mark as { conversation: number }).conversation === conversation)
    expect(told).toEqual([{ conversation, name: 'bob', readSeq: seq }])
  })

  test('of a room are told of to as many members as a middling one has, and to none of a larger one', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await pair(stage)
    const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'garden' })
    const { secret } = await alice.ask('room.link', { conversation })
    const joins = async (name: string) => (await here(stage, talker(stage, name))).ask('room.join', { secret })
    await bob.ask('room.join', { secret })
    for (let member = 3; member <= 50; member++) await joins(`m${member}`)
    const heard = async (): Promise<readonly unknown[]> => {
      const { seq } = await alice.ask('message.send', { conversation, id: messageId(), body: words('hello') })
      await alice.arrived()
      await bob.ask('mark.read', { conversation, seq })
      await bob.ask('presence.typing', { conversation })
      return (await alice.arrived()).filter(([kind]) => kind === 'event').map(([, name]) => name)
    }
    expect(await heard()).toEqual(['mark.changed', 'presence.typing'])
    await joins('m51')
    await stage.clock.move(1_000)
    expect(await heard()).toEqual([])
  })
})

describe('what is passed on of somebody who is there', () => {
  test('is that they come, store, read, type and go', async () => {
    using stage = new ServerStage()
    const pairs = await pair(stage)
    const { alice, bob } = pairs
    bob.link.terminate()
    expect(await nextEvent(alice, 'presence.changed')).toEqual({ name: 'bob', here: false })
    await goAbout(stage, pairs)
    expect((await alice.arrived()).filter(([kind]) => kind === 'event').map(([, name]) => name)).toEqual([
      'presence.changed',
      'mark.changed',
      'mark.changed',
      'presence.typing',
      'presence.changed',
    ])
  })

  const hidden = [
    ['presence', ['mark.changed', 'mark.changed']],
    ['typing', ['presence.changed', 'mark.changed', 'mark.changed', 'presence.changed']],
    ['delivered', ['presence.changed', 'mark.changed', 'presence.typing', 'presence.changed']],
    ['read', ['presence.changed', 'mark.changed', 'presence.typing', 'presence.changed']],
  ] as const
  for (const [what, told] of hidden) {
    test(`is not what they switched off: ${what}`, async () => {
      using stage = new ServerStage()
      const pairs = await pair(stage)
      const { alice, bob, conversation } = pairs
      expect(await bob.ask('account.privacy', { [what]: false })).toEqual({
        ...{ presence: true, typing: true, delivered: true, read: true },
        [what]: false,
      })
      bob.link.terminate()
      await settled(alice)
      await goAbout(stage, pairs)
      expect((await alice.arrived()).filter(([kind]) => kind === 'event').map(([, name]) => name)).toEqual([...told])
      const seen = await alice.ask('conversation.find', { conversation })
      expect([seen.peerDeliveredSeq === undefined, seen.peerReadSeq === undefined]).toEqual([what === 'delivered', what === 'read'])
      const [contact] = (await alice.ask('contact.list', {})).contacts
      expect(contact?.here).toBe(what === 'presence' ? undefined : false)
    })
  }

  test('is nothing of who shows themselves to nobody', async () => {
    using stage = new ServerStage()
    const pairs = await pair(stage)
    const { alice, bob, conversation } = pairs
    await bob.ask('account.visibility', { visibility: 'nobody' })
    expect(await nextEvent(alice, 'presence.changed')).toEqual({ name: 'bob', here: false })
    bob.link.terminate()
    await goAbout(stage, pairs)
    expect((await alice.arrived()).filter(([kind]) => kind === 'event').map(([, name]) => name)).toEqual([])
    const back = await here(stage, pairs.bobs)
    expect(await alice.ask('conversation.find', { conversation })).not.toHaveProperty('peerReadSeq')
    expect(await alice.ask('conversation.find', { conversation })).not.toHaveProperty('peerDeliveredSeq')
    expect((await alice.ask('contact.list', {})).contacts).toMatchObject([{ name: 'bob', state: 'accepted' }])
    expect((await alice.ask('contact.list', {})).contacts[0]).not.toHaveProperty('here')
    expect((await alice.ask('directory.who', {})).people).toEqual([])
    await back.ask('account.visibility', { visibility: 'contacts' })
    expect(await nextEvent(alice, 'presence.changed')).toEqual({ name: 'bob', here: true })
    expect((await alice.ask('contact.list', {})).contacts).toMatchObject([{ here: true }])
  })

  test('is typing at most twice a second', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await pair(stage)
    for (let index = 0; index < 10; index++) await bob.ask('presence.typing', { conversation })
    expect((await eventsOf(alice, 'presence.typing')).length).toBe(2)
  })

  test('is nothing before they talk', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await here(stage, talker(stage, 'alice')), await here(stage, talker(stage, 'bob'))]
    for (const peer of [alice, bob]) await peer.ask('account.visibility', { visibility: 'everyone' })
    await alice.ask('inbox.open', {})
    const { conversation, accepted } = await alice.ask('contact.request', { name: 'bob', id: messageId(), text: words('hello?') })
    expect(accepted).toBe(false)
    await bob.ask('inbox.open', {})
    await bob.ask('presence.typing', { conversation })
    await bob.ask('mark.read', { conversation, seq: 1 })
    await bob.ask('inbox.ack', { seq: 1 })
    expect(await eventsOf(alice, 'mark.changed')).toEqual([])
    expect(await alice.ask('conversation.find', { conversation })).not.toHaveProperty('peerReadSeq')
    expect(await alice.refusal('message.send', { conversation, id: messageId(), body: words('more') })).toBe('not_contact')
    await bob.ask('contact.decline', { name: 'alice' })
    expect(await alice.refusal('contact.request', { name: 'bob', id: messageId() })).toBe('busy')
  })
})

describe('a block', () => {
  /** The same day of two people; with `blocked`, bob wants to hear nothing of alice after a while. */
  async function day(blocked: boolean): Promise<{ bodies: string[]; atBob: number }> {
    using stage = new ServerStage()
    const [alices, bobs] = [talker(stage, 'alice', 2), talker(stage, 'bob')]
    const [alice, desk, bob] = [await here(stage, alices, 0), await here(stage, alices, 1), await here(stage, bobs)]
    for (const peer of [alice, desk, bob]) await peer.ask('inbox.open', {})
    const id = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
    const { conversation } = await alice.ask('contact.request', { name: 'bob', id: id(1) })
    expect(await bob.ask('contact.request', { name: 'alice', id: id(1) })).toEqual({ conversation, accepted: true })
    const early = await alice.ask('message.send', { to: 'bob', id: id(2), body: words('hello') })
    await settled(alice, desk, bob)
    if (blocked) await bob.ask('directory.block', { name: 'alice' })
    // Who goes and who blocks look the same.
    else bob.link.terminate()
    await settled(bob)
    const { seq } = await alice.ask('message.send', { to: 'bob', id: id(3), body: words('hello?') })
    await alice.ask('message.edit', { conversation, target: seq, id: id(4), body: words('hello?!') })
    await alice.ask('message.react', { conversation, target: early.seq, id: id(5), emoji: 'x', on: true })
    await alice.ask('message.edit', { conversation, target: seq, id: id(6), body: words('hello!') })
    await alice.ask('message.delete', { conversation, target: seq, id: id(7) })
    await alice.ask('presence.typing', { conversation })
    await alice.ask('mark.read', { conversation, seq })
    expect(await alice.ask('contact.request', { name: 'bob', id: id(8) })).toMatchObject({ accepted: true })
    await alice.ask('contact.list', {})
    await alice.ask('conversation.list', {})
    await alice.ask('conversation.find', { name: 'bob' })
    await alice.ask('message.history', { conversation })
    await alice.ask('directory.who', {})
    const room = await alice.ask('room.create', { id: id(9), title: 'garden' })
    await alice.ask('room.members', room)
    await settled(alice, desk)
    const bodies = [alice, desk].flatMap((peer) => peer.bodies.map((body) => Buffer.from(body).toString('hex')))
    const atBob = blocked ? (await bob.arrived()).filter(([kind]) => kind === 'event').length : 0
    return { bodies, atBob }
  }

  test('is silent: every byte that the blocked one gets is as if the other one had gone', async () => {
    const [gone, blocked] = [await day(false), await day(true)]
    expect(blocked.bodies).toEqual(gone.bodies)
    expect(blocked.bodies.length).toBeGreaterThan(25)
    expect(blocked.atBob).toBe(0)
  })

  test('keeps what was said before as it was, whatever the blocked one does to it, with the same answers', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await pair(stage)
    const { seq: target } = await alice.ask('message.send', { to: 'bob', id: messageId(), body: words('hello') })
    await bob.ask('directory.block', { name: 'alice' })
    const edited = await alice.ask('message.edit', { conversation, target, id: messageId(), body: words('psst') })
    expect(edited).toMatchObject({ seq: target + 1 })
    await alice.ask('message.delete', { conversation, target, id: messageId() })
    const { entries } = await bob.ask('message.history', { conversation })
    expect(entries.at(-1)).toMatchObject({ seq: target, kind: 'message', body: words('hello') })
  })

  test('keeps requests of strangers away, with the same answer', async () => {
    using stage = new ServerStage()
    const [eve, bob] = [await here(stage, talker(stage, 'eve')), await here(stage, talker(stage, 'bob'))]
    await bob.ask('inbox.open', {})
    await bob.ask('directory.block', { name: 'eve' })
    expect(await eve.ask('contact.request', { name: 'bob', id: messageId(), text: words('psst') })).toMatchObject({ accepted: false })
    expect(await eventsOf(bob, 'inbox.entry')).toEqual([])
    expect((await bob.ask('contact.list', {})).contacts).toEqual([])
  })
})

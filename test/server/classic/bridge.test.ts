// A classic session and an account of the contract: who asks whom, and what rings. Over TLS, with a client in another language:
// test/e2e/classic-meets-contract.test.ts.

import { describe, expect, test } from 'bun:test'
import { again, ack, calm, chat, contacts, decline, exit, findPeer, frames, message, say, stranger } from '../../support/bridge-talkers.ts'
import { settle } from '../../support/manual-clock.ts'
import { password, ServerStage } from '../../support/server-stage.ts'
import { here, messageId, nextEntries, nextEntry, nextEvent, talker, textOf, words } from '../../support/talkers.ts'

describe('a classic client asks', () => {
  test('a stranger who is here: a request, which waits for their answer, and the chat begins with it', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    bob.send(findPeer, 'ALICE')
    expect((await nextEntry(alice)).entry).toMatchObject({ kind: 'contact', from: 'bob', what: 'requested' })
    bob.send(message, 'may I?')
    await bob.expect('05 NOCHAT')
    await alice.ask('contact.accept', { name: 'bob' })
    await bob.expect('04 CHAT')
    bob.send(message, 'hello')
    await bob.expect('04 OK')
    const { entry } = await nextEntry(alice)
    expect(entry).toMatchObject({ kind: 'message', from: 'bob', type: 'text/plain', body: words('hello') })
    await say(alice, entry.conversation, 'hi')
    await bob.expect('03 alice: hi')
    bob.send(exit)
    await bob.expect('04 BYE')
    bob.send(message, 'still there?')
    await bob.expect('05 NOCHAT')
  })

  test('and is declined', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    bob.send(0x07, 'alice')
    await nextEntry(alice)
    await alice.ask('contact.decline', { name: 'bob' })
    await bob.expect('05 DENY')
    bob.send(findPeer, 'alice')
    await bob.expect('05 BUSY')
    bob.send(message, 'please')
    await bob.expect('05 NOCHAT')
  })

  test('and is not answered in time: the request stays open, and an answer makes contacts', async () => {
    using stage = new ServerStage({ chatRequestMsMax: 60_000 })
    const { alice, bob } = await stranger(stage)
    bob.send(findPeer, 'alice')
    await nextEntry(alice)
    await stage.clock.move(60_000)
    await bob.expect('05 DENY')
    const { conversation } = await alice.ask('contact.accept', { name: 'bob' })
    expect(await bob.arrived()).toEqual([])
    await say(alice, conversation, 'there I am')
    await bob.expect('06 alice')
  })

  test('and answers the own request: nothing', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    bob.send(findPeer, 'alice')
    for (const command of [ack, 0x08, decline, 0x09]) {
      bob.send(command, 'CHAT')
      bob.send(message, 'do you hear me?')
      await bob.expect('05 NOCHAT')
    }
    expect((await nextEntries(alice, 1)).map(({ entry }) => entry.kind)).toEqual(['contact'])
    expect((await alice.arrived()).filter(([, event]) => event === 'inbox.entry')).toEqual([])
    expect(await alice.refusal('message.send', { to: 'bob', id: messageId(), body: words('x') })).toBe('not_contact')
    await alice.ask('contact.accept', { name: 'bob' })
    await bob.expect('04 CHAT')
  })

  test('and is answered by somebody else, whom they asked before: that begins nothing', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    const carol = await here(stage, talker(stage, 'carol'))
    bob.send(findPeer, 'carol')
    bob.send(exit)
    await bob.expect('04 BYE')
    bob.send(findPeer, 'alice')
    await nextEntry(alice)
    await carol.ask('contact.accept', { name: 'bob' })
    bob.send(message, 'alice?')
    await bob.expect('05 NOCHAT')
    await alice.ask('contact.accept', { name: 'bob' })
    await bob.expect('04 CHAT')
  })

  test('and takes it back: the chat does not begin, whatever is answered', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    bob.send(findPeer, 'alice')
    bob.send(exit)
    await bob.expect('04 BYE')
    await alice.ask('contact.accept', { name: 'bob' })
    expect(await bob.arrived()).toEqual([])
  })

  test('somebody who has asked before: the chat begins at once', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    await alice.ask('contact.request', { name: 'bob', id: messageId(), text: words('it is me') })
    await bob.expect('06 alice')
    bob.send(exit)
    await bob.expect('04 BYE')
    bob.send(findPeer, 'alice')
    expect(await frames(bob, 2)).toEqual(['04 CHAT', '03 alice: it is me'])
    expect(await nextEvent(alice, 'inbox.entry')).toMatchObject({ entry: { kind: 'contact', what: 'accepted' } })
  })

  test('a contact, here or not: the chat begins at once, and what is said is stored', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    bob.send(message, 'one')
    await bob.expect('04 OK')
    expect(textOf(await nextEntry(alice))).toBe('one')
    bob.send(exit)
    await bob.expect('04 BYE')
    alice.link.terminate()
    await settle()
    await chat(bob)
    bob.send(message, 'two')
    await bob.expect('04 OK')
    const { entries } = stage.store('entry.history', { ...history(stage, 'alice'), conversationId: BigInt(conversation) })
    expect(entries.map(({ body }) => body && Buffer.from(body).toString())).toEqual([undefined, undefined, 'one', 'two'])
  })

  test('somebody who is nobody, not here, blocked, or blocks: told apart by nothing', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    talker(stage, 'carol')
    const dave = await here(stage, talker(stage, 'dave'))
    await dave.ask('directory.block', { name: 'bob' })
    const bobToo = await stage.guest()
    await bobToo.ask('account.login', { name: 'bob', password })
    await bobToo.ask('directory.block', { name: 'alice' })
    for (const name of ['nobody', 'carol', 'dave', 'alice', 'a:b']) {
      bob.send(findPeer, name)
      await bob.expect('05 NOPE')
    }
    expect([await alice.arrived(), (await dave.arrived()).filter(([, event]) => event === 'inbox.entry')]).toEqual([[], []])
  })

  test('a contact who blocks them: all looks as if the other one were away, and nothing arrives', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    await chat(bob)
    await alice.ask('directory.block', { name: 'bob' })
    await bob.expect('05 EXIT')
    await chat(bob)
    bob.send(message, 'are you there?')
    await bob.expect('04 OK')
    await alice.arrived()
    expect((await alice.ask('message.history', { conversation })).entries.map(({ kind }) => kind)).toEqual(['contact', 'contact'])
    await say(alice, conversation, 'it goes one way only')
    await bob.expect('03 alice: it goes one way only')
  })

  test('while the only session of a contact is in another classic chat: busy', async () => {
    using stage = new ServerStage()
    const [bob, carol, dave] = [await stage.person('bob'), await stage.person('carol'), await stage.person('dave')]
    for (const callee of [carol, dave]) {
      bob.send(findPeer, callee.name)
      await callee.expect('06 bob')
      callee.send(ack)
      await callee.expect('04 CHAT')
      await bob.expect('04 CHAT')
      if (callee === dave) break
      bob.send(exit)
      await bob.expect('04 BYE')
      await callee.expect('05 EXIT')
    }
    carol.send(findPeer, 'bob')
    await carol.expect('05 BUSY')
  })
})

describe('it rings at a classic client', () => {
  test('when somebody asks to become a contact; its Ack accepts, and what went with the request is heard', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    await alice.ask('contact.request', { name: 'BOB', id: messageId(), text: words('it is me') })
    await bob.expect('06 alice')
    expect(await alice.refusal('message.send', { to: 'bob', id: messageId(), body: words('x') })).toBe('not_contact')
    bob.send(0x08)
    expect(await frames(bob, 2)).toEqual(['04 CHAT', '03 alice: it is me'])
    expect((await nextEntry(alice)).entry).toMatchObject({ what: 'accepted', from: 'bob' })
    await alice.ask('message.send', { to: 'bob', id: messageId(), body: words('hello') })
    await bob.expect('03 alice: hello')
  })

  test('and its Error declines', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    await alice.ask('contact.request', { name: 'bob', id: messageId() })
    await bob.expect('06 alice')
    bob.send(decline)
    expect((await nextEntry(alice)).entry).toMatchObject({ what: 'declined', from: 'bob' })
    expect(await alice.refusal('contact.request', { name: 'bob', id: messageId() })).toBe('busy')
    expect(await bob.arrived()).toEqual([])
  })

  test('until another session of the account has answered', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    const phone = await stage.guest()
    await phone.ask('account.login', { name: 'bob', password })
    await alice.ask('contact.request', { name: 'bob', id: messageId() })
    await bob.expect('06 alice')
    await phone.ask('contact.accept', { name: 'alice' })
    await bob.expect('05 EXIT')
  })

  test('not when whoever asks is blocked', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await stranger(stage)
    const phone = await stage.guest()
    await phone.ask('account.login', { name: 'bob', password })
    await phone.ask('directory.block', { name: 'alice' })
    await alice.ask('contact.request', { name: 'bob', id: messageId() })
    expect(await bob.arrived()).toEqual([])
  })

  test('when a contact says something, and the answer brings all that is unread, once', async () => {
    using stage = new ServerStage(calm)
    const { alice, bob, conversation } = await contacts(stage)
    bob.link.terminate()
    await settle()
    for (const text of ['a', 'b']) await say(alice, conversation, text)
    const back = await again(stage, 'bob')
    expect(await back.arrived()).toEqual([])
    for (const text of ['c', 'd']) await say(alice, conversation, text)
    await back.expect('06 alice')
    back.send(ack)
    expect(await frames(back, 5)).toEqual(['04 CHAT', '03 alice: a', '03 alice: b', '03 alice: c', '03 alice: d'])
    await say(alice, conversation, 'e')
    await back.expect('03 alice: e')
    back.send(exit)
    await back.expect('04 BYE')
    await chat(back)
    expect(await back.arrived()).toEqual([])
    expect(await alice.ask('conversation.find', { conversation })).toMatchObject({ peerReadSeq: 7, peerDeliveredSeq: 7 })
  })

  test('and what is declined, or not answered, stays unread', async () => {
    using stage = new ServerStage({ chatRequestMsMax: 60_000 })
    const { alice, bob, conversation } = await contacts(stage)
    await say(alice, conversation, 'a')
    await bob.expect('06 alice')
    bob.send(decline)
    await settle()
    await say(alice, conversation, 'b')
    await bob.expect('06 alice')
    await stage.clock.move(60_000)
    await bob.expect('05 EXIT')
    bob.send(findPeer, 'alice')
    expect(await frames(bob, 3)).toEqual(['04 CHAT', '03 alice: a', '03 alice: b'])
  })

  test('not while a session of the account talks with them, and at the newest that is free', async () => {
    using stage = new ServerStage()
    const { alice, bob, conversation } = await contacts(stage)
    const [second, third] = [await again(stage, 'bob'), await again(stage, 'bob')]
    await say(alice, conversation, 'one')
    await third.expect('06 alice')
    third.send(ack)
    expect(await frames(third, 2)).toEqual(['04 CHAT', '03 alice: one'])
    await say(alice, conversation, 'two')
    await third.expect('03 alice: two')
    expect([await bob.arrived(), await second.arrived()]).toEqual([[], []])
  })

  test('when somebody at another classic client says something to a contact who was not there', async () => {
    using stage = new ServerStage()
    const [bob, carol] = [await stage.person('bob'), await stage.person('carol')]
    bob.send(findPeer, 'carol')
    await carol.expect('06 bob')
    carol.send(ack)
    await carol.expect('04 CHAT')
    carol.link.terminate()
    expect(await frames(bob, 2)).toEqual(['04 CHAT', '05 EXIT'])
    bob.send(findPeer, 'carol')
    await bob.expect('04 CHAT')
    bob.send(message, 'call me')
    await bob.expect('04 OK')
    const back = await again(stage, 'carol')
    bob.send(message, 'now')
    await bob.expect('04 OK')
    await back.expect('06 bob')
    back.send(ack)
    expect(await frames(back, 3)).toEqual(['04 CHAT', '03 bob: call me', '03 bob: now'])
    back.send(message, 'here')
    await back.expect('04 OK')
    await bob.expect('03 carol: here')
  })

  test('and what was said while they were away comes with a live chat of the two, too, once', async () => {
    using stage = new ServerStage()
    const [bob, carol] = [await stage.person('bob'), await stage.person('carol')]
    bob.send(findPeer, 'carol')
    await carol.expect('06 bob')
    carol.send(ack)
    await carol.expect('04 CHAT')
    carol.link.terminate()
    expect(await frames(bob, 2)).toEqual(['04 CHAT', '05 EXIT'])
    bob.send(findPeer, 'carol')
    bob.send(message, 'call me')
    bob.send(exit)
    expect(await frames(bob, 3)).toEqual(['04 CHAT', '04 OK', '04 BYE'])
    const back = await again(stage, 'carol')
    for (const expected of [['04 CHAT', '03 bob: call me'], ['04 CHAT']]) {
      back.send(findPeer, 'bob')
      await bob.expect('06 carol')
      bob.send(ack)
      await bob.expect('04 CHAT')
      expect(await frames(back, expected.length)).toEqual(expected)
      back.send(message, 'live')
      expect([await frames(back, 1), await frames(bob, 1)]).toEqual([['04 OK'], ['03 carol: live']])
      back.send(exit)
      await back.expect('04 BYE')
      await bob.expect('05 EXIT')
    }
  })

  test('not for what is said in a room', async () => {
    using stage = new ServerStage()
    const { alice, bob } = await contacts(stage)
    const { conversation } = await alice.ask('room.create', { id: messageId(), title: 'all' })
    await alice.ask('room.invite', { conversation, name: 'bob' })
    const phone = await stage.guest()
    await phone.ask('account.login', { name: 'bob', password })
    await phone.ask('room.join', { conversation })
    await say(alice, conversation, 'to all')
    expect(await bob.arrived()).toEqual([])
    await chat(bob)
    await say(alice, conversation, 'to all again')
    expect(await bob.arrived()).toEqual([])
  })
})

function history(stage: ServerStage, key: string) {
  const account = stage.store('account.find', { key })
  return { accountId: account?.id ?? 0n, max: 100n, bytesMax: 1_000_000n }
}

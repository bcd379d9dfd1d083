// A Sealwire whose talk has a link: what it says there, and what it knows of what came there.

import { describe, expect, test } from 'bun:test'
import { Heard, messageKey } from '../../../src/client/direct/heard.ts'
import { MemoryHeard } from '../../../src/client/direct/heard-store.ts'
import type { TalkLink } from '../../../src/client/direct/hearing.ts'
import type { DirectPart } from '../../../src/client/direct/part.ts'
import { DirectTalk } from '../../../src/client/direct/talk.ts'
import { wordsHash } from '../../../src/client/direct/words.ts'
import { answerId, MemoryOutbox, newMessageId, type Sealwire } from '../../../src/client/index.ts'
import { type Entry, paymentType, type Result } from '../../../src/protocol/contract/index.ts'
import type { PeerParams } from '../../../src/protocol/direct/index.ts'
import { DeliveryServer } from '../delivery-server.ts'

const info = { conversation: 7, kind: 'direct', name: 'bob', members: 2, state: 'accepted', firstSeq: 1, readSeq: 0 } as const

describe('a Sealwire with a direct link', () => {
  test('says each message once: not again under an id that it was given', async () => {
    const { server, me, says } = await talking()
    const id = newMessageId(1, (bytes) => crypto.getRandomValues(bytes))
    await me.send(7, 'the first')
    for (let each = 0; each < 2; each++) await me.send(7, 'the same', { id })
    await me.send(7, 'the last')
    expect(says.map(({ body }) => Buffer.from(body).toString())).toEqual(['the first', 'the last'])
    expect(server.stored).toHaveLength(3)
    await me.close()
  })

  test('names what it has changed itself', async () => {
    const { me, says } = await talking()
    const conversation = await me.conversation(7)
    const changes = [
      () => conversation.edit(1, 'other'),
      () => conversation.delete(1),
      () => conversation.react(1, '👍'),
      () => conversation.pin(1),
    ]
    for (const change of changes) {
      const { seq } = await change()
      await me.send(7, 'behind it')
      expect(says.at(-1)?.behind.seq).toBe(seq)
    }
    expect(says).toHaveLength(4)
    await me.close()
  })

  test('says nothing after a doubt before it knows the last place, and names that', async () => {
    const { server, me, talk, says, last } = await talking()
    await me.send(7, 'before')
    server.refuse = (method) => (method === 'conversation.find' ? 'not_found' : undefined)
    last.seq = 500
    talk.doubt('Bob')
    await me.send(7, 'meanwhile')
    expect(says).toHaveLength(1)
    server.refuse = () => undefined
    talk.doubt()
    await server.settle()
    await me.send(7, 'behind it')
    expect(says.map(({ behind }) => behind.seq)).toEqual([0, 500])
    talk.doubt('carol')
    await me.send(7, 'no doubt of bob')
    expect(says).toHaveLength(3)
    await me.close()
  })

  test('looks again for the last place when it could not, before it says something', async () => {
    const { server, me, talk, says, last } = await talking()
    server.refuse = (method) => (method === 'conversation.find' ? 'not_found' : undefined)
    last.seq = 500
    talk.doubt('bob')
    await server.settle()
    server.refuse = () => undefined
    await server.clock.move(server.limits.directLookMs)
    await me.send(7, 'asks')
    await server.settle()
    await me.send(7, 'behind it')
    expect(says.map(({ behind }) => behind.seq)).toEqual([500])
    await me.close()
  })

  test('has one answerId for an entry of the inbox, of history and of what was found', async () => {
    const { server, me, entries } = await talking()
    const inbox = me.inbox()
    server.receive('a message')
    server.receive('of money', { type: paymentType })
    server.receive('an edit', { kind: 'edit', target: 1 })
    server.receive('in a room', { conversation: 8 })
    entries.push(...server.inbox)
    const read: string[] = []
    for (let each = 0; each < 4; each++) read.push((await inbox.next()).value?.answerId ?? '')
    const [message, money, edit, room] = server.inbox as [Entry, Entry, Entry, Entry]
    expect(read).toEqual([messageKey(message), answerId(money), answerId(edit), messageKey(room)])
    const conversation = await me.conversation(7)
    expect((await Array.fromAsync(conversation.history({ after: 0 }))).map((entry) => entry.answerId)).toEqual(read)
    for (const found of [await me.search('a'), await conversation.search('a')]) {
      expect(found.entries.map((entry) => entry.answerId)).toEqual(read)
    }
    await me.close()
  })
})

describe('a Sealwire without direct links', () => {
  test('does not get again what another program of the home was told', async () => {
    const server = new DeliveryServer()
    const store = new MemoryHeard()
    for (const text of ['told', 'as told']) server.receive(text)
    const [told, other] = server.inbox as [Entry, Entry]
    await store.add({ key: messageKey(told), conversation: 7, device: 'b1', hash: wordsHash(told) })
    await store.add({ key: messageKey(other), conversation: 7, device: 'b1', hash: wordsHash(told) })
    const me = server.sealwire({ heard: new Heard(store, server.limits) })
    const inbox = me.inbox()
    expect((await inbox.next()).value).toMatchObject({ text: 'as told', position: 2 })
    server.receive('the next')
    expect((await inbox.next()).value).toMatchObject({ text: 'the next' })
    await server.settle()
    expect([store.has(messageKey(told)), server.acked]).toEqual([false, 2])
    await me.close()
  })
})

interface Talking {
  readonly server: DeliveryServer
  readonly me: Sealwire
  readonly talk: DirectTalk
  /** What it has said over the link. */
  readonly says: PeerParams<'direct.say'>[]
  /** The last place in the conversation. */
  readonly last: { seq: number }
  /** What is in history, and is found. */
  readonly entries: Entry[]
}

async function talking(): Promise<Talking> {
  const [says, last, entries]: [PeerParams<'direct.say'>[], { seq: number }, Entry[]] = [[], { seq: 0 }, []]
  let places = 100
  const placed = (): Result<'message.edit'> => ({ seq: ++places, at: 1 })
  const server = new DeliveryServer(
    {},
    {
      'conversation.find': () => ({ ...info, lastSeq: last.seq }),
      'message.edit': placed,
      'message.delete': placed,
      'message.react': placed,
      'message.pin': placed,
      'message.history': () => ({ entries, more: false }),
      'message.search': () => ({ entries, more: false, upTo: 1 }),
    },
  )
  const found = Promise.withResolvers<DirectTalk>()
  const me = server.sealwire({
    outbox: new MemoryOutbox(),
    direct({ calls, clock, limits, inbox }) {
      const talk = new DirectTalk({
        ...{ heard: new MemoryHeard(), clock, limits, inbox },
        find: (name) => calls.again('conversation.find', { name }),
        inboxEnd: async () => 0,
        me: () => ({ name: 'alice', device: 'd1' }),
      })
      found.resolve(talk)
      const part = { talk, reach() {}, online() {}, offline() {}, event() {}, wake() {}, close: () => talk.end(undefined) }
      return part as unknown as DirectPart
    },
  })
  await me.online()
  const talk = await found.promise
  const request: TalkLink['request'] = async (_, params) => {
    says.push(params)
    return {}
  }
  const closed = new Promise<never>(() => {})
  talk.linked({ peer: { name: 'bob', device: 'b1', spki: '' }, open: true, closed, request })
  await server.settle()
  return { server, me, talk, says, last, entries }
}

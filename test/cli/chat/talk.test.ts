import { afterAll, describe, expect, test } from 'bun:test'
import type { ChatNews } from '../../../src/cli/chat/news.ts'
import { Talk } from '../../../src/cli/chat/talk.ts'
import type { Sealwire } from '../../../src/client/index.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { People } from './people.ts'
import { refused, rejected } from '../home-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const people = new People(server)
afterAll(async () => {
  await people[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Somebody who talks, and has taken what came when `hear` resolves. */
function talking(me: Sealwire) {
  const news: ChatNews[] = []
  const talk = new Talk({ me, tell: (one) => news.push(one), clock: systemClock })
  const inbox = me.inbox()
  const hear = async (): Promise<void> => {
    const { value } = await inbox.next()
    if (value !== undefined) await talk.hear(value)
    await talk.caughtUp()
  }
  return { news, talk, hear, events: () => news.splice(0).map(({ event }) => event) }
}

describe('Talk', () => {
  test('asks, holds what is said, and talks when they accept', async () => {
    const [ann, ben] = await people.pair(false)
    const [asking, asked] = [talking(ann), talking(ben)]
    await asking.talk.with(ben.name.toUpperCase())
    expect(asking.talk.focus).toMatchObject({ name: 'asking', peer: ben.name })
    const saying = asking.talk.say(Buffer.from('hello'))
    await asked.hear()
    expect(asked.news.at(-1)).toMatchObject({ event: 'requested', name: ann.name })
    await asked.talk.accept(undefined)
    await asking.hear()
    expect((await saying)?.seq).toBe(3)
    expect(asking.events()).toEqual(['asked', 'begun'])
    await asked.hear()
    expect(asked.news.map((one) => (one.event === 'said' ? one.entry.text : one.event))).toEqual(['requested', 'begun', 'hello'])
    expect(asking.talk.isAbout(ben.name)).toBe(true)
  })

  test('accepts whom it is to talk with and who has asked', async () => {
    const [ann, ben] = await people.pair(false)
    await ann.request(ben.name)
    const { talk, events } = talking(ben)
    await talk.with(ann.name)
    expect([talk.focus.name, events()]).toEqual(['talking', ['begun']])
  })

  test('tells who asks, once, with what they say', async () => {
    const [ann, ben] = await people.pair(false)
    await ann.request(ben.name, 'it is me')
    const { talk, news, hear } = talking(ben)
    await talk.tellAskers()
    await hear()
    expect(news).toMatchObject([{ event: 'requested', name: ann.name, entry: { text: 'it is me' } }])
    await talk.decline(undefined)
    expect(news.at(-1)).toEqual({ event: 'turned-away', name: ann.name })
    expect((await rejected(talk.decline(undefined))).code).toBe('no_request')
  })

  test('takes no answer of before for one of now, and no request that is answered already', async () => {
    const [ann, ben] = await people.pair(false)
    await ann.request(ben.name)
    await ben.decline(ann.name)
    await ben.request(ann.name)
    await ann.decline(ben.name)
    const { talk, hear, events } = talking(ann)
    await talk.with(ben.name)
    // The answer of before, and the request that was declined.
    await hear()
    await hear()
    expect([talk.focus.name, events()]).toEqual(['asking', ['asked', 'declined']])
  })

  test('leaves when they end that both are contacts, and knows no request that was taken back', async () => {
    const [ann, ben] = await people.pair()
    const { talk, news, hear, events } = talking(ann)
    await talk.with(ben.name)
    // That they accepted.
    await hear()
    await ben.removeContact(ann.name)
    await hear()
    expect([talk.focus.name, events()]).toEqual(['nobody', ['begun', 'removed', 'exited']])
    await ben.request(ann.name)
    await hear()
    await ben.removeContact(ann.name)
    await hear()
    expect(news.at(-1)).toMatchObject({ event: 'withdrawn', name: ben.name })
    expect((await rejected(talk.accept(undefined))).code).toBe('no_request')
  })

  test('leaves when it is ended on another device, and says that what waits is not sent', async () => {
    const [ann, ben] = await people.pair()
    const tablet = await people.another(ann)
    const { talk, hear, events } = talking(ann)
    await talk.with(ben.name)
    await tablet.removeContact(ben.name)
    // That they accepted.
    await hear()
    await hear()
    expect([talk.focus.name, events()]).toEqual(['nobody', ['begun', 'parted', 'exited']])
    await talk.with(ben.name)
    const saying = rejected(talk.say(Buffer.from('hello')))
    await tablet.removeContact(ben.name)
    await hear()
    expect([talk.focus.name, events(), (await saying).code]).toEqual(['nobody', ['asked', 'parted'], 'not_contact'])
  })

  test('means in a room whom the words name, who is told so', async () => {
    const [ann, ben] = await people.pair()
    const room = await ann.rooms.create('the garden')
    await ann.rooms.invite(room.number, ben.name)
    await ben.rooms.join(room.number)
    const [speaking, meant] = [talking(ann), talking(ben)]
    await meant.talk.with(room.number)
    await speaking.talk.with(room.number)
    await speaking.talk.say(Buffer.from(`@${ben.name.toUpperCase()}, are you there?`))
    await speaking.talk.say(Buffer.from('@nobody: or you?'))
    for (let said = 0; said < 2; said = meant.news.filter(({ event }) => event === 'said').length) await meant.hear()
    const said = meant.news.filter((news) => news.event === 'said')
    expect(said.map((news) => [news.entry.mentions, news.isMeant])).toEqual([
      [[ben.name.toUpperCase()], true],
      [['nobody'], undefined],
    ])
  })

  test('tells what is unread when it begins, once, and only what others said', async () => {
    const [ann, ben] = await people.pair()
    const sent = []
    for (const text of ['one', 'two', 'three']) sent.push(await ben.send(ann.name, text))
    await (await ann.conversation(ben.name)).read(sent[0]?.seq ?? 0)
    await ann.send(ben.name, 'mine')
    const { talk, news, hear, events } = talking(ann)
    await talk.with(ben.name)
    await talk.caughtUp()
    expect(news.map((one) => (one.event === 'said' ? one.entry.text : one.event))).toEqual(['begun', 'two', 'three'])
    await talk.settled()
    const { readSeq, lastSeq } = (await ann.conversation(ben.name)).info
    expect(readSeq).toBe(lastSeq)
    events()
    // The acceptance and the three messages come out of the inbox too.
    for (let count = 0; count < 4; count++) await hear()
    expect(events()).toEqual([])
  })

  test('tells so many unread messages, the newest, and whether there are more', async () => {
    const max = limitTable.chatUnreadMax.value
    const [ann, ben] = await people.pair()
    const said = (await ben.send(ann.name, 'read')).seq
    await (await ann.conversation(ben.name)).read(said)
    const toldOf = async (count: number): Promise<readonly (string | undefined)[]> => {
      await Promise.all(Array.from({ length: count }, (_, at) => ben.send(ann.name, `m${at + 1}`)))
      const news: ChatNews[] = []
      const talk = new Talk({ me: ann, tell: (one) => news.push(one), clock: systemClock })
      await talk.with(ben.name)
      await talk.caughtUp()
      await talk.settled()
      return news.map((one) => (one.event === 'said' ? one.entry.text : one.event))
    }
    const texts = Array.from({ length: max + 1 }, (_, at) => `m${at + 1}`)
    expect(await toldOf(max)).toEqual(['begun', ...texts.slice(0, max)])
    expect(await toldOf(max + 1)).toEqual(['begun', 'older', ...texts.slice(1)])
  })

  test('tells what comes from anybody, with the room that it is in', async () => {
    const [ann, ben] = await people.pair()
    const room = await ben.rooms.create('the garden')
    await ben.rooms.invite(room.number, ann.name)
    await ben.send(ann.name, 'come in')
    const { talk, news, hear } = talking(ann)
    for (const _ of ['accepted', 'invited', 'said']) await hear()
    await talk.with(room.number)
    expect(talk.conversation.number).toBe(room.number)
    await ben.send(room.number, 'roses')
    await ben.rooms.update(room.number, { title: 'the roses' })
    await ben.send(room.number, 'red ones')
    for (const _ of ['roses', 'room', 'red']) await hear()
    expect(news.map((one) => [one.event, 'place' in one ? (one.place.room ?? one.place.peer) : undefined])).toEqual([
      ['accepted', undefined],
      ['changed', 'the garden'],
      ['said', ben.name],
      ['begun', undefined],
      ['said', 'the garden'],
      ['changed', 'the roses'],
      ['said', 'the roses'],
    ])
  })

  test('quotes what is changed, where it was shown or said', async () => {
    const [ann, ben] = await people.pair()
    const { talk, news, hear } = talking(ann)
    await hear()
    await talk.with(ben.name)
    const own = await talk.say(Buffer.from('mine'))
    const theirs = await ben.send(ann.name, 'helo')
    const conversation = await ben.conversation(ann.name)
    await conversation.edit(theirs.seq, 'hello')
    await conversation.react(own?.seq ?? 0, '👍')
    await conversation.delete(theirs.seq)
    for (let count = 0; count < 4; count++) await hear()
    expect(news.flatMap((one) => (one.event === 'changed' ? [[one.entry.kind, one.about]] : []))).toEqual([
      ['edit', 'helo'],
      ['reaction', 'mine'],
      ['delete', 'hello'],
    ])
  })

  test('talks with nobody when it is to leave, and with whom it blocks', async () => {
    const [ann, ben] = await people.pair()
    const { talk, events } = talking(ann)
    expect(refused(() => talk.say(Buffer.from('hello'))).code).toBe('usage')
    expect(refused(() => talk.conversation).code).toBe('usage')
    await talk.with(ben.name)
    talk.leave()
    await talk.with(ben.name)
    await talk.block(ben.name)
    expect(events()).toEqual(['begun', 'exited', 'begun', 'blocked', 'exited'])
    expect(talk.focus.name).toBe('nobody')
  })

  test('finds out on another connection that it was accepted', async () => {
    const [ann, ben] = await people.pair(false)
    const { talk, events } = talking(ann)
    await talk.with(ben.name)
    await talk.again()
    expect(talk.focus.name).toBe('asking')
    await ben.accept(ann.name)
    await talk.again()
    expect([talk.focus.name, events()]).toEqual(['talking', ['asked', 'begun']])
  })
})

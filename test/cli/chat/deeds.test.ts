import { afterAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Deed, pathOf, perform, whoOf } from '../../../src/cli/chat/deeds.ts'
import type { ChatNews } from '../../../src/cli/chat/news.ts'
import { historyText } from '../../../src/cli/chat/text.ts'
import { ChatPayments } from '../../../src/cli/chat/payments.ts'
import { Talk } from '../../../src/cli/chat/talk.ts'
import { PendingPayments } from '../../../src/cli/money/pending-payments.ts'
import { Home } from '../../../src/client/home/home.ts'
import type { Sealwire } from '../../../src/client/index.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { People } from './people.ts'
import { refused, rejected } from '../home-support.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const people = new People(server)
afterAll(async () => {
  await people[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Somebody who gives commands, and what they are told last. */
function doing(me: Sealwire, news: ChatNews[] = []) {
  const tell = (one: ChatNews): number => news.push(one)
  const talk = new Talk({ me, tell, clock: systemClock })
  const pending = new PendingPayments(new Home(people.homes.path(me.name)), me.name)
  const payments = new ChatPayments({ me, pending, clock: systemClock, tell, ask: undefined })
  const act = async (deed: Deed): Promise<ChatNews | undefined> => {
    await perform(deed, { me, talk, tell, payments })
    return news.at(-1)
  }
  return { talk, act }
}

describe('perform', () => {
  test('changes and deletes the last own message, and reacts to the last one of the other', async () => {
    const [ann, ben] = await people.pair()
    const { talk, act } = doing(ann)
    expect((await rejected(act({ name: 'delete' }))).code).toBe('usage')
    await act({ name: 'talk', who: ben.name })
    expect((await rejected(act({ name: 'edit', text: 'x' }))).code).toBe('not_found')
    await talk.say(Buffer.from('first'))
    await talk.say(Buffer.from('secnd'))
    await ben.send(ann.name, 'theirs')
    // A file without words is behind it.
    const path = people.homes.path('plan.txt')
    writeFileSync(path, 'plan')
    await talk.conversation.sendFile(path)
    expect(await act({ name: 'edit', text: 'second' })).toEqual({ event: 'did', what: 'changed', about: 'secnd' })
    expect(await act({ name: 'delete' })).toEqual({ event: 'did', what: 'deleted', about: 'plan.txt' })
    expect(await act({ name: 'delete' })).toEqual({ event: 'did', what: 'deleted', about: 'second' })
    expect(await act({ name: 'delete' })).toEqual({ event: 'did', what: 'deleted', about: 'first' })
    expect(await act({ name: 'react', emoji: '👍' })).toEqual({ event: 'did', what: 'reacted', about: 'theirs' })
    const history = (await act({ name: 'history', count: 5 })) as Extract<ChatNews, { event: 'history' }>
    // Five are shown: what changed messages stands in them, and comes on top.
    expect(history.entries.map(({ kind }) => kind).join(' ')).toBe('message message message message edit delete delete delete reaction')
    expect([history.marks.own, history.peer]).toEqual([ann.name, ben.name])
  })

  test('shows as much of the history as was asked for, whatever is gone', async () => {
    const [ann, ben] = await people.pair()
    const { act } = doing(ann)
    await act({ name: 'talk', who: ben.name })
    for (const text of ['one', 'two']) await ben.send(ann.name, text)
    const conversation = await ben.conversation(ann.name)
    const { seq } = await ben.send(ann.name, 'three')
    for (const emoji of ['👍', '🎉', '👀']) await conversation.react(seq, emoji)
    await conversation.delete(seq)
    const history = (await act({ name: 'history', count: 2 })) as Extract<ChatNews, { event: 'history' }>
    expect(historyText(history).map(({ lines }) => lines[0]?.slice('2026-11-23 11:06 '.length))).toEqual([
      `${ben.name}: two`,
      `${ben.name} deleted what was here`,
    ])
  })

  test('answers the last message of the other, pins the last one, and takes the last pin away', async () => {
    const [ann, ben] = await people.pair()
    const { act } = doing(ann)
    await act({ name: 'talk', who: ben.name })
    expect((await rejected(act({ name: 'reply', text: 'x' }))).code).toBe('not_found')
    expect((await rejected(act({ name: 'unpin' }))).hint).toBe('/pin pins the last message')
    const theirs = await ben.send(ann.name, 'how are you?')
    expect(await act({ name: 'reply', text: 'well' })).toEqual({ event: 'did', what: 'answered', about: 'how are you?' })
    expect(await act({ name: 'pin' })).toEqual({ event: 'did', what: 'pinned', about: 'well' })
    const conversation = await ben.conversation(ann.name)
    const pinned = () => Array.fromAsync(conversation.history({ pinned: true }))
    expect(await pinned()).toMatchObject([{ text: 'well', replyTo: theirs.seq }])
    expect(await act({ name: 'unpin' })).toEqual({ event: 'did', what: 'unpinned', about: 'well' })
    expect(await pinned()).toEqual([])
  })

  test('hears what a message answers', async () => {
    const [ann, ben] = await people.pair()
    const news: ChatNews[] = []
    const { talk, act } = doing(ann, news)
    await act({ name: 'talk', who: ben.name })
    const mine = await talk.say(Buffer.from('how are you?'))
    await ben.send(ann.name, { body: 'well', replyTo: mine?.seq ?? 0 })
    for await (const entry of ann.inbox()) {
      await talk.hear(entry)
      if (entry.text === 'well') break
    }
    expect(news.at(-1)).toMatchObject({ event: 'said', about: 'how are you?' })
  })

  test('quotes what one has said as one has changed it', async () => {
    const [ann, ben] = await people.pair()
    const news: ChatNews[] = []
    const { talk, act } = doing(ann, news)
    await act({ name: 'talk', who: ben.name })
    await talk.say(Buffer.from('ok'))
    await act({ name: 'edit', text: 'better ok' })
    const conversation = await ben.conversation(ann.name)
    await conversation.react(conversation.info.lastSeq - 1, '👍')
    for await (const entry of ann.inbox()) {
      await talk.hear(entry)
      if (entry.kind === 'reaction') break
    }
    expect(news.at(-1)).toMatchObject({ event: 'changed', about: 'better ok' })
  })

  test('lists who is here, contacts and rooms', async () => {
    const [ann, ben] = await people.pair()
    const room = await ben.rooms.create('the garden')
    await ben.rooms.invite(room.number, ann.name)
    const { act } = doing(ann)
    expect(await act({ name: 'who' })).toMatchObject({ people: [{ name: ben.name, contact: true }] })
    expect(await act({ name: 'contacts' })).toMatchObject({ contacts: [{ name: ben.name, state: 'accepted', here: true }] })
    expect(await act({ name: 'rooms' })).toMatchObject({ rooms: [{ title: 'the garden', state: 'invited' }] })
    expect(await act({ name: 'talk', who: `#${room.number}` })).toMatchObject({ event: 'begun', room: 'the garden' })
    expect(await act({ name: 'help' })).toEqual({ event: 'help' })
  })

  test('removes a contact, with whom one does not talk any more', async () => {
    const [ann, ben] = await people.pair()
    const { act, talk } = doing(ann)
    await act({ name: 'talk', who: ben.name })
    await act({ name: 'remove', who: ben.name })
    expect([talk.focus.name, await act({ name: 'contacts' })]).toMatchObject(['nobody', { contacts: [] }])
    expect((await rejected(act({ name: 'remove', who: 'nobody-else' }))).code).toBe('not_found')
    await ann.request(ben.name)
    const asked = doing(ben)
    expect((await rejected(asked.act({ name: 'remove', who: ann.name }))).hint).toBe(
      '/contacts lists who is; /decline NAME turns down what they ask',
    )
  })

  test('blocks, and takes it back', async () => {
    const [ann, ben] = await people.pair()
    const { act } = doing(ann)
    expect(await act({ name: 'block', who: ben.name })).toEqual({ event: 'blocked', name: ben.name })
    expect((await ann.call('directory.blocked', {})).names).toEqual([ben.name])
    expect(await act({ name: 'unblock', who: ben.name })).toEqual({ event: 'unblocked', name: ben.name })
    expect((await ann.call('directory.blocked', {})).names).toEqual([])
    expect((await rejected(act({ name: 'exit' }))).code).toBe('usage')
  })
})

test('whoOf tells names and rooms apart', () => {
  expect([whoOf('bob'), whoOf('#12')]).toEqual(['bob', 12])
  for (const text of ['#', '#0', '#garden', '#1x']) expect(refused(() => whoOf(text)).code).toBe('usage')
})

test('pathOf knows the home', () => {
  expect([pathOf('~/a b.txt'), pathOf('a~/b')]).toEqual([join(homedir(), 'a b.txt'), 'a~/b'])
})

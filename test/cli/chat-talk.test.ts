import { beforeEach, describe, expect, test } from 'bun:test'
import type { ChatNews } from '../../src/cli/chat-news.ts'
import { Talk } from '../../src/cli/chat-talk.ts'
import type { Client } from '../../src/client/node.ts'
import { chatBodyBytesMax, type Method } from '../../src/protocol/contract/index.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { rejected } from './home-support.ts'

let news: ChatNews[]
let asked: { method: Method; params: object; resolve: (result: object) => void; reject: (reason: unknown) => void }[]
let talk: Talk

/** Answers when the test says so, and in the order that it chooses. */
const client = {
  request: (method: Method, params: object) =>
    new Promise((resolve, reject) => {
      asked.push({ method, params, resolve, reject })
    }),
} as unknown as Pick<Client, 'request'>

beforeEach(() => {
  news = []
  asked = []
  talk = new Talk(client, (one) => news.push(one))
})

async function answer(action: Promise<void>, result: object = {}): Promise<void> {
  asked.at(-1)?.resolve(result)
  await action
}

async function talkWith(name: string): Promise<void> {
  talk.hear({ event: 'chat.requested', data: { name } })
  await answer(talk.perform({ name: 'accept' }))
  talk.hear({ event: 'chat.begun', data: { name } })
  news = []
}

describe('Talk', () => {
  test('follows a request of ours that is accepted', async () => {
    await answer(talk.ask('BOB'), { name: 'Bob' })
    expect(asked.at(-1)).toMatchObject({ method: 'chat.request', params: { name: 'BOB' } })
    expect(talk.state).toEqual({ name: 'asking', peer: 'Bob' })
    talk.hear({ event: 'chat.begun', data: { name: 'Bob' } })
    expect(talk.state).toEqual({ name: 'talking', peer: 'Bob' })
    expect(news).toEqual([
      { event: 'asked', name: 'Bob' },
      { event: 'begun', name: 'Bob' },
    ])
  })

  test('is not put back by a result that is looked at after the event behind it', async () => {
    const asking = talk.ask('bob')
    talk.hear({ event: 'chat.begun', data: { name: 'bob' } })
    await answer(asking, { name: 'bob' })
    expect(talk.state).toEqual({ name: 'talking', peer: 'bob' })
    const leaving = talk.perform({ name: 'exit' })
    talk.hear({ event: 'chat.left', data: {} })
    talk.hear({ event: 'chat.requested', data: { name: 'carol' } })
    await answer(leaving)
    expect(talk.state).toEqual({ name: 'asked', peer: 'carol' })
    expect(news.map(({ event }) => event)).toEqual(['begun', 'left', 'requested'])
  })

  test('is alone again when the request is refused, declined or taken back', async () => {
    const asking = talk.ask('bob')
    asked.at(-1)?.reject(new SealwireError('not_found', 'nobody'))
    expect((await rejected(asking)).code).toBe('not_found')
    expect(talk.state.name).toBe('alone')
    for (const event of ['chat.declined', 'chat.left'] as const) {
      await answer(talk.ask('bob'), { name: 'bob' })
      talk.hear({ event, data: {} })
      expect(talk.state.name).toBe('alone')
      expect(news.splice(0).at(-1)).toEqual({ event: 'declined', name: 'bob' })
    }
    await answer(talk.ask('bob'), { name: 'bob' })
    await answer(talk.perform({ name: 'exit' }))
    expect(asked.at(-1)?.method).toBe('chat.leave')
    expect(news.at(-1)).toEqual({ event: 'exited', name: 'bob', from: 'asking' })
  })

  test('tells who asks, and that they do not any more', async () => {
    talk.hear({ event: 'chat.requested', data: { name: 'bob' } })
    talk.hear({ event: 'chat.left', data: {} })
    talk.hear({ event: 'chat.requested', data: { name: 'bob' } })
    await answer(talk.perform({ name: 'decline' }))
    expect(asked.at(-1)?.method).toBe('chat.decline')
    expect(news).toEqual([
      { event: 'requested', name: 'bob' },
      { event: 'withdrawn', name: 'bob' },
      { event: 'requested', name: 'bob' },
      { event: 'exited', name: 'bob', from: 'asked' },
    ])
  })

  test('says what is typed and tells what is heard', async () => {
    await talkWith('bob')
    await answer(talk.perform({ name: 'say', body: Buffer.from('hi') }))
    expect(asked.at(-1)).toMatchObject({ method: 'chat.say', params: { body: Buffer.from('hi') } })
    const data = { name: 'bob', type: 'text/plain', body: Buffer.from('ho') }
    talk.hear({ event: 'chat.said', data })
    expect(news).toEqual([{ event: 'said', ...data }])
  })

  test('refuses what no message can hold, without asking the server', async () => {
    await talkWith('bob')
    const before = asked.length
    expect((await rejected(talk.perform({ name: 'say', body: new Uint8Array(chatBodyBytesMax + 1) }))).code).toBe('message_too_large')
    expect(asked).toHaveLength(before)
  })

  test('has left the chat with whom it blocks, however the name is written, and no other', async () => {
    await talkWith('Bob')
    await answer(talk.perform({ name: 'block', who: 'carol' }))
    expect(talk.state.name).toBe('talking')
    await answer(talk.perform({ name: 'block', who: 'BOB' }))
    expect(talk.state.name).toBe('alone')
    await answer(talk.perform({ name: 'unblock', who: 'bob' }))
    expect(news.map(({ event }) => event)).toEqual(['blocked', 'blocked', 'exited', 'unblocked'])
  })

  test('has nothing to leave when it is alone', async () => {
    expect((await rejected(talk.perform({ name: 'exit' }))).code).toBe('not_in_chat')
    expect(asked).toEqual([])
  })

  test('says when the request is answered', async () => {
    await talk.answered()
    await answer(talk.ask('bob'), { name: 'bob' })
    let isAnswered = false
    const answered = talk.answered().then(() => (isAnswered = true))
    await Promise.resolve()
    expect(isAnswered).toBe(false)
    talk.hear({ event: 'chat.begun', data: { name: 'bob' } })
    await answered
  })
})

// Chats with direct links: the server is real, the links are doubles.

import { afterAll, describe, expect, test } from 'bun:test'
import { chatJson } from '../../../src/cli/chat/news.ts'
import type { NotedWay } from '../../../src/client/home/direct-ways.ts'
import type { InboxItem, InboxOptions, Sealwire } from '../../../src/client/index.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'
import { DirectDouble, withDirect } from './direct-double.ts'
import { Chatter, People } from './people.ts'
import { runCli } from '../cli-process.ts'

const server = await ServerProcess.start({ limits: liftedRates })
const people = new People(server)
afterAll(async () => {
  await people[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Ann, to whom what begins with `direct` comes directly, and where it has its place then. */
function linked(ann: Sealwire) {
  const direct = new DirectDouble()
  const seqs = new Map<string, number>()
  async function* inbox(options?: InboxOptions): AsyncGenerator<InboxItem> {
    for await (const item of ann.inbox(options)) {
      const isDirect = item.text?.startsWith('direct') === true
      if (isDirect) seqs.set(item.id, item.seq)
      yield Object.assign(item, isDirect ? { seq: 0, way: 'direct' } : { way: 'relayed' })
    }
  }
  const me = withDirect(ann, direct, { inbox })
  return { direct, me, seqs }
}

describe('a chat with direct links', () => {
  test('shows what comes directly once, and has read it when it has its place', async () => {
    const [ann, ben] = await people.pair()
    const { direct, me, seqs } = linked(ann)
    const chat = new Chatter(me)
    const running = chat.run(ben.name, { json: true })
    await chat.told('begun')
    const conversation = await ben.conversation(ann.name)
    await ben.send(ann.name, 'direct one')
    await chat.heard('direct one')
    const { readSeq: before } = (await ann.conversation(ben.name)).info
    for (const [id, seq] of seqs) direct.place({ id, conversation: conversation.number, seq, at: 1 })
    const { seq } = await chat.told('placed')
    expect(before).toBeLessThan(seq)
    while ((await ann.conversation(ben.name)).info.readSeq < seq);
    await conversation.edit(seq, 'direct two')
    expect(await chat.told('changed')).toMatchObject({ about: 'direct one' })
    await ben.send(ann.name, 'relayed')
    await chat.heard('relayed')
    const said = chat.news.flatMap((news) => (news.event === 'said' ? [chatJson(news)] : []))
    expect(said).toMatchObject([
      { text: 'direct one', seq: 0, way: 'direct' },
      { text: 'relayed', seq: seq + 2, way: 'relayed' },
    ])
    // What is unread is looked for in the history when one begins again.
    chat.type('/exit', `/talk ${ben.name}`)
    await chat.told('done', ({ line }) => line === 2)
    chat.over()
    await running
    expect(chat.said).toEqual(['direct one', 'relayed'])
    const later = new Chatter(await people.open(ann.name))
    later.over()
    await later.run(ben.name)
    expect(later.said).toEqual([])
  })

  test('does not show what came directly again as unread, also while it has no place', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(linked(ann).me)
    const running = chat.run(undefined)
    await ben.send(ann.name, 'direct one')
    await chat.heard('direct one')
    chat.type(`/talk ${ben.name}`)
    await chat.told('begun')
    chat.over()
    await running
    expect(chat.said).toEqual(['direct one'])
  })

  test('wishes for a link with whom it talks, tells how it talks, and answers /status at any time', async () => {
    const [ann, ben] = await people.pair()
    const direct = new DirectDouble()
    const notes: (readonly NotedWay[])[] = []
    const chat = new Chatter(withDirect(ann, direct))
    const running = chat.run(ben.name, { terminal: true, note: { write: (ways) => void notes.push(ways) } })
    await chat.told('begun')
    expect(direct.reached).toEqual([ben.name])
    direct.turn(ben.name, 'unreachable')
    await chat.told('way', ({ why }) => why === 'unreachable')
    direct.turn(ben.name, 'direct')
    await chat.told('way', ({ way }) => way === 'direct')
    chat.type('/status', `/block ${ben.name}`)
    expect(await chat.told('status')).toMatchObject({ name: ann.name, state: 'online', ways: [{ name: ben.name, way: 'direct' }] })
    expect(notes.at(-1)).toEqual([{ name: ben.name, way: 'direct' }])
    await chat.told('blocked')
    chat.type('/quit')
    await running
    expect(direct.left).toEqual([ben.name])
  })

  test('pays over a direct link without a connection, and nobody else', async () => {
    const [ann, ben] = await people.pair()
    await runCli(['admin', 'mint', ann.name, '100', '--data', server.data])
    const direct = new DirectDouble()
    // It has lost its connection, as far as it knows.
    const isLooked = (method: string): boolean => method === 'payment.find'
    const call: Sealwire['call'] = (method, ...what) => (isLooked(method) ? Promise.reject(new Error(method)) : ann.call(method, ...what))
    const chat = new Chatter(withDirect(ann, direct, { state: 'offline', call }), people.homes.path(ann.name))
    chat.answer = () => 'y'
    const running = chat.run(ben.name, { terminal: true })
    await chat.told('begun')
    chat.type('/pay 5 for lunch')
    expect(await chat.told('refused')).toMatchObject({ line: 1, code: 'unreachable' })
    direct.turn(ben.name, 'direct')
    chat.type('/pay', '/pay carol 5 for lunch')
    await chat.told('refused', ({ line }) => line === 3)
    chat.type('/pay 5 for lunch')
    expect(await chat.told('paid')).toMatchObject({ name: ben.name, amount: '5.00' })
    expect(chat.events.filter((event) => event === 'refused')).toHaveLength(3)
    chat.type('/quit')
    await running
  })

  test('without them says that they are off, and nothing else of them', async () => {
    const [ann, ben] = await people.pair()
    const chat = new Chatter(ann)
    const running = chat.run(ben.name, { json: true })
    // The first one may be unread when it begins; the other one comes.
    for (const text of ['hello', 'again']) {
      await ben.send(ann.name, text)
      await chat.heard(text)
    }
    chat.type('/status')
    expect(chatJson(await chat.told('status'))).toEqual({
      event: 'status',
      name: ann.name,
      state: 'online',
      direct: { on: false, ways: [] },
    })
    expect(JSON.stringify(chat.news.map((news) => chatJson(news)))).not.toMatch(/"(way|placed|delivered)"/)
    chat.over()
    await running
  })
})

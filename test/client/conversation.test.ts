import { describe, expect, test } from 'bun:test'
import type { ConversationInfo, Entry, Params, Result } from '../../src/protocol/contract/index.ts'
import { DeliveryServer } from './delivery-server.ts'

const info: ConversationInfo = {
  conversation: 7,
  kind: 'direct',
  name: 'bob',
  members: 2,
  state: 'accepted',
  lastSeq: 1_000,
  firstSeq: 1,
  readSeq: 0,
}

/** Pages as a server has them: 50 entries unless more are asked for. */
function pageOf({ before = info.lastSeq + 1, after, max = 50 }: Params<'message.history'>): Result<'message.history'> {
  const [from, to] = after === undefined ? [Math.max(1, before - max), before - 1] : [after + 1, Math.min(info.lastSeq, after + max)]
  const entries = Array.from({ length: to - from + 1 }, (_, index): Entry => {
    const seq = from + index
    return { conversation: 7, seq, kind: 'message', id: new Uint8Array(16).fill(seq), from: 'bob', at: seq, body: new Uint8Array(1) }
  })
  return { entries, more: after === undefined ? from > 1 : to < info.lastSeq }
}

function serverOf(): DeliveryServer {
  return new DeliveryServer({}, { 'conversation.find': () => info, 'message.history': pageOf })
}

describe('history', () => {
  test('asks for a page of the usual length, and for the longest ones when it is read on, in both directions', async () => {
    for (const [options, places] of [
      [{}, [undefined, 951, 751, 551, 351, 151].map((before) => (before === undefined ? {} : { before }))],
      [{ after: 0 }, [0, 50, 250, 450, 650, 850].map((after) => ({ after }))],
    ] as const) {
      const server = serverOf()
      await using me = server.sealwire()
      const conversation = await me.conversation(7)
      const seqs = await Array.fromAsync(conversation.history(options), ({ seq }) => seq)
      const all = Array.from({ length: info.lastSeq }, (_, index) => index + 1)
      expect(seqs).toEqual('after' in options ? all : all.toReversed())
      const asked = server.asked.filter(({ method }) => method === 'message.history').map(({ params }) => params)
      expect(asked).toEqual(places.map((place, index) => ({ conversation: 7, ...place, ...(index === 0 ? {} : { max: 200 }) })))
    }
  })

  test('asks for no more than is read', async () => {
    const server = serverOf()
    await using me = server.sealwire()
    const conversation = await me.conversation(7)
    let left = 50
    for await (const _ of conversation.history()) if (--left === 0) break
    expect(server.asked.filter(({ method }) => method === 'message.history')).toHaveLength(1)
  })
})

describe('search', () => {
  test('goes on behind the last entry of a page, wherever else something was said at that moment', async () => {
    const [last] = pageOf({ conversation: 7, before: 5, max: 1 }).entries
    const found = { entries: last === undefined ? [] : [last], more: true, upTo: 9 }
    const server = new DeliveryServer({}, { 'conversation.find': () => info, 'message.search': () => found })
    await using me = server.sealwire()
    const page = await me.search('word', { before: 5 })
    const [behind] = page.entries
    if (behind === undefined) throw new Error('nothing was found')
    await me.search('word', { behind, max: 3 })
    await (await me.conversation(7)).search('word', { behind })
    const begin = { text: 'word', before: 4, place: { conversation: 7, seq: 4 } }
    expect(server.asked.filter(({ method }) => method === 'message.search').map(({ params }) => params)).toEqual([
      { text: 'word', before: 5 },
      { ...begin, max: 3 },
      { ...begin, conversation: 7 },
    ])
  })
})

describe('edit', () => {
  test('takes words alone: what would be left out is an error', async () => {
    const server = serverOf()
    await using me = server.sealwire()
    const conversation = await me.conversation(7)
    for (const content of [{ body: 'x', mentions: ['bob'] }, { replyTo: 1 }, { file: new Uint8Array(16) }] as never[]) {
      expect(await conversation.edit(1, content).catch((reason: unknown) => reason)).toBeInstanceOf(TypeError)
    }
  })
})

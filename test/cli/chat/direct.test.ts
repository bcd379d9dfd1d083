import { describe, expect, test } from 'bun:test'
import { ChatDirect } from '../../../src/cli/chat/direct.ts'
import type { DirectNews } from '../../../src/cli/chat/direct-news.ts'
import type { NotedWay } from '../../../src/client/home/direct-ways.ts'
import type { Placed } from '../../../src/client/direct/direct.ts'
import type { UplinkState } from '../../../src/client/index.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { DirectDouble } from './direct-double.ts'

/** A chat with bob that has direct links. */
function chatting({ json = false }: { readonly json?: boolean } = {}) {
  const direct = new DirectDouble()
  const told: DirectNews[] = []
  const places: Placed[] = []
  const notes: (readonly NotedWay[])[] = []
  const me = { state: 'online' as UplinkState }
  const note = { write: (ways: readonly NotedWay[]) => void notes.push(ways) }
  const isAbout = (name: string): boolean => name === 'bob'
  const placed = (place: Placed): void => void places.push(place)
  const chat = new ChatDirect({ direct, me, json, isAbout, placed, note, tell: (news) => void told.push(news) })
  const ended = new AbortController()
  const following = chat.follow(ended.signal)
  /** Everything that was told, when what was pushed before is taken. */
  const end = async (): Promise<readonly DirectNews[]> => {
    await new Promise(setImmediate)
    ended.abort()
    await following
    return told
  }
  return { chat, direct, me, told, places, notes, end }
}

const bob = (way: 'direct' | 'relayed', why?: string) => ({ event: 'way', name: 'bob', way, ...(why === undefined ? {} : { why }) })

describe('ChatDirect', () => {
  test('tells how one talks with somebody when that changes, and not that it tries', async () => {
    const { chat, direct, end } = chatting()
    chat.begun('bob')
    for (const how of ['connecting', 'not_listening', 'connecting', 'not_listening', 'connecting', 'direct', 'direct'] as const)
      direct.turn('bob', how)
    for (const how of ['lost', 'connecting', 'unreachable', 'connecting', 'unreachable', 'direct'] as const) direct.turn('bob', how)
    expect(await end()).toEqual([
      bob('relayed', 'not_listening'),
      bob('direct'),
      bob('relayed', 'lost'),
      bob('relayed', 'unreachable'),
      bob('direct'),
    ] as DirectNews[])
    expect(direct.reached).toEqual(['bob'])
  })

  test('tells that a link is made anew, so that nobody takes it for direct meanwhile', async () => {
    const { direct, end } = chatting()
    for (const how of ['direct', 'connecting', 'direct'] as const) direct.turn('bob', how)
    expect(await end()).toEqual([bob('direct'), bob('relayed', 'connecting'), bob('direct')] as DirectNews[])
  })

  test('tells it again when one begins to talk again, and at once when it is known', async () => {
    const { chat, direct, told, end } = chatting()
    direct.turn('bob', 'direct')
    chat.begun('bob')
    expect(told).toEqual([bob('direct')] as DirectNews[])
    await new Promise(setImmediate)
    chat.begun('bob')
    expect(await end()).toEqual([bob('direct'), bob('direct')] as DirectNews[])
  })

  test.each([false, true])('tells of others to programs only (json: %p)', async (json) => {
    const { direct, end } = chatting({ json })
    direct.turn('carol', 'direct')
    expect(await end()).toHaveLength(json ? 1 : 0)
  })

  test('notes with whom one talks how, without those of whom nothing is wished any more', async () => {
    const { chat, direct, notes, end } = chatting()
    direct.turn('bob', 'direct')
    direct.turn('carol', 'unreachable')
    direct.turn('dave', 'connecting')
    direct.turn('bob', 'off')
    await end()
    const [carol, dave] = [
      { name: 'carol', way: 'relayed', why: 'unreachable' },
      { name: 'dave', way: 'relayed', why: 'connecting' },
    ] as const
    expect(notes.at(-1)).toEqual([carol, dave])
    expect(chat.ways).toEqual([carol, dave])
  })

  test('notes no more than there is room for', async () => {
    const { chat, direct, end } = chatting()
    const max = limitTable.directWaysMax.value
    for (let count = 0; count <= max; count++) {
      direct.turn(`n${count}`, 'direct')
      await new Promise(setImmediate)
    }
    await end()
    expect([chat.ways.length, chat.ways[0]?.name, chat.ways.at(-1)?.name]).toEqual([max, 'n1', `n${max}`])
  })

  test('says once that a message of ours has arrived and waits for the server, only while that is away', async () => {
    const { direct, me, end, told } = chatting()
    direct.deliver({ id: 'a', name: 'bob', device: '1' })
    await new Promise(setImmediate)
    me.state = 'offline'
    for (const [id, device] of ['b1', 'b2', 'c1', 'a2']) direct.deliver({ id: id ?? '', name: 'bob', device: device ?? '' })
    await end()
    expect(told.map((news) => news.event === 'delivered' && [news.id, news.device, news.isWaiting])).toEqual([
      ['a', '1', false],
      ['b', '1', true],
      ['b', '2', false],
      ['c', '1', true],
      ['a', '2', false],
    ])
  })

  test('knows as many messages as there is room for, the newest', async () => {
    const { direct, me, told, end } = chatting()
    me.state = 'offline'
    /** Whether it is the first time, as far as is known. */
    const isNew = async (each: number): Promise<unknown> => {
      direct.deliver({ id: `m${each}`, name: 'bob', device: '1' })
      await new Promise(setImmediate)
      return told.flatMap((news) => (news.event === 'delivered' ? [news.isWaiting] : [])).at(-1)
    }
    const max = limitTable.chatDirectMax.value
    for (let each = 0; each < max; each++) await isNew(each)
    expect([await isNew(1), await isNew(max), await isNew(1), await isNew(0)]).toEqual([false, true, false, true])
    await end()
  })

  test('hands on the place of what came directly', async () => {
    const { direct, places, end } = chatting()
    const place = { id: 'a', conversation: 7, seq: 3, at: 5 }
    direct.place(place)
    expect(await end()).toEqual([{ event: 'placed', ...place }])
    expect(places).toEqual([place])
  })

  test('goes on when nothing can be noted', async () => {
    const { direct, notes, end } = chatting()
    notes.push = () => {
      throw new SealwireError('storage_full', 'no')
    }
    direct.turn('bob', 'direct')
    expect(await end()).toHaveLength(1)
  })
})

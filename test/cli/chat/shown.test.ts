import { describe, expect, test } from 'bun:test'
import { Places, Shown } from '../../../src/cli/chat/shown.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { entry } from './entries.ts'

describe('Shown', () => {
  test('has what was shown, and what was read before', () => {
    const shown = new Shown()
    shown.add(entry({ seq: 12 }))
    expect([11, 12, 13].map((seq) => shown.has(entry({ seq })))).toEqual([false, true, false])
    shown.begin(7, 8)
    expect([8, 12, 13].map((seq) => shown.has(entry({ seq })))).toEqual([true, true, false])
    expect(shown.has(entry({ conversation: 8, seq: 1 }))).toBe(false)
  })

  test('knows by its id what was shown before the server was set back, and nothing by its place', () => {
    const shown = new Shown()
    shown.begin(7, 11)
    shown.add(entry({ seq: 12, id: 'a', text: 'one' }))
    shown.setBack()
    expect(shown.has(entry({ seq: 12, id: 'b' }))).toBe(false)
    expect(shown.has(entry({ seq: 3, id: 'a' }))).toBe(true)
    expect(shown.has(entry({ seq: 3, id: 'a', from: 'carol' }))).toBe(false)
    expect(shown.words(7, 12)).toBeUndefined()
    shown.add(entry({ seq: 12, id: 'b' }))
    expect(shown.has(entry({ seq: 12, id: 'c' }))).toBe(true)
  })

  test('knows a file without words by its name', () => {
    const shown = new Shown()
    const file = { id: new Uint8Array(16), name: 'plan.pdf', type: 'application/pdf', size: 3, sha256: new Uint8Array(32) }
    shown.add(entry({ seq: 1, text: '', file }))
    shown.add(entry({ seq: 2, text: 'the plan', file }))
    expect([1, 2].map((seq) => shown.words(7, seq))).toEqual(['plan.pdf', 'the plan'])
  })

  test('knows what messages say, as far as there is room', () => {
    const shown = new Shown()
    shown.add(entry({ seq: 1, text: 'one' }))
    shown.add(entry({ seq: 2, kind: 'edit', text: 'no message' }))
    expect([shown.words(7, 1), shown.words(7, 2), shown.words(7, undefined)]).toEqual(['one', undefined, undefined])
    shown.say(7, 1, 'changed')
    expect(shown.words(7, 1)).toBe('changed')
    for (let seq = 3; seq < 3 + limitTable.chatWordsMax.value; seq++) shown.say(7, seq, 'more')
    expect(shown.words(7, 1)).toBeUndefined()
  })
})

test('as many conversations are known as there is room for, the newest', async () => {
  const max = limitTable.chatConversationsMax.value
  const shown = new Shown()
  const looked: number[] = []
  const places = new Places(async (conversation) => {
    looked.push(conversation)
    return { conversation, peer: 'bob' }
  })
  const known = async (...conversations: number[]): Promise<unknown> => {
    for (const conversation of conversations) await places.find(conversation)
    return [conversations.map((conversation) => shown.has(entry({ conversation, seq: 1 }))), looked.splice(0)]
  }
  for (let conversation = 1; conversation <= max; conversation++) {
    shown.add(entry({ conversation, seq: 1 }))
    await places.find(conversation)
  }
  looked.length = 0
  expect(await known(1, max)).toEqual([[true, true], []])
  shown.add(entry({ conversation: max + 1, seq: 1 }))
  await places.find(max + 1)
  looked.length = 0
  expect(await known(2, max + 1, 1)).toEqual([[true, true, false], [1]])
})

test('Places looks for what is not known, once', async () => {
  let looks = 0
  const places = new Places(async (conversation) => {
    looks++
    return { conversation, peer: 'bob' }
  })
  for (const _ of [1, 2]) expect(await places.find(7)).toEqual({ conversation: 7, peer: 'bob' })
  places.add({ conversation: 7, room: 'garden' })
  expect([await places.find(7), looks]).toEqual([{ conversation: 7, room: 'garden' }, 1])
})

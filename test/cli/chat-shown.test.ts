import { describe, expect, test } from 'bun:test'
import { Places, Shown } from '../../src/cli/chat-shown.ts'
import { limitTable } from '../../src/protocol/limits.ts'
import { entry } from './chat-entries.ts'

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

import { describe, expect, test } from 'bun:test'
import { ShownDirectly } from '../../../src/cli/chat/direct-shown.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { entry } from './entries.ts'

function shown() {
  const said: unknown[] = []
  const read: unknown[] = []
  const reader = { read: async () => undefined }
  const directly = new ShownDirectly({ say: (...what) => said.push(what), read: (_, seq) => read.push(seq) })
  return { directly, said, read, reader }
}

const one = entry({ seq: 0, id: 'a', text: 'one' })
const placed = { id: 'a', conversation: 7, seq: 12, at: 5 }

describe('ShownDirectly', () => {
  test('knows what was shown, and reads it when it has its place', () => {
    const { directly, said, read, reader } = shown()
    expect(directly.has(one)).toBe(false)
    directly.add(one)
    directly.read(one, reader)
    expect([directly.has(one), said, read]).toEqual([true, [], []])
    directly.placed(placed)
    expect([directly.has(one), said, read]).toEqual([true, [[7, 12, 'one']], [12]])
  })

  test('reads at once what had its place before it was shown', () => {
    const { directly, said, read, reader } = shown()
    directly.placed(placed)
    expect(directly.has(one)).toBe(false)
    directly.add(one)
    directly.read(one, reader)
    expect([said.at(-1), read]).toEqual([[7, 12, 'one'], [12]])
  })

  test('reads nothing that was shown while one talked elsewhere', () => {
    const { directly, read } = shown()
    directly.add(one)
    directly.placed(placed)
    expect(read).toEqual([])
  })

  test('remembers as much as there is room for', () => {
    const { directly } = shown()
    directly.add(one)
    for (let count = 0; count < limitTable.chatDirectMax.value; count++) directly.add(entry({ seq: 0, id: `id ${count}` }))
    expect([directly.has(one), directly.has(entry({ id: 'id 0' }))]).toEqual([false, true])
  })
})

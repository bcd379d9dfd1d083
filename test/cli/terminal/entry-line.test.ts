import { describe, expect, test } from 'bun:test'
import { entryJson, entryLine } from '../../../src/cli/terminal/entry-line.ts'
import type { Entry } from '../../../src/protocol/contract/index.ts'

const room = { room: '[garden] ' }
const garden = { id: new Uint8Array([1, 2]), name: 'garden.jpg', size: 5, sha256: new Uint8Array(32) }

describe('entryLine', () => {
  test('of what is gone says nothing that nobody knows any more', () => {
    const cases: readonly (readonly [Partial<Entry>, string])[] = [
      [{ kind: 'message' }, 'a message of bob, deleted'],
      [{ kind: 'edit', target: 42 }, 'bob changes message 42, deleted since'],
      [{ kind: 'delete', target: 42 }, 'bob deletes message 42'],
      [{ kind: 'reaction', target: 42 }, 'a reaction of bob to message 42, gone since'],
      [{ kind: 'pin', target: 42 }, 'something of bob about pinning message 42, gone since'],
      [{ kind: 'contact' }, 'something of bob about a request to talk, gone since'],
      [{ kind: 'member' }, 'something of bob about the room, gone since'],
      [{ kind: 'room' }, 'something of bob about the room, gone since'],
      [{ kind: 'room', seq: 1 }, 'something of bob about the room, gone since'],
    ]
    for (const [more, line] of cases) expect(lineOf({ ...more, deleted: true })).toBe(`[garden] ${line}\n`)
    expect(lineOf({ kind: 'member', deleted: true, from: 'bo\u001bb' })).toContain(' of bo\\u001bb ')
  })

  test('says of a room what has changed', () => {
    const cases: readonly (readonly [Partial<Entry>, string])[] = [
      [{ seq: 1, title: 'roses', topic: '', announcement: false }, 'bob sets up the room: "roses"'],
      [{ seq: 1, title: 'roses', topic: 'red', announcement: true }, 'bob sets up the room: "roses", "red"'],
      [{ topic: 'red "ones"\u001b' }, 'bob sets the topic: "red \\"ones\\"\\u001b"'],
      [{ topic: '' }, 'bob takes the topic away'],
      [{ title: 'tulips' }, 'bob calls the room "tulips"'],
      [{ title: 'tulips', topic: 'white' }, 'bob calls the room "tulips", sets the topic: "white"'],
      [{ announcement: true }, 'bob lets only owner and moderators speak'],
      [{ announcement: false }, 'bob lets everybody speak'],
      [{}, 'bob changes what new members see of what was before'],
    ]
    for (const [more, line] of cases) expect(lineOf({ kind: 'room', ...more })).toBe(`[garden] ${line}\n`)
  })

  test('says what else is done', () => {
    const cases: readonly (readonly [Partial<Entry>, string])[] = [
      [{ kind: 'edit', target: 42, body: Buffer.from('a\nb') }, 'bob changes message 42 to: a\n  b'],
      [{ kind: 'edit', target: 42 }, 'bob changes message 42'],
      [{ kind: 'edit', target: 42, body: Buffer.from('x'), type: 'image/png' }, 'bob changes message 42 to: image/png'],
      [{ kind: 'reaction', target: 42, emoji: '👍', on: true }, 'bob reacts to message 42 with 👍'],
      [{ kind: 'reaction', target: 42, emoji: '👍', on: false }, 'bob takes back a reaction to message 42'],
      [{ kind: 'pin', target: 42, on: true }, 'bob pins message 42'],
      [{ kind: 'pin', target: 42, on: false }, 'bob unpins message 42'],
      [{ file: garden }, 'bob sends a file: garden.jpg (5 bytes, id 0102)'],
      [
        { file: garden, body: Buffer.from('the roses\nand more') },
        'bob sends a file: garden.jpg (5 bytes, id 0102): the roses\n  and more',
      ],
      [{ kind: 'member', what: 'joined' }, 'bob joins'],
      [{ kind: 'member', what: 'left' }, 'bob leaves'],
      [{ kind: 'member', what: 'role', about: 'carol', role: 'moderator' }, 'bob makes carol moderator'],
    ]
    for (const [more, line] of cases) expect(lineOf(more)).toBe(`[garden] ${line}\n`)
  })
})

test('entryJson has what was changed, and of what is gone that it is', () => {
  expect(JSON.parse(entryJson(entry({ kind: 'room', announcement: false }), 5))).toMatchObject({ announcement: false, position: 5 })
  expect(JSON.parse(entryJson(entry({ kind: 'member', deleted: true })))).toEqual({
    ...{ id: '00000000-0000-0000-0000-000000000000', conversation: 7, from: 'bob', sentAt: '1970-01-01T00:00:00.000Z', seq: 3 },
    ...{ kind: 'member', deleted: true },
  })
})

function lineOf(more: Partial<Entry>): string {
  return entryLine(entry(more), room).slice('1970-01-01 00:00 '.length)
}

function entry(more: Partial<Entry>): Entry {
  return { conversation: 7, seq: 3, kind: 'message', id: new Uint8Array(16), from: 'bob', at: 0, ...more }
}

import { expect, test } from 'bun:test'
import { entryLine } from '../../../src/cli/terminal/entry-line.ts'
import { type EntryPlace, EntryRooms } from '../../../src/cli/terminal/entry-room.ts'
import type { Entry } from '../../../src/protocol/contract/index.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'
import { limitTable } from '../../../src/protocol/limits.ts'
import { rejected } from '../home-support.ts'

test('of a conversation the server is asked once; what is said between two is in no room', async () => {
  const { rooms, asked } = server()
  const places = []
  for (const conversation of [1, 2, 2, 3, 1, 3]) places.push(await rooms.placeOf(entry({ conversation })))
  const [none, room, left] = [{ room: '' }, { room: '[a) (b\\u001b] ' }, { room: '#3 ' }]
  expect(places).toEqual([none, room, room, left, none, left])
  expect(asked).toEqual([1, 2, 3])
})

test('as many conversations as there is room for are known; of one more the oldest is asked for again', async () => {
  const { rooms, asked } = server()
  const max = limitTable.inboxPlacesMax.value
  const ask = async (...conversations: number[]): Promise<number> => {
    for (const conversation of conversations) await rooms.placeOf(entry({ conversation }))
    return asked.splice(0).length
  }
  const all = Array.from({ length: max }, (_, at) => at + 1)
  expect([await ask(...all), await ask(...all)]).toEqual([max, 0])
  expect([await ask(max + 1), await ask(max), await ask(max + 1), await ask(1)]).toEqual([1, 0, 0, 1])
})

test('of what one has said oneself to somebody alone it is known to whom', async () => {
  const { rooms, asked } = server()
  for (const _ of [1, 2]) expect(await rooms.placeOf(entry({ conversation: 1, from: 'bob' }))).toEqual({ room: '', to: 'alice' })
  expect(await rooms.placeOf(entry({ conversation: 2, from: 'bob' }))).toEqual({ room: '[a) (b\\u001b] ' })
  expect(asked).toEqual([1, 2])
})

test('a line says where and to whom', () => {
  const line = (more: Partial<Entry>, place: EntryPlace) =>
    entryLine(entry({ body: Buffer.from('hi'), type: 'text/plain', ...more }), place)
  expect(line({}, { room: '' })).toBe('1970-01-01 00:00 alice: hi\n')
  expect(line({}, { room: '', to: 'bo\u001bb' })).toBe('1970-01-01 00:00 alice to bo\\u001bb: hi\n')
  expect(line({}, { room: '[a] ' })).toBe('1970-01-01 00:00 [a] alice: hi\n')
})

test('what an entry says of its conversation itself is not asked for', async () => {
  const { rooms, asked } = server()
  expect(await rooms.placeOf(entry({ conversation: 1, kind: 'contact', what: 'requested' }))).toEqual({ room: '' })
  expect(await rooms.placeOf(entry({ conversation: 2, kind: 'room', title: 'new' }))).toEqual({ room: '[new] ' })
  expect(await rooms.placeOf(entry({ conversation: 2 }))).toEqual({ room: '[new] ' })
  expect(asked).toEqual([])
})

test('who is invited to a room again asks again, and nobody for the invitation of somebody else', async () => {
  const { rooms, asked, titles } = server()
  expect(await rooms.placeOf(entry({ conversation: 3 }))).toEqual({ room: '#3 ' })
  titles.set(3, 'back')
  expect(await rooms.placeOf(entry({ conversation: 3, kind: 'member', what: 'invited', about: 'carol' }))).toEqual({ room: '#3 ' })
  expect(await rooms.placeOf(entry({ conversation: 3, kind: 'member', what: 'invited', about: 'bob' }))).toEqual({ room: '[back] ' })
  expect(asked).toEqual([3, 3])
})

test('a lost connection is no answer', async () => {
  const rooms = new EntryRooms(() => Promise.reject(new SealwireError('connection_lost', 'it is over')), 'bob')
  expect(await rejected(rooms.placeOf(entry({})))).toMatchObject({ code: 'connection_lost' })
})

/** What a server says to bob, who is in room 2 and not in room 3, and talks with alice in 1. */
function server() {
  const asked: number[] = []
  const titles = new Map([[2, 'a] [b\u001b']])
  const rooms = new EntryRooms(async (conversation) => {
    asked.push(conversation)
    if (conversation === 1) return { kind: 'direct', name: 'alice' }
    const title = titles.get(conversation)
    if (title === undefined) throw new SealwireError('not_found', 'there is no such conversation')
    return { kind: 'room', title }
  }, 'bob')
  return { rooms, asked, titles }
}

function entry(more: Partial<Entry>): Entry {
  return { conversation: 1, seq: 1, kind: 'message', id: new Uint8Array(16), from: 'alice', at: 0, ...more }
}

import { expect, test } from 'bun:test'
import { Lane } from '../../../src/client/outbox/lane.ts'

interface Message {
  readonly text: string
  isKept: boolean
}

const messages = (...texts: readonly string[]): Message[] => texts.map((text) => ({ text, isKept: false }))

function laneOf(all: readonly Message[]): Lane<Message> {
  const lane = new Lane<Message>()
  for (const each of all) lane.add(each)
  return lane
}

function begun(lane: Lane<Message>): readonly string[] {
  const texts: string[] = []
  for (let next = lane.begin(); next !== undefined; next = lane.begin()) texts.push(next.text)
  return texts
}

test('the turn of each begins once, when it is kept and everything before it has begun or is gone', () => {
  const all = messages('a', 'b', 'c', 'd')
  const lane = laneOf(all)
  const keep = (at: number): void => void Object.assign(all[at] ?? {}, { isKept: true })
  keep(1)
  expect(begun(lane)).toEqual([])
  keep(0)
  expect(begun(lane)).toEqual(['a', 'b'])
  keep(3)
  expect(begun(lane)).toEqual([])
  for (const gone of all.slice(1, 3)) lane.remove(gone)
  expect([begun(lane), begun(lane), lane.first?.text]).toEqual([['d'], [], 'a'])
})

test('what is not in it cannot be removed', () => {
  const [own, other] = [messages('a'), messages('b')]
  const lane = laneOf(own)
  for (const each of other) lane.remove(each)
  expect(lane.first?.text).toBe('a')
})

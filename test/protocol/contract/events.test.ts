import { describe, expect, test } from 'bun:test'
import { events, isEvent, isMethod } from '../../../src/protocol/contract/index.ts'

describe('events', () => {
  test('are named family.what and say what happened', () => {
    for (const [name, { what }] of Object.entries(events)) {
      expect(name).toMatch(/^[a-z]+\.[a-z]+$/)
      expect(what).toMatch(/^[A-Z].*\.$/)
      expect(isEvent(name)).toBe(true)
    }
  })

  test('are no methods, but for typing, which is asked for and told by one name', () => {
    expect(Object.keys(events).filter(isMethod)).toEqual(['presence.typing'])
  })

  test('are known by their own names only', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'message.send']) expect(isEvent(name)).toBe(false)
  })
})

import { describe, expect, test } from 'bun:test'
import { events, isEvent, isMethod } from '../../../src/protocol/contract/index.ts'

describe('events', () => {
  test('are named family.participle, say what happened, and are no methods', () => {
    for (const [name, { what }] of Object.entries(events)) {
      expect(name).toMatch(/^chat\.[a-z]+$/)
      expect(what).toMatch(/^[A-Z].*\.$/)
      expect(isEvent(name)).toBe(true)
      expect(isMethod(name)).toBe(false)
    }
  })

  test('are known by their own names only', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'chat.say']) expect(isEvent(name)).toBe(false)
  })
})

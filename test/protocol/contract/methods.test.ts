import { describe, expect, test } from 'bun:test'
import { isMethod, knownMethod, methods } from '../../../src/protocol/contract/index.ts'
import { refusalOf } from '../../support/refusal.ts'

const ofPrototypes = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

describe('methods', () => {
  test('are named family.verb and say what they do', () => {
    for (const [name, { what, when }] of Object.entries(methods)) {
      expect(name).toMatch(/^[a-z]+\.[a-z]+[A-Za-z]*$/)
      expect(what).toMatch(/^[A-Z].*\.$/)
      expect(['before login', 'after login', 'any time']).toContain(when)
    }
  })

  test('are known by their own names only', () => {
    for (const name of Object.keys(methods)) expect(knownMethod(name) as string).toBe(name)
    for (const name of [...ofPrototypes, '', 'session.hello', 'inbox.entry']) {
      expect(isMethod(name)).toBe(false)
      expect(refusalOf(() => knownMethod(name))).toBe('unknown_method')
    }
  })
})

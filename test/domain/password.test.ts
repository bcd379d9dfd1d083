import { describe, expect, test } from 'bun:test'
import { parsePassword } from '../../src/domain/index.ts'
import { refusalOf } from '../support/refusal.ts'

const limits = { passwordCharactersMin: 12, passwordCharactersMax: 128 }
const parse = (text: string): string => parsePassword(text, limits)

describe('parsePassword', () => {
  test('accepts 12 to 128 characters and no others', () => {
    expect(refusalOf(() => parse('a'.repeat(11)))).toBe('password_invalid')
    expect(parse('a'.repeat(12))).toBe('a'.repeat(12))
    expect(parse('a'.repeat(128))).toBe('a'.repeat(128))
    expect(refusalOf(() => parse('a'.repeat(129)))).toBe('password_invalid')
  })

  test('counts characters of the composed form, not units', () => {
    expect(refusalOf(() => parse('😀'.repeat(11)))).toBe('password_invalid')
    expect(parse('😀'.repeat(128))).toBe('😀'.repeat(128))
    expect(parse('e\u0301'.repeat(128))).toBe('é'.repeat(128))
    expect(refusalOf(() => parse('e\u0301'.repeat(11)))).toBe('password_invalid')
  })

  test('makes one of the ways in which keyboards compose', () => {
    expect(parse('correct horse bättery')).toBe(parse('correct horse ba\u0308ttery'))
    expect(parse('full width ａ')).not.toBe(parse('full width a'))
  })

  test('forbids no whole character and refuses half a one', () => {
    expect(parse(' colon: \0\n spaces ')).toBe(' colon: \0\n spaces ')
    expect(refusalOf(() => parse(`${'a'.repeat(20)}\ud800`))).toBe('password_invalid')
  })

  test('refuses a megabyte in less than 5 ms', () => {
    for (const megabyte of ['a'.repeat(1_000_000), 'e\u0301\u0323'.repeat(333_333)]) {
      // The best of several: another program may hold the processor at any moment.
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now()
        expect(refusalOf(() => parse(megabyte))).toBe('password_invalid')
        return performance.now() - start
      })
      expect(Math.min(...times)).toBeLessThan(5)
    }
  })

  test('shows no password in its refusals', () => {
    expect(() => parse('secret')).toThrow('[password_invalid] a password has 12 to 128 characters')
  })
})

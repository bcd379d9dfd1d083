import { expect, test } from 'bun:test'
import { cut, plainLines, shortened } from '../../../src/cli/chat/text.ts'

test('shortened is the first line, as far as it is not too long', () => {
  expect([shortened('hello\n'), shortened('one\ntwo'), shortened('😀'.repeat(41))]).toEqual(['hello', 'one…', `${'😀'.repeat(39)}…`])
  expect(cut('a😀b', 2)).toBe('a😀')
})

test('plainLines sets further lines of a speaker behind a bar, and no others', () => {
  expect(plainLines({ speaker: 'bob', lines: ['one', 'two'] }, (head) => `<${head}>`)).toEqual(['<bob:> one', '  | two'])
  expect(plainLines({ lines: ['one', 'two'] })).toEqual(['one', 'two'])
})

import { expect, test } from 'bun:test'
import { cut, placeLabel, plainLines, shortened } from '../../src/cli/chat-text.ts'

test('shortened is the first line, as far as it is not too long', () => {
  expect([shortened('hello\n'), shortened('one\ntwo'), shortened('😀'.repeat(41))]).toEqual(['hello', 'one…', `${'😀'.repeat(39)}…`])
  expect(cut('a😀b', 2)).toBe('a😀')
})

test('placeLabel is a name, or a title in square brackets that has none', () => {
  expect([placeLabel({ conversation: 7 }), placeLabel({ conversation: 7, peer: 'bob' })]).toEqual(['#7', 'bob'])
  expect(placeLabel({ conversation: 7, room: 'a] [b\u001b' })).toBe('[a) (b\\u001b]')
})

test('plainLines sets further lines of a speaker behind a bar, and no others', () => {
  expect(plainLines({ speaker: 'bob', lines: ['one', 'two'] }, (head) => `<${head}>`)).toEqual(['<bob:> one', '  | two'])
  expect(plainLines({ lines: ['one', 'two'] })).toEqual(['one', 'two'])
})

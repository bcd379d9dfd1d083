import { expect, test } from 'bun:test'
import { jsonLine } from '../../../src/cli/terminal/json-line.ts'

test('a line of JSON holds no control character and says the same', () => {
  const value = { text: 'a\n\u001b[31m\u009b\u202e\u2028"\\' }
  const line = jsonLine(value)
  expect(line).toMatch(/^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*\n$/u)
  expect(JSON.parse(line)).toEqual(value)
})

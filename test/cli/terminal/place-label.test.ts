import { expect, test } from 'bun:test'
import { placeLabel } from '../../../src/cli/terminal/place-label.ts'

test('placeLabel is a name, or a title in square brackets that has none', () => {
  expect([placeLabel({ conversation: 7 }), placeLabel({ conversation: 7, peer: 'bob' })]).toEqual(['#7', 'bob'])
  expect(placeLabel({ conversation: 7, room: 'a] [b\u001b' })).toBe('[a) (b\\u001b]')
})

import { expect, test } from 'bun:test'
import { counted } from '../../../src/cli/terminal/counted.ts'

test('one is one, and none and two are several', () => {
  expect([0, 1, 2].map((count) => counted(count, 'file'))).toEqual(['0 files', '1 file', '2 files'])
  expect([0, 1, 2].map((count) => counted(count, 'entry', 'entries'))).toEqual(['0 entries', '1 entry', '2 entries'])
})

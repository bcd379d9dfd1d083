import { expect, test } from 'bun:test'
import { systemRandomness } from '../../src/domain/index.ts'

test('systemRandomness fills what it is given, each time otherwise', () => {
  const bytes = new Uint8Array(32)
  expect(systemRandomness(bytes)).toBe(bytes)
  const before = bytes.slice()
  expect(before.some((byte) => byte !== 0)).toBe(true)
  expect(systemRandomness(bytes)).not.toEqual(before)
})

import { describe, expect, test } from 'bun:test'
import { newEntryId } from '../../../src/server/messages/entry-id.ts'

describe('newEntryId', () => {
  test('is a UUID of version 7 with its moment, and no two are the same', () => {
    const now = 1_789_000_000_123
    const [one, other] = [newEntryId(now), newEntryId(now)]
    expect(Buffer.from(one).readUIntBE(0, 6)).toBe(now)
    expect([(one[6] ?? 0) >> 4, (one[8] ?? 0) >> 6]).toEqual([7, 2])
    expect(Buffer.compare(one, other)).not.toBe(0)
  })
})

import { describe, expect, test } from 'bun:test'
import { stampUuid7 } from '../../src/domain/index.ts'

describe('stampUuid7', () => {
  test.each([
    [0x00, '0123456789ab70008000000000000000'],
    [0xff, '0123456789ab7fffbfffffffffffffff'],
  ])('writes moment, version and variant over bytes of %d, and leaves the rest', (byte, id) => {
    expect(Buffer.from(stampUuid7(new Uint8Array(16).fill(byte), 0x0123_4567_89ab)).toString('hex')).toBe(id)
  })

  test('changes a part of a longer array, and nothing beside it', () => {
    const whole = new Uint8Array(20).fill(0xff)
    stampUuid7(whole.subarray(2, 18), 0)
    expect(Buffer.from(whole).toString('hex')).toBe('ffff0000000000007fffbfffffffffffffffffff')
  })
})

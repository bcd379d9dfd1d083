import { describe, expect, test } from 'bun:test'
import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { crc32 } from '../../src/protocol/crc32.ts'

describe('crc32', () => {
  test('gives the published check value for 123456789', () => {
    const bytes = new TextEncoder().encode('123456789')
    expect(crc32(bytes, 0, bytes.length)).toBe(0xcbf43926)
  })

  test('agrees with zlib on any part of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, a, b) => {
        const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
        expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)))
      }),
      { numRuns: 2000 },
    )
  })
})

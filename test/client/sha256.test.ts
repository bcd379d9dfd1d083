import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { Sha256 } from '../../src/client/sha256.ts'

test('is the SHA-256 of node:crypto for every length around a block, in pieces of any length', () => {
  const bytes = crypto.getRandomValues(new Uint8Array(300))
  for (let length = 0; length <= bytes.length; length++) {
    const hasher = new Sha256()
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + 1 + ((at * 7 + length) % 130))
      hasher.update(bytes.subarray(at, end))
      at = end
    }
    expect(Buffer.from(hasher.digest()).toString('hex')).toBe(createHash('sha256').update(bytes.subarray(0, length)).digest('hex'))
  }
})

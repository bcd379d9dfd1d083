import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { contradictionIn } from '../../src/pki/index.ts'
import { checkpointText } from '../../src/pki/history.ts'
import type { CheckpointClaim } from '../../src/pki/index.ts'

const server = new Uint8Array(16)
const claim = (size: number, at: number, root = size): CheckpointClaim => ({
  server,
  size: BigInt(size),
  root: new Uint8Array(32).fill(root),
  at: BigInt(at),
})

/** Checkpoints as an honest server signs them, in any order, some of them twice. */
const honest = fc
  .array(fc.record({ postings: fc.nat(5), ms: fc.nat(5), again: fc.boolean() }), { maxLength: 30 })
  .map((steps) => {
    let [size, at] = [0, 0]
    return steps.flatMap(({ postings, ms, again }) => {
      size += postings
      at += ms
      return again ? [claim(size, at), claim(size, at)] : [claim(size, at)]
    })
  })
  .chain((claims) => fc.shuffledSubarray(claims))

describe('contradictionIn', () => {
  test('finds nothing in what an honest server signs', () => {
    fc.assert(fc.property(honest, (claims) => expect(contradictionIn(claims)).toBeUndefined()))
  })

  test('finds two roots of one size, wherever they are', () => {
    const check = fc.property(honest, fc.nat(), fc.nat(), (claims, which, place) => {
      const one = claims[which % Math.max(claims.length, 1)]
      fc.pre(one !== undefined)
      const other = { ...one, root: new Uint8Array(32).fill(255) }
      const pair = contradictionIn(claims.toSpliced(place % (claims.length + 1), 0, other))?.pair ?? []
      expect(pair.map(({ size }) => size)).toEqual([one.size, one.size])
      expect(pair).toContain(other)
    })
    fc.assert(check)
  })

  test('finds fewer postings at a later time', () => {
    const check = fc.property(honest, fc.nat(), (claims, place) => {
      const [last] = claims.toSorted((one, other) => Number(other.size - one.size))
      fc.pre(last !== undefined && last.size > 0n)
      const shorter = { ...claim(Number(last.size) - 1, Number(last.at) + 1), root: new Uint8Array(32).fill(Number(last.size) - 1) }
      expect(contradictionIn(claims.toSpliced(place % (claims.length + 1), 0, shorter))?.why).toContain(
        `it has signed ${checkpointText(shorter)} after `,
      )
    })
    fc.assert(check)
  })

  test('takes the same size and root at two times for one', () => {
    expect(contradictionIn([claim(3, 5), claim(3, 6), claim(4, 6)])).toBeUndefined()
  })
})

test('a time that no calendar has is told as a number', () => {
  expect(checkpointText(claim(1, 1_800_000_000_000))).toBe('1 posting (2027-01-15T08:00:00.000Z)')
  expect(checkpointText(claim(2, Number.MAX_SAFE_INTEGER))).toBe('2 postings (9007199254740991 ms)')
})

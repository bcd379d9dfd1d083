import { describe, expect, test } from 'bun:test'
import { pathLength } from '../../src/pki/basic-constraints.ts'

const raw = (hex: string) => ({ raw: Buffer.from(`30820100${hex}a003020102`, 'hex') })

describe('pathLength', () => {
  test.each([
    ['critical, CA:TRUE, pathlen:0', '0603551d130101ff040830060101ff020100', 0],
    ['critical, CA:TRUE, pathlen:3', '0603551d130101ff040830060101ff020103', 3],
    ['not critical, pathlen:300', '0603551d13040930070101ff0202012c', 300],
    ['longer than any chain', '0603551d13040e300c0101ff020701000000000000', Infinity],
    ['CA:TRUE alone', '0603551d130101ff040530030101ff', undefined],
    ['CA:FALSE', '0603551d1304023000', undefined],
    ['the same bytes in another place before it', '0603551d1300aa0603551d130101ff040830060101ff020102', 2],
    ['no such extension', '0603551d0e', undefined],
  ])('%s', (_, hex, expected) => {
    expect(pathLength(raw(hex))).toBe(expected)
  })
})

import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type CborValue, cborDepthMax, decodeCbor, encodeCbor } from '../../../src/protocol/contract/index.ts'
import { refusalOf } from '../../support/refusal.ts'

const integers = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const nested = (depth: number): CborValue => (depth === 0 ? 0 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) })
const read = (text: string): unknown => decodeCbor(Buffer.from(text, 'hex'))

describe('decodeCbor', () => {
  test('gives back what was encoded', () => {
    const leaf = fc.oneof(
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }).filter((value) => value > 2n ** 53n || value < -(2n ** 53n)),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
    )
    const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', maxDepth: cborDepthMax - 1 },
        leaf,
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, (each) => {
        const bytes = encodeCbor(each)
        const decoded = decodeCbor(bytes)
        expect(decoded).toEqual(each)
        expect(hex(encodeCbor(decoded as CborValue))).toBe(hex(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  test('keeps integers exact on both sides of every length and of 2^53', () => {
    for (const value of integers) {
      expect(decodeCbor(encodeCbor(value))).toBe(value)
      expect(decodeCbor(encodeCbor(-value - (value === Number.MAX_SAFE_INTEGER ? 0 : 1)))).toBe(
        -value - (value === Number.MAX_SAFE_INTEGER ? 0 : 1),
      )
    }
    expect(read('1b0020000000000000')).toBe(2n ** 53n)
    expect(read('1bffffffffffffffff')).toBe(2n ** 64n - 1n)
    expect(read('3bffffffffffffffff')).toBe(-(2n ** 64n))
  })

  test('refuses every floating-point number, a whole one too, wherever it stands', () => {
    for (const float of ['f90000', 'f93c00', 'f98000', 'f97e00', 'f97c00', 'fa3f800000', 'fb3ff0000000000000', 'fb7ff8000000000001']) {
      for (const text of [float, `81${float}`, `a16161${float}`]) expect(refusalOf(() => read(text))).toBe('malformed')
    }
  })

  test('keeps a byte order mark, NUL and what is not normalised', () => {
    for (const text of ['\ufeff', '\ufeffabc', 'a\0b', 'e\u0301', '\u{10ffff}', 'x'.repeat(300), 'ä'.repeat(40), '\ufffd']) {
      expect(decodeCbor(encodeCbor(text))).toBe(text)
    }
  })

  test('refuses text that is not UTF-8, in short, long and key', () => {
    for (const broken of ['ff', '80', 'c3', 'c080', 'eda080', 'edbfbf', 'f4908080', 'efbb']) {
      const bytes = Buffer.from(broken, 'hex')
      for (const length of [bytes.length, 60, 300]) {
        const text = Buffer.concat([Buffer.alloc(length - bytes.length, 'a'), bytes])
        const head = encodeCbor('a'.repeat(length)).subarray(0, length < 24 ? 1 : length < 256 ? 2 : 3)
        expect(refusalOf(() => decodeCbor(Buffer.concat([head, text])))).toBe('malformed')
        expect(refusalOf(() => decodeCbor(Buffer.concat([Buffer.from([0xa1]), head, text, Buffer.from([1])])))).toBe('malformed')
      }
    }
  })

  test(`nests ${cborDepthMax} deep and no deeper, also beside things that are closed`, () => {
    expect(decodeCbor(encodeCbor(nested(cborDepthMax)))).toEqual(nested(cborDepthMax))
    expect(refusalOf(() => decodeCbor(encodeCbor(nested(cborDepthMax + 1))))).toBe('malformed')
    const wide = Array.from({ length: 50 }, () => [[], {}, nested(cborDepthMax - 2)])
    expect(decodeCbor(encodeCbor(wide))).toEqual(wide)
    expect(refusalOf(() => decodeCbor(encodeCbor([[], {}, nested(cborDepthMax)])))).toBe('malformed')
    expect(refusalOf(() => decodeCbor(Buffer.alloc(65_535, 0x81)))).toBe('malformed')
  })

  test('reads from a view of a larger buffer, and nothing of the result points into it', () => {
    const large = Buffer.alloc(100, 0xff)
    const bytes = encodeCbor({ body: Uint8Array.of(1, 2, 3), text: 'ä' })
    large.set(bytes, 10)
    const decoded = decodeCbor(large.subarray(10, 10 + bytes.length))
    large.fill(0)
    expect(decoded).toEqual({ body: Uint8Array.of(1, 2, 3), text: 'ä' })
    expect((decoded as { body: Uint8Array }).body.constructor).toBe(Uint8Array)
  })

  test('takes __proto__ for a key like any other', () => {
    const decoded = read('a1695f5f70726f746f5f5fa1617801') as object
    expect(Object.keys(decoded)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect('x' in decoded).toBe(false)
  })
})

describe('encodeCbor', () => {
  test('writes shorter keys first and equal ones in the order of their bytes', () => {
    expect(hex(encodeCbor({ bb: 1, a: 2, c: 3, aa: 4 }))).toBe('a46161026163036261610462626201')
  })

  test('leaves out what is undefined', () => {
    expect(hex(encodeCbor({ a: undefined, b: null }))).toBe('a16162f6')
  })

  test('gives out arrays that later calls do not write into', () => {
    const first = encodeCbor({ body: new Uint8Array(100).fill(1) })
    const before = hex(first)
    for (let at = 0; at < 100; at++) encodeCbor({ body: new Uint8Array(at * 7).fill(2), name: 'x'.repeat(at) })
    expect(hex(first)).toBe(before)
  })

  test('replaces half a surrogate pair, which UTF-8 cannot say', () => {
    for (const text of ['\ud800', `${'x'.repeat(40)}\udc00`])
      expect(decodeCbor(encodeCbor(text))).toBe(text.replace(/[\ud800-\udfff]/, '\ufffd'))
  })
})

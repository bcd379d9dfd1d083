import { describe, expect, test } from 'bun:test'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { type CborValue, cborDepthMax } from '../../../src/protocol/contract/index.ts'
import { notPlain, readPlain, writePlain } from '../../../src/protocol/contract/plain-cbor.ts'
import { refusalOf } from '../../support/refusal.ts'
import { decodeCbor, encodeCbor } from '../../../src/protocol/contract/cbor.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const read = (text: string): unknown => readPlain(new Uint8Array(Buffer.from(text, 'hex')), cborDepthMax)
const strict = { strict: true, allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true } as const

/** Keys that are known, become known, have names that objects have of their own, or are too long to become known. */
const key = fc.oneof(
  fc.constantFrom('id', 'conversation', 'message.send', 'toString', 'constructor', 'é', '', 'k'.repeat(23), 'k'.repeat(24)),
  fc.constantFrom('__proto__', '10', 'i\u0064\u0301', '\ud800', 'k'.repeat(65)),
  fc.string({ maxLength: 4 }),
)

/** Also what is not plain: huge numbers, text that is not ASCII or long. */
const { value: anything } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.oneof(
      fc.constantFrom(
        null,
        true,
        false,
        '__proto__',
        'x'.repeat(64),
        'x'.repeat(65),
        ...['x'.repeat(97), `a${'x'.repeat(96)}`, 'message.send', 'conversation', 'é', 'ide'],
        ...[-1, -24, -25, -65_537, -(2 ** 53 - 1), 7n, -7n],
        2n ** 60n,
        ...[24, 256, 65_536, 2 ** 32, 2 ** 53 - 1],
      ),
      fc.nat(),
      fc.maxSafeInteger(),
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 300 }),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

describe('writePlain', () => {
  test('writes what the codec writes, or leaves it to the codec', () => {
    let plain = 0
    const check = fc.property(anything, (value) => {
      const written = writePlain(value)
      if (written === notPlain) return
      plain++
      expect(hex(written)).toBe(hex(encode(value)))
    })
    fc.assert(check, { numRuns: 3_000 })
    expect(plain).toBeGreaterThan(500)
  })

  test('puts keys in their order, but for numbers, which an object has in an order of its own', () => {
    for (const value of [
      { bb: 1, a: 2 },
      { b: 1, a: { dd: 1, c: undefined, b: 2 } },
      { b: 1, ['__proto__']: 2 },
    ]) {
      expect(hex(encodeCbor(value))).toBe(hex(encode(value, { ignoreUndefinedProperties: true })))
      expect(writePlain(value)).not.toBe(notPlain)
    }
    expect(writePlain({ a: 1, 10: 2 })).toBe(notPlain)
    expect(hex(encodeCbor({ a: 1, 10: 2 }))).toBe('a261610162313002')
  })

  test('leaves what is too long, or no plain object, to the codec', () => {
    expect(writePlain(Object.create(null))).toBe(notPlain)
    expect(writePlain([undefined] as unknown as CborValue)).toBe(notPlain)
    for (const bytes of [65_535, 73_727, 73_728, 200_000])
      expect(encodeCbor(new Uint8Array(bytes))).toHaveLength(bytes + (bytes > 65_535 ? 5 : 3))
  })

  test('leaves a map to the codec that ends behind its room, whatever is last in it', () => {
    for (let bytes = 73_680; bytes < 73_740; bytes++) {
      const value = { id: new Uint8Array(bytes), on: { conversation: {} } }
      const written = writePlain(value)
      expect(written === notPlain || Buffer.compare(written, encode(value)) === 0).toBe(true)
    }
  })

  test('gives out bytes that the next call leaves alone', () => {
    const first = writePlain({ a: 1 })
    writePlain({ b: 2 })
    expect(first === notPlain ? '' : hex(first)).toBe('a1616101')
  })
})

describe('readPlain', () => {
  test('reads what the codec reads, or leaves it to the codec', () => {
    let plain = 0
    // Changed here and there, so that most is nearly right.
    const bytes = fc.tuple(anything, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 })).map(([value, changes]) => {
      const encoded = new Uint8Array(encode(value))
      for (const [at, byte] of changes) encoded[at % encoded.length] = byte
      return encoded
    })
    const check = fc.property(bytes, (each) => {
      const value = readPlain(each, cborDepthMax)
      if (value === notPlain) return
      plain++
      expect(value).toEqual(decode(each, strict))
    })
    fc.assert(check, { numRuns: 10_000 })
    expect(plain).toBeGreaterThan(1_000)
  })

  test('leaves to the codec whatever is not there, not in its only form, or twice', () => {
    const odd = [
      '',
      '18',
      '1817',
      '1900ff',
      '1a0000ffff',
      '1b00000000ffffffff',
      '1b0020000000000000',
      '3b001fffffffffffff',
      '38',
      '6261',
      '6180',
      '4261',
      '81',
    ]
    const others = [
      '0000',
      'a1616101ff',
      'a2616101616102',
      'a10101',
      'a1',
      'a16161',
      '9f01ff',
      'c001',
      'f7',
      'f93c00',
      'a1695f5f70726f746f5f5f01',
    ]
    for (const text of [...odd, ...others]) expect(read(text)).toBe(notPlain)
  })

  test('leaves to the codec whatever ends too early, wherever that is', () => {
    const check = fc.property(anything, (value) => {
      const whole = new Uint8Array(encode(value))
      for (let end = Math.max(0, whole.length - 300); end < whole.length; end++) {
        expect(readPlain(whole.slice(0, end), cborDepthMax)).toBe(notPlain)
      }
    })
    fc.assert(check, { numRuns: 500 })
  })

  test('knows a key for no other, and none that is there twice or that an object would not keep', () => {
    const twice = ['a2', '626964', '01', '626964', '02'].join('')
    const proto = 'a1695f5f70726f746f5f5f01'
    for (let round = 0; round < 2; round++) {
      expect(read('a162696401')).toEqual({ id: 1 })
      expect(read('a162696501')).toEqual({ ie: 1 })
      expect(read(twice)).toBe(notPlain)
      expect(read('a17802696401')).toBe(notPlain)
      expect(read('a1626901')).toBe(notPlain)
      expect(read('a16269e401')).toBe(notPlain)
      writePlain({ ['__proto__']: 1 })
      expect(read(proto)).toBe(notPlain)
    }
  })

  test('takes no length for the head of a known text', () => {
    // 97 characters: the second byte of the head is that of a text of one, which is known.
    read('a1616101')
    const long = `a${'x'.repeat(96)}`
    expect(readPlain(new Uint8Array(encode(long)), cborDepthMax)).toBe(notPlain)
    expect(decodeCbor(new Uint8Array(encode([long])))).toEqual([long])
  })

  test('counts how deep things are like the codec', () => {
    for (const depth of [cborDepthMax, cborDepthMax + 1]) {
      const bytes = new Uint8Array(depth + 1).fill(0x81, 0, depth)
      expect(readPlain(bytes, cborDepthMax) === notPlain).toBe(depth > cborDepthMax)
      expect(refusalOf(() => decodeCbor(bytes))).toBe(depth > cborDepthMax ? 'malformed' : undefined)
    }
  })
})

import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { encodePhc, parsePhc } from '../../../src/server/accounts/phc.ts'

const salt = Buffer.from('0123456789abcdef')
const tag = Buffer.alloc(32, 0xfb)
const written = `$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$${'+/v7'.repeat(10)}+/s`

describe('encodePhc', () => {
  test('writes the parameters in order and the bytes in base64 without padding', () => {
    expect(encodePhc({ memoryKiB: 65_536, passes: 3, parallelism: 1, salt, tag })).toBe(written)
  })
})

describe('parsePhc', () => {
  test('reads what was encoded, for any parameters', () => {
    const settings = {
      memoryKiB: fc.integer({ min: 128, max: 1_048_576 }),
      passes: fc.integer({ min: 1, max: 16 }),
      parallelism: fc.integer({ min: 1, max: 16 }),
      salt: fc.uint8Array({ minLength: 9, maxLength: 64 }),
      tag: fc.uint8Array({ minLength: 17, maxLength: 64 }),
    }
    fc.assert(
      fc.property(fc.record(settings), (phc) => {
        const parsed = parsePhc(encodePhc(phc))
        expect(parsed).toEqual({ ...phc, salt: Buffer.from(phc.salt), tag: Buffer.from(phc.tag) })
      }),
    )
  })

  test('refuses every other spelling', () => {
    const others = [
      '',
      'password',
      ` ${written}`,
      `${written}\n`,
      `${written}$`,
      written.slice(1),
      written.replace('argon2id', 'argon2i'),
      written.replace('argon2id', 'Argon2id'),
      written.replace('v=19', 'v=16'),
      written.replace('$v=19', ''),
      written.replace('m=65536,t=3', 't=3,m=65536'),
      written.replace('m=65536', 'm=065536'),
      written.replace('m=65536', 'm=+65536'),
      written.replace('m=65536', 'm=6e4'),
      written.replace('p=1', 'p=1,keyid=x'),
      written.replace('p=1', 'p=0'),
      // Padding, the alphabet of URLs, bits beyond the last byte.
      `${written}=`,
      written.replaceAll('+/', '-_'),
      written.replace(/\+\/s$/, '+/t'),
      // Too short to be a salt or a tag.
      written.replace('MDEyMzQ1Njc4OWFiY2RlZg', 'MDEyMzQ'),
      written.replace('+/v7'.repeat(10), '+/v7'),
    ]
    for (const other of others) expect([other, parsePhc(other)]).toEqual([other, undefined])
  })

  test('refuses parameters that would hold up a server, or that Argon2 does not allow', () => {
    for (const parameters of [
      'm=1048577,t=3,p=1',
      'm=65536,t=17,p=1',
      'm=65536,t=0,p=1',
      'm=65536,t=3,p=17',
      'm=127,t=3,p=16',
      'm=7,t=3,p=1',
    ]) {
      const other = written.replace('m=65536,t=3,p=1', parameters)
      expect([other, parsePhc(other)]).toEqual([other, undefined])
    }
  })
})

import { expect, test } from 'bun:test'
import { contractVersion, encodeCbor, encodeHello, parseHello, parseWelcome } from '../../../src/protocol/contract/index.ts'
import { encodeFrame } from '../../../src/protocol/index.ts'
import { refusalOf } from '../../support/refusal.ts'

test('what a later client or server says besides is ignored', () => {
  expect(parseHello(encodeCbor({ versions: [1, 2], compression: ['none'] }))).toEqual({ versions: [1, 2] })
  const limits = { bodyBytesMax: 1, echoBytesMax: 2, messageBodyBytesMax: 3 }
  const welcome = { version: 2, time: 0, limits, features: ['unheard-of'] }
  expect(parseWelcome(encodeCbor({ ...welcome, node: 'b' }))).toEqual(welcome)
})

test('sixteen versions may be offered, in any order and more than once', () => {
  const versions = [3, 1, 1, 2, ...Array.from({ length: 12 }, () => 65_535)]
  expect(parseHello(encodeHello({ versions })).versions).toEqual(versions)
  expect(refusalOf(() => parseHello(encodeHello({ versions: [...versions, 4] })))).toBe('malformed')
})

test('the longest Hello of this version fits the frame that is allowed before login', () => {
  const versions = Array.from({ length: 16 }, () => 65_535)
  expect(encodeFrame(0x10, encodeHello({ versions, client: '\uffff'.repeat(64) })).length).toBeLessThan(512)
  expect(contractVersion).toBe(1)
})

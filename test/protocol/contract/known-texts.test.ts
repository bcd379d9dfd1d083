import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entrySchema } from '../../../src/protocol/contract/entry.ts'
import { methods } from '../../../src/protocol/contract/index.ts'
import { knownAt, knownText, learnText } from '../../../src/protocol/contract/known-texts.ts'

const encoder = new TextEncoder()
const encoded = (text: string): Uint8Array => Uint8Array.of(0x60 + text.length, ...encoder.encode(text))
const ascii = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 23 })

describe('a text', () => {
  test('is known afterwards, as text and as bytes, wherever these are', () => {
    const check = fc.property(ascii, fc.uint8Array(), fc.uint8Array(), (text, before, behind) => {
      learnText(text)
      // What is there for good has its place alone.
      if (knownText(text) === undefined) return
      expect(knownText(text)?.bytes).toEqual(encoded(text))
      expect(knownAt(new Uint8Array([...before, ...encoded(text), ...behind]), before.length)?.text).toBe(text)
    })
    fc.assert(check, { numRuns: 2_000 })
  })

  test('is known for no other', () => {
    const check = fc.property(ascii, ascii, fc.nat(22), fc.integer({ min: 1, max: 255 }), (text, other, place, change) => {
      learnText(text)
      learnText(other)
      expect(knownText(text)?.text ?? text).toBe(text)
      const bytes = encoded(text)
      const at = 1 + (place % text.length)
      bytes[at] = (bytes[at] ?? 0) ^ change
      const found = knownAt(bytes, 0)
      if (found !== undefined) expect(found.bytes).toEqual(bytes)
      expect(knownAt(encoded(text).slice(0, -1), 0)).toBeUndefined()
    })
    fc.assert(check, { numRuns: 2_000 })
  })

  test('that is empty, long or not ASCII does not become known', () => {
    for (const text of ['', 'x'.repeat(24), 'é', '\ud800', 'x'.repeat(65_536)]) {
      learnText(text)
      expect(knownText(text)).toBeUndefined()
    }
    for (const bytes of [[], [0x60], [0x60, 1], [0x61], [0x78, 0x61, 0x61], [0x41, 0x61]]) {
      expect(knownAt(Uint8Array.from(bytes), 0)).toBeUndefined()
    }
  })
})

describe('the table', () => {
  test('has a place for nearly each name and key of the contract, and keeps the names whatever comes', () => {
    const names = Object.keys(methods)
    const keys = [...Object.values(methods).flatMap(({ params }) => Object.keys(params.entries)), ...Object.keys(entrySchema.entries)]
    for (const key of keys) learnText(key)
    expect([...names, ...keys].filter((text) => knownText(text) === undefined).length).toBeLessThan(8)
    for (let number = 0; number < 20_000; number++) learnText(`k${(number * 7_919).toString(36)}`)
    const hot = ['message.send', 'payment.order', 'inbox.ack']
    expect(hot.filter((name) => knownText(name) === undefined)).toEqual([])
  })

  test('lets a key take the place of another', () => {
    // The same first, middle and last character.
    learnText('lostSeq')
    learnText('lastSeq')
    expect(knownText('lostSeq')).toBeUndefined()
    expect(knownText('lastSeq')?.text).toBe('lastSeq')
  })
})

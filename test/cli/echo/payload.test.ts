import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { payloadText } from '../../../src/cli/echo/payload.ts'

describe('payloadText', () => {
  test.each([
    ['Hello from SSL client!\n', 'Hello from SSL client!'],
    ['one\ntwo\n', 'one\\ntwo'],
    ['two ends\n\n', 'two ends\\n'],
    ['windows\r\n', 'windows\\r'],
    ['\n', ''],
    ['', ''],
    ['\u001b[2J\u0007\u0000', '\\u001b[2J\\u0007\\u0000'],
    ['Grüße, 世界 🦭', 'Grüße, 世界 🦭'],
    ['left\u202eright', 'left\\u202eright'],
  ])('shows %j as %j', (sent, shown) => {
    expect(payloadText(Buffer.from(sent), 1024)).toBe(shown)
  })

  test('shows bytes that are not UTF-8 as replacement characters', () => {
    expect(payloadText(Uint8Array.of(0x61, 0xff, 0xfe, 0x62), 1024)).toBe('a\ufffd\ufffdb')
  })

  test('shows as many bytes as are allowed, and an ellipsis for more', () => {
    expect(payloadText(Buffer.from('x'.repeat(16)), 16)).toBe('x'.repeat(16))
    expect(payloadText(Buffer.from(`${'x'.repeat(16)}\n`), 16)).toBe('x'.repeat(16))
    expect(payloadText(Buffer.from('x'.repeat(17)), 16)).toBe(`${'x'.repeat(13)}…`)
  })

  test('cuts neither a character nor an escape in two', () => {
    expect(payloadText(Buffer.from('ab\u0001\u0001\u0001'), 16)).toBe('ab\\u0001…')
    expect(payloadText(Buffer.from('世'.repeat(20)), 17)).toBe('世世世世…')
  })

  test('is one line within its bound and without a control, whatever the bytes', () => {
    const law = fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 16, max: 64 }), (bytes, bytesMax) => {
      const shown = payloadText(bytes, bytesMax)
      expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(bytesMax)
      expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
    })
    fc.assert(law)
  })
})

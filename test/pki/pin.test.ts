import { describe, expect, test } from 'bun:test'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { issueAuthorityCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { isPin, spkiPin } from '../../src/pki/pin.ts'
import { start } from './support.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('spkiPin', () => {
  test('is the unpadded base64 of the SHA-256 over the public key', async () => {
    const certificate = await issueAuthorityCertificate(privateKey, 'one', validityFrom(start, 1))
    const digest = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest()
    expect(spkiPin(certificate)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(Buffer.from(spkiPin(certificate).slice('SHA256:'.length), 'base64')).toEqual(digest)
  })

  test('is the same for another certificate of the same key, and different for another key', async () => {
    const one = await issueAuthorityCertificate(privateKey, 'one', validityFrom(start, 1))
    const two = await issueAuthorityCertificate(privateKey, 'two', validityFrom(start, 9))
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(one.raw.equals(two.raw)).toBe(false)
    expect(spkiPin(two)).toBe(spkiPin(one))
    expect(spkiPin(await issueAuthorityCertificate(other, 'one', validityFrom(start, 1)))).not.toBe(spkiPin(one))
  })
})

describe('isPin', () => {
  test('takes what spkiPin makes', async () => {
    expect(isPin(spkiPin(await issueAuthorityCertificate(privateKey, 'one', validityFrom(start, 1))))).toBe(true)
  })

  test.each([
    '',
    'A'.repeat(43),
    `sha256:${'A'.repeat(43)}`,
    `SHA256:${'A'.repeat(42)}`,
    `SHA256:${'A'.repeat(43)}=`,
    `SHA256:${'A'.repeat(42)}-`,
    // The last character has two unused bits.
    `SHA256:${'A'.repeat(42)}B`,
    `SHA256:${'A'.repeat(43)}\n`,
    ` SHA256:${'A'.repeat(43)}`,
  ])('refuses %p', (text) => {
    expect(isPin(text)).toBe(false)
  })
})

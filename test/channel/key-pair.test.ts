import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { KeyPair, keyPin } from '../../src/channel/index.ts'
import { lowOrder } from '../../tools/bad-channel-vectors.ts'
import { refusalOf } from '../support/refusal.ts'
import { fromHex, hex } from './support.ts'

describe('KeyPair', () => {
  test('agrees as RFC 7748 §6.1 says', () => {
    const alice = KeyPair.from(fromHex(aliceSecret))
    const bob = KeyPair.from(fromHex(bobSecret))
    expect(hex(alice.publicKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
    expect(hex(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    for (const secret of [alice.agree(bob.publicKey), bob.agree(alice.publicKey)]) {
      expect(hex(secret)).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
    }
  })

  for (const [at, point] of lowOrder().entries()) {
    test(`agrees on nothing with a key of low order (${at})`, () => {
      expect(refusalOf(() => KeyPair.generate().agree(point))).toBe('channel_broken')
    })
  }

  test('takes 32 bytes and keys of its curve, and nothing else', () => {
    expect(refusalOf(() => KeyPair.from(new Uint8Array(31)))).toBe('key_malformed')
    expect(refusalOf(() => KeyPair.from(new Uint8Array(33)))).toBe('key_malformed')
    const { privateKey, publicKey } = generateKeyPairSync('x25519')
    expect(refusalOf(() => KeyPair.of(publicKey))).toBe('key_malformed')
    expect(refusalOf(() => KeyPair.of(generateKeyPairSync('ed25519').privateKey))).toBe('key_malformed')
    const jwk = privateKey.export({ format: 'jwk' })
    expect(Buffer.from(KeyPair.of(privateKey).publicKey).toString('base64url')).toBe(String(jwk.x))
  })

  test('refuses a public key of another length', () => {
    for (const length of [0, 31, 33])
      expect(refusalOf(() => KeyPair.generate().agree(new Uint8Array(length).fill(9)))).toBe('channel_broken')
  })

  test('has a new key each time, and shows none of its secret half', () => {
    const pair = KeyPair.generate()
    expect(hex(pair.publicKey)).not.toBe(hex(KeyPair.generate().publicKey))
    expect(Object.keys(pair)).toEqual(['publicKey'])
  })
})

describe('keyPin', () => {
  test('is the SHA-256 of the 32 bytes, in base64 without padding', () => {
    expect(keyPin(new Uint8Array(32))).toBe('SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU')
  })
})

const aliceSecret = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'
const bobSecret = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'

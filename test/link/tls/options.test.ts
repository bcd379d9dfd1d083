import { describe, expect, test } from 'bun:test'
import { getCiphers } from 'node:tls'
import { alpnWireBytes, cipherSuites } from '../../../src/link/tls/options.ts'

describe('cipherSuites', () => {
  test('are ECDHE with an AEAD each, and known to the runtime', () => {
    const known = new Set(getCiphers().map((name) => name.toUpperCase()))
    for (const suite of cipherSuites.split(':')) {
      expect(suite).toMatch(/^ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)$/)
      expect([suite, known.has(suite)]).toEqual([suite, true])
    }
  })
})

describe('alpnWireBytes', () => {
  test('puts each name behind its length', () => {
    expect(alpnWireBytes('sealwire/1').toString('latin1')).toBe('\x0asealwire/1')
    expect(alpnWireBytes('a', 'bc').toString('latin1')).toBe('\x01a\x02bc')
  })
})

import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCertificates, parseKey, readText } from '../../../src/cli/echo/pem.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { refusal } from '../../support/refusal.ts'

const folder = mkdtempSync(join(tmpdir(), 'sealwire-pem-'))
afterAll(() => rmSync(folder, { recursive: true }))
const { identity, roots } = await testIdentity()

describe('readText', () => {
  test('reads a file', () => {
    writeFileSync(join(folder, 'text'), 'text')
    expect(readText(join(folder, 'text'), 'key_missing', 'key')).toBe('text')
  })

  test('says what is wrong with one that it cannot read, with the code it was given', () => {
    expect(refusal(() => readText('no\nfile', 'key_missing', 'key'))).toEqual(['key_missing', 'the key "no\\nfile" does not exist'])
    expect(refusal(() => readText(folder, 'certificate_invalid', 'certificate'))).toEqual([
      'certificate_invalid',
      `the certificate "${folder}" cannot be read (EISDIR)`,
    ])
  })
})

describe('parseCertificates', () => {
  test('finds every certificate of a chain, and text around them does not matter', () => {
    const text = `before\n${identity.certificateChain}after\n`
    expect(parseCertificates('a.crt', text).map(String)).toEqual(parseCertificates('a.crt', identity.certificateChain).map(String))
    expect(parseCertificates('a.crt', text)).toHaveLength(2)
    expect(parseCertificates('a.crt', roots)).toHaveLength(1)
  })

  test('refuses what has none, and one that cannot be read', () => {
    expect(refusal(() => parseCertificates('a.crt', identity.key))).toEqual(['certificate_invalid', 'there is no certificate in "a.crt"'])
    const broken = roots.replace(/\n[^-\n]{10}/, '\nAAAAAAAAAA')
    expect(refusal(() => parseCertificates('a.crt', broken))).toEqual(['certificate_invalid', 'a certificate in "a.crt" cannot be read'])
  })
})

describe('parseKey', () => {
  test('reads a key, and refuses everything else without showing it', () => {
    expect(parseKey('a.key', identity.key).type).toBe('private')
    expect(refusal(() => parseKey('a.key', 'secret text'))).toEqual(['key_malformed', 'the key "a.key" cannot be read as a private key'])
  })
})

import { afterAll, describe, expect, test } from 'bun:test'
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCose } from '../../src/pki/cose-sign1.ts'
import {
  certifyLedgerKey,
  openLedgerCertificate,
  openLedgerKey,
  parseLedgerPublicKey,
  publicPem,
  readLedgerPublicKey,
} from '../../src/pki/ledger-key.ts'
import { refusalOf } from '../support/refusal.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-ledger-key-'))
  folders.push(folder)
  return folder
}

function pinOf(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(spki).digest('base64').replace(/=+$/, '')}`
}

describe('openLedgerKey', () => {
  test('makes a key for its owner’s eyes only, once', () => {
    const folder = freshFolder()
    const first = openLedgerKey(folder)
    expect(statSync(join(folder, 'ledger.key')).mode & 0o777).toBe(0o600)
    expect(openLedgerKey(folder).publicKey).toEqual(first.publicKey)
    expect(readLedgerPublicKey(folder)).toEqual(first.publicKey)
    expect(openCose(first.sign(Uint8Array.of(1), 'purpose'), 'purpose')).toEqual({ signer: first.publicKey, payload: Uint8Array.of(1) })
  })

  test('never replaces a key that was lost, and writes its public half again', () => {
    const folder = freshFolder()
    const { publicKey } = openLedgerKey(folder)
    rmSync(join(folder, 'ledger.pub'))
    expect(openLedgerKey(folder).publicKey).toEqual(publicKey)
    rmSync(join(folder, 'ledger.key'))
    expect(refusalOf(() => openLedgerKey(folder))).toBe('key_missing')
  })

  test('refuses one that others may read, and one that is none', () => {
    const folder = freshFolder()
    openLedgerKey(folder)
    const path = join(folder, 'ledger.key')
    chmodSync(path, 0o640)
    expect(refusalOf(() => openLedgerKey(folder))).toBe('key_unsafe')
    chmodSync(path, 0o600)
    writeFileSync(path, 'nonsense')
    expect(refusalOf(() => openLedgerKey(folder))).toBe('key_malformed')
  })
})

describe('parseLedgerPublicKey', () => {
  test('takes PEM and hexadecimal digits, and no private key', () => {
    const folder = freshFolder()
    const { publicKey } = openLedgerKey(folder)
    expect(parseLedgerPublicKey(publicPem(publicKey), 'it')).toEqual(publicKey)
    expect(parseLedgerPublicKey(`${Buffer.from(publicKey).toString('hex')}\n`, 'it')).toEqual(publicKey)
    const secret = readFileSync(join(folder, 'ledger.key'), 'utf8')
    for (const text of ['', 'ab', secret]) expect(refusalOf(() => parseLedgerPublicKey(text, 'it'))).toBe('key_malformed')
  })
})

describe('openLedgerCertificate', () => {
  const { privateKey: authority } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const claim = { serverId: new Uint8Array(16).fill(5), key: new Uint8Array(32).fill(6) }

  test('tells what the authority with this pin has certified', () => {
    expect(openLedgerCertificate(certifyLedgerKey(claim, authority), pinOf(authority))).toEqual(claim)
  })

  test('refuses another authority, and every changed bit', () => {
    const pin = pinOf(authority)
    const certificate = certifyLedgerKey(claim, authority)
    const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(refusalOf(() => openLedgerCertificate(certifyLedgerKey(claim, other), pin))).toBe('untrusted')
    expect(refusalOf(() => openLedgerCertificate(Uint8Array.of(...certificate, 0), pin))).toBe('untrusted')
    for (let bit = 0; bit < certificate.length * 8; bit++) {
      const changed = certificate.with(bit >> 3, (certificate[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      expect(refusalOf(() => openLedgerCertificate(changed, pin))).toBe('untrusted')
    }
  })
})

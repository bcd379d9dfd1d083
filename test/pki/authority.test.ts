import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { openAuthority } from '../../src/pki/authority.ts'
import { type IdentityFile, IdentityFolder, identityFiles } from '../../src/pki/identity-folder.ts'
import { issueAuthorityCertificate, issueServerCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { spkiPin } from '../../src/pki/pin.ts'
import { dayMs, entries, refusal, start, temporaryFolder } from './support.ts'

describe('openAuthority', () => {
  test('makes an authority for ten years, named after its key', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const { certificate, key } = await openAuthority(folder, start)
    const hexOfPin = Buffer.from(spkiPin(certificate).slice('SHA256:'.length), 'base64').toString('hex')
    expect(certificate.subject).toBe(`CN=Sealwire CA ${hexOfPin.slice(0, 8)}`)
    expect(certificate.validToDate.getTime()).toBe(start + 3650 * dayMs)
    expect(certificate.checkPrivateKey(key)).toBe(true)
    expect(entries(root.path)).toEqual(['ca.crt', 'ca.key'])
    expect(folder.written).toEqual(['ca.key', 'ca.crt'])
  })

  test('finds the same authority again and writes nothing', async () => {
    using root = temporaryFolder()
    const made = await openAuthority(new IdentityFolder(root.path), start)
    const folder = new IdentityFolder(root.path)
    const found = await openAuthority(folder, start + 3649 * dayMs)
    expect(found.certificate.fingerprint256).toBe(made.certificate.fingerprint256)
    expect(found.key.equals(made.key)).toBe(true)
    expect(folder.written).toEqual([])
  })

  test('makes a missing certificate again, so that the pin and everything it signed stay good', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const made = await openAuthority(folder, start)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const request = { ...validityFrom(start, 1), authority: made, publicKey, commonName: 'test', hosts: [] }
    const signed = await issueServerCertificate({ ...request, hosts: [{ type: 'dns', value: 'localhost' }] })
    rmSync(folder.pathOf('ca.crt'))
    const again = await openAuthority(folder, start + dayMs)
    expect(again.certificate.fingerprint256).not.toBe(made.certificate.fingerprint256)
    expect(spkiPin(again.certificate)).toBe(spkiPin(made.certificate))
    expect(signed.checkIssued(again.certificate) && signed.verify(again.certificate.publicKey)).toBe(true)
  })

  test.each(identityFiles.slice(1))('refuses when the key is missing though %s is there', async (name: IdentityFile) => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    writeFileSync(folder.pathOf(name), '')
    const error = await refusal('key_missing', () => openAuthority(folder, start))
    expect(error.sentence).toBe(`the key ${folder.pathOf('ca.key')} is missing, though ${name} is there`)
    expect(entries(root.path)).toEqual([name])
  })

  test('refuses a certificate of another key', async () => {
    using one = temporaryFolder()
    using two = temporaryFolder()
    const folder = new IdentityFolder(one.path)
    await openAuthority(folder, start)
    folder.writeCertificates('ca.crt', [(await openAuthority(new IdentityFolder(two.path), start)).certificate])
    const error = await refusal('certificate_invalid', () => openAuthority(folder, start))
    expect(error.sentence).toBe(`the certificate ${folder.pathOf('ca.crt')} does not belong to ca.key`)
  })

  test('refuses a certificate that is no authority', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const authority = await openAuthority(folder, start)
    const request = { ...validityFrom(start, 1), authority, publicKey: authority.certificate.publicKey, commonName: 'test' }
    folder.writeCertificates('ca.crt', [await issueServerCertificate({ ...request, hosts: [{ type: 'dns', value: 'localhost' }] })])
    const error = await refusal('certificate_invalid', () => openAuthority(folder, start))
    expect(error.sentence).toEndWith('ca.crt is not a certificate authority')
  })

  test('refuses a certificate before its time and after it', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const { certificate } = await openAuthority(folder, start)
    const early = await refusal('certificate_invalid', () => openAuthority(folder, start - 300_001))
    expect(early.sentence).toEndWith('ca.crt is not valid before 2030-01-15T11:55:00.000Z')
    expect(early.hint).toBe('check the clock of this machine')
    const late = await refusal('certificate_invalid', () => openAuthority(folder, start + 3650 * dayMs + 1))
    expect(late.sentence).toEndWith(`ca.crt expired on ${certificate.validToDate.toISOString()}`)
    for (const moment of [start - 300_000, start + 3650 * dayMs]) await openAuthority(folder, moment)
  })

  test('does as its hint says when the certificate has expired', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const { certificate } = await openAuthority(folder, start)
    rmSync(folder.pathOf('ca.crt'))
    const again = await openAuthority(folder, start + 4000 * dayMs)
    expect(spkiPin(again.certificate)).toBe(spkiPin(certificate))
  })

  test('refuses a certificate whose signature was tampered with', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const { key } = await openAuthority(folder, start)
    const { raw } = await issueAuthorityCertificate(key, 'test', validityFrom(start, 1))
    // The last octets are the signature's s.
    raw.writeUInt8(raw.readUInt8(raw.length - 2) ^ 1, raw.length - 2)
    const pem = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`
    writeFileSync(folder.pathOf('ca.crt'), pem)
    await refusal('certificate_invalid', () => openAuthority(folder, start))
  })
})

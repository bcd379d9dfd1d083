import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { openAuthority } from '../../src/pki/authority.ts'
import { certificateHosts } from '../../src/pki/certificate-host.ts'
import { IdentityFolder } from '../../src/pki/identity-folder.ts'
import { issueAuthorityCertificate, issueServerCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { openServerCertificate, renewalTime } from '../../src/pki/server-certificate.ts'
import { dayMs, refusal, start, temporaryFolder } from './support.ts'

const fiveMinutesMs = 300_000
/** A certificate of 90 days and five minutes is renewed when two thirds of that are over. */
const due = start - fiveMinutesMs + (2 * (90 * dayMs + fiveMinutesMs)) / 3

describe('openServerCertificate', () => {
  test('issues a certificate for 90 days and shows it with its authority', async () => {
    using opened = await open()
    const [leaf, authority] = opened.made.chain
    expect(leaf.validFromDate.getTime()).toBe(start - fiveMinutesMs)
    expect(leaf.validToDate.getTime()).toBe(start + 90 * dayMs)
    expect(leaf.checkPrivateKey(opened.made.key)).toBe(true)
    expect(leaf.checkIssued(authority)).toBe(true)
    expect(authority.fingerprint256).toBe(opened.authority.certificate.fingerprint256)
    expect(renewalTime(leaf)).toBe(due)
    expect(opened.folder.readCertificates('server.crt')?.map(({ fingerprint256 }) => fingerprint256)).toEqual([
      leaf.fingerprint256,
      authority.fingerprint256,
    ])
  })

  test('keeps it until two thirds of its life are over', async () => {
    using opened = await open()
    expect((await opened.again(due - 1)).leaf).toBe(opened.leaf)
    const renewed = await opened.again(due)
    expect(renewed.leaf).not.toBe(opened.leaf)
    expect(renewed.validTo).toBe(due + 90 * dayMs)
    expect((await opened.again(due)).leaf).toBe(renewed.leaf)
  })

  test('replaces one that expired while the server was away', async () => {
    using opened = await open()
    expect((await opened.again(start + 1000 * dayMs)).validTo).toBe(start + 1090 * dayMs)
  })

  test('keeps the key when it renews', async () => {
    using opened = await open()
    const renewed = await openServerCertificate(opened.folder, opened.authority, [], due)
    expect(renewed.key.equals(opened.made.key)).toBe(true)
    expect(renewed.chain[0].checkPrivateKey(opened.made.key)).toBe(true)
  })

  test('issues another when it does not cover a host, and keeps it when fewer are asked for', async () => {
    using opened = await open(['one.example'])
    const two = await opened.again(start, ['one.example', '192.0.2.7'])
    expect(two.leaf).not.toBe(opened.leaf)
    expect(two.names).toInclude('DNS:one.example, IP Address:192.0.2.7')
    for (const hosts of [['192.0.2.7'], ['one.example'], [], ['ONE.example', '::1']]) {
      expect((await opened.again(start, hosts)).leaf).toBe(two.leaf)
    }
  })

  test('never outlives its authority', async () => {
    using opened = await open()
    const end = opened.authority.certificate.validToDate.getTime()
    expect((await opened.again(end - dayMs)).validTo).toBe(end)
  })

  test('issues another when the file does not end with the authority of today', async () => {
    using opened = await open()
    opened.folder.writeCertificates('server.crt', [opened.made.chain[0]])
    expect((await opened.again(start)).leaf).not.toBe(opened.leaf)
    rmSync(opened.folder.pathOf('ca.crt'))
    const authority = await openAuthority(opened.folder, start)
    const { chain } = await openServerCertificate(opened.folder, authority, [], start)
    expect(chain[1].fingerprint256).toBe(authority.certificate.fingerprint256)
    expect(opened.folder.readCertificates('server.crt')?.[1]?.fingerprint256).toBe(authority.certificate.fingerprint256)
  })

  test('issues a certificate for a key that has none: a first start was cut short', async () => {
    using opened = await open()
    rmSync(opened.folder.pathOf('server.crt'))
    const { key } = await openServerCertificate(opened.folder, opened.authority, [], start)
    expect(key.equals(opened.made.key)).toBe(true)
  })

  test('refuses a certificate without its key', async () => {
    using opened = await open()
    rmSync(opened.folder.pathOf('server.key'))
    const error = await refusal('key_missing', () => opened.again(start))
    expect(error.sentence).toBe(`the key ${opened.folder.pathOf('server.key')} is missing, though server.crt is there`)
  })

  test('refuses a certificate of another key', async () => {
    using opened = await open()
    opened.folder.makeKey('server.key')
    const error = await refusal('certificate_invalid', () => opened.again(start))
    expect(error.sentence).toEndWith('server.crt does not belong to server.key')
  })

  test('refuses a certificate that ca.key signed under the name of another authority', async () => {
    using opened = await open()
    const { key } = opened.authority
    const certificate = await issueAuthorityCertificate(key, 'Another CA', validityFrom(start, 3650))
    const request = { ...validityFrom(start, 90), authority: { certificate, key }, publicKey: opened.made.chain[0].publicKey }
    const leaf = await issueServerCertificate({ ...request, commonName: 'Sealwire server', hosts: certificateHosts([]) })
    opened.folder.writeCertificates('server.crt', [leaf, opened.authority.certificate])
    await refusal('certificate_invalid', () => opened.again(start))
  })

  test('refuses a certificate that was tampered with', async () => {
    using opened = await open()
    const raw = Buffer.from(opened.made.chain[0].raw)
    // The last octets are the signature's s.
    raw.writeUInt8(raw.readUInt8(raw.length - 2) ^ 1, raw.length - 2)
    const pem = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`
    writeFileSync(opened.folder.pathOf('server.crt'), pem)
    const error = await refusal('certificate_invalid', () => opened.again(start))
    expect(error.sentence).toEndWith('server.crt is not signed by ca.key')
  })

  test('refuses a certificate of another authority, even of one with the same name', async () => {
    using opened = await open()
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const name of ['Another CA', opened.authority.certificate.subject.replace('CN=', '')]) {
      const certificate = await issueAuthorityCertificate(key, name, validityFrom(start, 3650))
      const request = { ...validityFrom(start, 90), authority: { certificate, key }, publicKey: opened.made.chain[0].publicKey }
      const leaf = await issueServerCertificate({ ...request, commonName: 'Sealwire server', hosts: certificateHosts([]) })
      opened.folder.writeCertificates('server.crt', [leaf, opened.authority.certificate])
      const error = await refusal('certificate_invalid', () => opened.again(start))
      expect(error.sentence).toEndWith('server.crt is not signed by ca.key')
    }
  })

  test('refuses a certificate that is not valid yet: the clock is wrong', async () => {
    using opened = await open()
    const error = await refusal('certificate_invalid', () => opened.again(start - fiveMinutesMs - 1))
    expect(error.sentence).toEndWith('server.crt is not valid before 2030-01-15T11:55:00.000Z')
    expect(error.hint).toStartWith('check the clock of this machine')
    expect((await opened.again(start - fiveMinutesMs)).leaf).toBe(opened.leaf)
  })
})

async function open(hosts: readonly string[] = []) {
  const root = temporaryFolder()
  const folder = new IdentityFolder(root.path)
  const authority = await openAuthority(folder, start)
  const made = await openServerCertificate(folder, authority, certificateHosts(hosts), start)
  const again = async (now: number, asked: readonly string[] = []) => {
    const [leaf] = (await openServerCertificate(folder, authority, certificateHosts(asked), now)).chain
    return { leaf: leaf.fingerprint256, validTo: leaf.validToDate.getTime(), names: leaf.subjectAltName }
  }
  return { folder, authority, made, leaf: made.chain[0].fingerprint256, again, [Symbol.dispose]: () => root[Symbol.dispose]() }
}

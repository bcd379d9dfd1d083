import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateHosts } from '../../src/pki/certificate-host.ts'
import { issueAuthorityCertificate, issueServerCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { openssl, opensslFound } from './openssl.ts'
import { dayMs, start, temporaryFolder } from './support.ts'

const key = newKey()
const certificate = await issueAuthorityCertificate(key.privateKey, 'Test CA', validityFrom(start, 10))
const authority = { certificate, key: key.privateKey }

describe('validityFrom', () => {
  test('begins five minutes early and counts its days from now', () => {
    expect(validityFrom(start, 90)).toEqual({ notBefore: start - 300_000, notAfter: start + 90 * dayMs })
  })
})

describe('issueAuthorityCertificate', () => {
  test('signs for itself what may sign others', () => {
    expect(certificate.subject).toBe('CN=Test CA')
    expect(certificate.issuer).toBe('CN=Test CA')
    expect(certificate.ca).toBe(true)
    expect(certificate.verify(key.publicKey)).toBe(true)
    expect(certificate.checkIssued(certificate)).toBe(true)
    expect(certificate.checkPrivateKey(key.privateKey)).toBe(true)
    expect(certificate.validFromDate.getTime()).toBe(start - 300_000)
    expect(certificate.validToDate.getTime()).toBe(start + 10 * dayMs)
  })

  test('takes any text as a name without giving it a meaning', async () => {
    const { subject } = await issueAuthorityCertificate(key.privateKey, 'a,O=b+CN=c', validityFrom(start, 1))
    expect(subject).toBe('CN=a\\,O=b\\+CN=c')
  })
})

describe('issueServerCertificate', () => {
  test('signs a certificate for exactly the hosts', async () => {
    const leaf = await issue(['chat.example', '192.0.2.1', '2001:db8::7'])
    expect(leaf.subject).toBe('CN=test')
    expect(leaf.ca).toBe(false)
    expect(leaf.subjectAltName?.split(', ')).toEqual([
      'DNS:localhost',
      'IP Address:127.0.0.1',
      'IP Address:0:0:0:0:0:0:0:1',
      'DNS:chat.example',
      'IP Address:192.0.2.1',
      'IP Address:2001:DB8:0:0:0:0:0:7',
    ])
    expect(leaf.checkIssued(certificate)).toBe(true)
    expect(leaf.verify(key.publicKey)).toBe(true)
    expect(leaf.verify(newKey().publicKey)).toBe(false)
  })

  test('gives each a serial number of its own, positive and 16 octets long', async () => {
    const serials = await Promise.all(Array.from({ length: 64 }, async () => (await issue([])).serialNumber))
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
    expect(new Set(serials).size).toBe(64)
  })

  test('writes years from 2050 on in the form they need', async () => {
    const far = Date.UTC(2055, 5, 1)
    const leaf = await issue([], far)
    expect(leaf.validFromDate.getTime()).toBe(far - 300_000)
    expect(leaf.validToDate.getTime()).toBe(far + 3 * dayMs)
  })
})

describe.skipIf(!opensslFound)('openssl', () => {
  test('accepts the chain under its strictest rules, for every host and for no other', async () => {
    using folder = temporaryFolder()
    const verify = verifier(folder.path, await issue(['chat.example', '2001:db8::7']))
    const names = ['localhost', 'chat.example'].map((name) => ['-verify_hostname', name])
    const addresses = ['127.0.0.1', '::1', '2001:db8::7'].map((address) => ['-verify_ip', address])
    for (const words of [...names, ...addresses]) expect(verify(...words)).toEndWith(': OK\n')
    for (const words of [
      ['-verify_hostname', 'test'],
      ['-verify_hostname', 'a.chat.example'],
      ['-verify_ip', '127.0.0.2'],
    ]) {
      expect(() => verify(...words)).toThrow(/mismatch/)
    }
    expect(() => verify('-purpose', 'sslclient')).toThrow(/unsuitable certificate purpose/)
  })

  test('reads in the certificates what was meant', async () => {
    using folder = temporaryFolder()
    verifier(folder.path, await issue([]))
    const [root, leaf] = ['ca.crt', 'server.crt'].map((name) => openssl('x509', '-noout', '-text', '-in', join(folder.path, name)))
    const keyId = /Subject Key Identifier: \n +([0-9A-F:]{59})\n/.exec(root ?? '')?.[1]
    expect(keyId).toBeDefined()
    for (const text of [root, leaf]) {
      expect(text).toInclude('NIST CURVE: P-256')
      expect(text).toInclude('Signature Algorithm: ecdsa-with-SHA256')
      expect(text).toMatch(new RegExp(`Authority Key Identifier: \\n +(keyid:)?${keyId}\n`))
    }
    expect(root).toMatch(/Basic Constraints: critical\n +CA:TRUE, pathlen:1\n/)
    expect(root).toMatch(/Key Usage: critical\n +Certificate Sign, CRL Sign\n/)
    expect(leaf).toMatch(/Basic Constraints: critical\n +CA:FALSE\n/)
    expect(leaf).toMatch(/Key Usage: critical\n +Digital Signature\n/)
    expect(leaf).toMatch(/Extended Key Usage: \n +TLS Web Server Authentication\n/)
  })
})

function verifier(folder: string, leaf: X509Certificate): (...words: readonly string[]) => string {
  const [root, server] = [join(folder, 'ca.crt'), join(folder, 'server.crt')]
  writeFileSync(root, certificate.toString())
  writeFileSync(server, leaf.toString())
  const rules = ['-x509_strict', '-purpose', 'sslserver', '-attime', String(start / 1000), '-no-CApath', '-CAfile', root]
  return (...words) => openssl('verify', ...rules, ...words, server)
}

async function issue(hosts: readonly string[], now = start): Promise<X509Certificate> {
  const { publicKey } = newKey()
  return await issueServerCertificate({ ...validityFrom(now, 3), authority, publicKey, commonName: 'test', hosts: certificateHosts(hosts) })
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

import { describe, expect, test } from 'bun:test'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IdentityFolder } from '../../src/pki/identity-folder.ts'
import { loadServerIdentity } from '../../src/pki/index.ts'
import { rotateAuthority } from '../../src/pki/rotation.ts'
import { openssl, opensslFound } from './openssl.ts'
import { clockAt, dayMs, entries, refusal, start, temporaryFolder } from './support.ts'

const overlapMs = 30 * dayMs
const files = ['ca-old.crt', 'ca.crt', 'ca.key', 'server.crt', 'server.key']

describe('rotateAuthority', () => {
  test('gives the server another authority, and the old key leads to it until the overlap is over', async () => {
    using root = temporaryFolder()
    const old = await load(root.path)
    await rotate(root.path)
    const next = await load(root.path)
    expect(entries(root.path)).toEqual(files)
    expect(next.fingerprint).not.toBe(old.fingerprint)
    expect(next.overlap).toEqual({ fingerprint: old.fingerprint, until: start + overlapMs })
    const [leaf, bridge, before, authority, ...others] = certificates(next.certificateChainPem)
    expect(others).toEqual([])
    expect(leaf?.checkIssued(authority as X509Certificate)).toBe(true)
    expect(bridge?.checkIssued(before as X509Certificate)).toBe(true)
    expect(bridge?.publicKey.equals(authority?.publicKey as NonNullable<typeof authority>['publicKey'])).toBe(true)
    expect(before?.publicKey.equals(new X509Certificate(old.authorityPem).publicKey)).toBe(true)
    expect(authority?.toString()).toBe(next.authorityPem)
    expect(next.keyPem).toBe(old.keyPem)
  })

  test('forgets the way from the old key when the overlap is over, with the same certificate, and keeps the devices of the old authority', async () => {
    using root = temporaryFolder()
    await load(root.path)
    await rotate(root.path)
    const within = await load(root.path, start + overlapMs - 1)
    const after = await load(root.path, start + overlapMs)
    expect(after.overlap).toBeUndefined()
    expect(certificates(after.certificateChainPem).map(String)).toEqual(
      [0, 3].map((at) => String(certificates(within.certificateChainPem)[at])),
    )
    expect(certificates(after.deviceAuthoritiesPem)).toHaveLength(2)
    const late = await load(root.path, start + 367 * dayMs)
    expect(certificates(late.deviceAuthoritiesPem)).toHaveLength(1)
  })

  test('waits for the overlap before, and keeps every authority that a device may need', async () => {
    using root = temporaryFolder()
    await load(root.path)
    await rotate(root.path)
    await load(root.path)
    const error = await refusal('busy', () => rotate(root.path, start + overlapMs - 1))
    expect(error.sentence).toEndWith('until 2030-02-14T12:00:00.000Z')
    await rotate(root.path, start + overlapMs)
    const twice = await load(root.path, start + overlapMs)
    expect(certificates(twice.deviceAuthoritiesPem)).toHaveLength(3)
    expect(certificates(twice.certificateChainPem)).toHaveLength(4)
  })

  test('is carried out to its end by the next start, wherever it was cut', async () => {
    for (let done = 0; done <= 3; done++) {
      using root = temporaryFolder()
      const path = (name: string): string => join(root.path, name)
      const old = await load(root.path)
      const before = new Map(['ca.crt', 'ca.key', 'server.crt'].map((name) => [name, readFileSync(path(name), 'utf8')]))
      await rotate(root.path)
      // As it was when the decision was on the disk, and `done` of the three files that follow from it.
      new IdentityFolder(root.path).writeBundle('ca-rotation.pem', createPrivateKey(readFileSync(path('ca.key'))), [
        ...certificates(readFileSync(path('ca.crt'), 'utf8')),
        ...certificates(readFileSync(path('ca-old.crt'), 'utf8')),
      ])
      const order = ['ca-old.crt', 'ca.crt', 'ca.key']
      for (const name of order.slice(done)) writeFileSync(path(name), before.get(name) ?? '')
      const next = await load(root.path)
      expect(next.fingerprint).not.toBe(old.fingerprint)
      expect(next.overlap?.fingerprint).toBe(old.fingerprint)
      expect(entries(root.path)).toEqual(files)
    }
  })

  test('refuses a decision that was damaged, and touches nothing', async () => {
    using root = temporaryFolder()
    const { fingerprint } = await load(root.path)
    writeFileSync(join(root.path, 'ca-rotation.pem'), 'half', { mode: 0o600 })
    await refusal('certificate_invalid', () => load(root.path))
    new IdentityFolder(root.path).remove('ca-rotation.pem')
    expect((await load(root.path)).fingerprint).toBe(fingerprint)
  })

  test.each([
    ['of a key that is not that of its authority', 'server.key', 'ca.crt'],
    ['whose authority has not signed itself', 'server.key', 'server.crt'],
  ])('refuses a decision %s', async (_, keyName, certificateName) => {
    using root = temporaryFolder()
    const { fingerprint } = await load(root.path)
    const read = (name: string): string => readFileSync(join(root.path, name), 'utf8')
    const folder = new IdentityFolder(root.path)
    folder.writeBundle('ca-rotation.pem', createPrivateKey(read(keyName)), certificates(read(certificateName)).slice(0, 1))
    await refusal('certificate_invalid', () => load(root.path))
    folder.remove('ca-rotation.pem')
    expect((await load(root.path)).fingerprint).toBe(fingerprint)
  })

  test.skipIf(!opensslFound)('makes chains that openssl accepts from either root, and from no other', async () => {
    using root = temporaryFolder()
    using other = temporaryFolder()
    const old = await load(root.path)
    const path = (name: string): string => join(root.path, name)
    writeFileSync(path('trusted-before.pem'), old.authorityPem)
    await rotate(root.path)
    const next = await load(root.path)
    await load(other.path)
    writeFileSync(path('sent.pem'), next.certificateChainPem)
    const verify = (rootPath: string, at: number): string =>
      openssl(
        'verify',
        '-x509_strict',
        '-attime',
        String(at / 1000),
        '-CAfile',
        rootPath,
        '-untrusted',
        path('sent.pem'),
        path('server.crt'),
      )
    for (const name of ['trusted-before.pem', 'ca.crt']) expect(verify(path(name), start)).toEndWith(': OK\n')
    expect(() => verify(join(other.path, 'ca.crt'), start)).toThrow()
    expect(() => verify(path('trusted-before.pem'), start + overlapMs + 1000)).toThrow(/self-signed/)
    expect(verify(path('ca.crt'), start + overlapMs + 1000)).toEndWith(': OK\n')
  })
})

async function load(folder: string, now = start) {
  return loadServerIdentity({ folder }, { clock: clockAt(now) })
}

async function rotate(folder: string, now = start): Promise<void> {
  await rotateAuthority(new IdentityFolder(folder), { overlapMs, now })
}

function certificates(pem: string): readonly X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map((text) => new X509Certificate(text))
}

import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IdentityFolder } from '../../src/pki/identity-folder.ts'
import { issueAuthorityCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { entries, onUnix, refusal, start, temporaryFolder } from './support.ts'

const pem = { type: 'pkcs8', format: 'pem' } as const
const isRoot = process.getuid?.() === 0

describe('makeKey', () => {
  test('keeps a P-256 key as PKCS #8 that its owner alone may read, and reads it again', () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(join(root.path, 'data'))
    const key = folder.makeKey('ca.key')
    expect(readFileSync(folder.pathOf('ca.key'), 'utf8')).toStartWith('-----BEGIN PRIVATE KEY-----\n')
    expect(folder.readKey('ca.key')?.equals(key)).toBe(true)
    expect(folder.written).toEqual(['ca.key'])
    if (!onUnix) return
    expect(statSync(folder.pathOf('ca.key')).mode & 0o777).toBe(0o600)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  })

  test('sweeps what a crash left of its own files', () => {
    using root = temporaryFolder()
    for (const name of ['.ca.key.0123456789abcdef.tmp', 'sealwire.db']) writeFileSync(join(root.path, name), 'x')
    new IdentityFolder(root.path).makeKey('ca.key')
    expect(entries(root.path)).toEqual(['ca.key', 'sealwire.db'])
  })
})

describe('readKey', () => {
  test('finds nothing in a folder that has no key, or that does not exist', () => {
    using root = temporaryFolder()
    expect(new IdentityFolder(root.path).readKey('ca.key')).toBeUndefined()
    expect(new IdentityFolder(join(root.path, 'none')).readKey('ca.key')).toBeUndefined()
  })

  test('accepts the older form of PEM for such keys', () => {
    using root = temporaryFolder()
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writeFileSync(join(root.path, 'ca.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
    expect(new IdentityFolder(root.path).readKey('ca.key')?.equals(privateKey)).toBe(true)
  })

  test.each([
    ['nothing at all', ''],
    ['other text', 'hello\n'],
    ['half a key', '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n'],
    ['a public key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['a key of another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export(pem).toString()],
    ['a key of another kind', generateKeyPairSync('ed25519').privateKey.export(pem).toString()],
    ['an RSA key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem).toString()],
    [
      'a key with a passphrase',
      generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'secret' })
        .toString(),
    ],
  ])('refuses %s', async (_what, text) => {
    using root = temporaryFolder()
    writeFileSync(join(root.path, 'ca.key'), text, { mode: 0o600 })
    const error = await refusal('key_malformed', () => new IdentityFolder(root.path).readKey('ca.key'))
    expect(error.sentence).toInclude(join(root.path, 'ca.key'))
  })

  test.skipIf(!onUnix).each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o660, 0o644, 0o777])('refuses the mode %o', async (mode) => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    folder.makeKey('server.key')
    chmodSync(folder.pathOf('server.key'), mode)
    const error = await refusal('key_unsafe', () => folder.readKey('server.key'))
    expect(error.sentence).toBe(`the key ${folder.pathOf('server.key')} is open to other users (mode 0${mode.toString(8)})`)
    expect(error.hint).toBe(`run: chmod 600 ${folder.pathOf('server.key')}`)
  })

  test.skipIf(!onUnix).each([0o400, 0o600, 0o700])('accepts the mode %o', (mode) => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    folder.makeKey('server.key')
    chmodSync(folder.pathOf('server.key'), mode)
    expect(folder.readKey('server.key')).toBeDefined()
  })

  test.skipIf(!onUnix)('looks at the file itself when the name is a link', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    folder.makeKey('server.key')
    symlinkSync(folder.pathOf('server.key'), folder.pathOf('ca.key'))
    expect(folder.readKey('ca.key')).toBeDefined()
    chmodSync(folder.pathOf('server.key'), 0o644)
    await refusal('key_unsafe', () => folder.readKey('ca.key'))
  })

  test.skipIf(!onUnix)('refuses a key that belongs to another user', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    // Only root can give a file away; everybody else finds one of root's.
    if (!isRoot) symlinkSync('/etc/passwd', folder.pathOf('ca.key'))
    if (isRoot) {
      folder.makeKey('ca.key')
      chownSync(folder.pathOf('ca.key'), 12_345, 12_345)
    }
    const error = await refusal('key_unsafe', () => folder.readKey('ca.key'))
    expect(error.sentence).toBe(`the key ${folder.pathOf('ca.key')} belongs to another user (id ${isRoot ? 12_345 : 0})`)
  })

  // Root may read everything.
  test.skipIf(!onUnix || isRoot)('says so when the key or its folder cannot be read', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(join(root.path, 'data'))
    folder.makeKey('ca.key')
    chmodSync(folder.pathOf('ca.key'), 0)
    await refusal('data_unusable', () => folder.readKey('ca.key'))
    chmodSync(folder.path, 0)
    await refusal('data_unusable', () => folder.readKey('ca.key'))
    chmodSync(folder.path, 0o700)
  })

  test('says so when the name is a folder', async () => {
    using root = temporaryFolder()
    mkdirSync(join(root.path, 'ca.key'), { mode: 0o700 })
    await refusal('data_unusable', () => new IdentityFolder(root.path).readKey('ca.key'))
  })

  test('says so when the data folder is a file', async () => {
    using root = temporaryFolder()
    writeFileSync(join(root.path, 'data'), '')
    await refusal('data_unusable', () => new IdentityFolder(join(root.path, 'data')).readKey('ca.key'))
  })
})

describe('readCertificates', () => {
  test('reads all certificates of a file in their order', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    const certificates = await Promise.all(['one', 'two'].map(certificate))
    folder.writeCertificates('server.crt', certificates)
    expect(folder.readCertificates('server.crt')?.map(({ subject }) => subject)).toEqual(['CN=one', 'CN=two'])
    expect(folder.readCertificates('ca.crt')).toBeUndefined()
  })

  test('reads what a key file would be refused for: certificates are public', async () => {
    using root = temporaryFolder()
    const folder = new IdentityFolder(root.path)
    folder.writeCertificates('ca.crt', [await certificate('one')])
    chmodSync(folder.pathOf('ca.crt'), 0o666)
    expect(folder.readCertificates('ca.crt')).toHaveLength(1)
  })

  test.each([
    ['nothing at all', () => ''],
    ['other text', () => 'hello\n'],
    ['half a certificate', (whole: string) => whole.slice(0, 200)],
    ['a certificate with a part missing', (whole: string) => whole.replace(/\n.{64}\n/, '\n')],
    ['something else in its frame', () => '-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n'],
  ])('refuses %s', async (_what, damage) => {
    using root = temporaryFolder()
    writeFileSync(join(root.path, 'ca.crt'), damage((await certificate('one')).toString()))
    await refusal('certificate_invalid', () => new IdentityFolder(root.path).readCertificates('ca.crt'))
  })
})

async function certificate(name: string) {
  return await issueAuthorityCertificate(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, name, validityFrom(start, 1))
}

import { afterAll, describe, expect, test } from 'bun:test'
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { type OwnFiles, readOwnCertificate } from '../../src/pki/own-certificate.ts'
import type { Code } from '../../src/protocol/errors.ts'
import { authorityExtensions, type CertificateFiles, OpensslFolder, type OpensslRequest } from '../support/openssl.ts'
import { opensslFound } from './openssl.ts'
import { onUnix, refusal } from './support.ts'

const made = opensslFound ? new OpensslFolder() : undefined
afterAll(() => made?.[Symbol.dispose]())

describe.skipIf(!opensslFound)('readOwnCertificate', () => {
  test.each([
    ['P-256', []],
    ['P-384', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA with 2048 bits', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
    ['RSA with 4096 bits', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096']],
  ])('takes a key of the kind %s', (_kind, keyArguments) => {
    const { chain } = read(leaf(keyArguments.length === 0 ? {} : { keyArguments }))
    expect(chain.map(({ subject }) => subject)).toEqual(['CN=server', 'CN=Root'])
  })

  test('follows the chain in whatever order the file has it, and leaves out what is no part of it', () => {
    const middle = world().make({ subject: 'Middle', issuer: root(), extensions: authorityExtensions })
    const stray = world().make({ subject: 'Stray', extensions: authorityExtensions })
    const files = leaf({ issuer: middle })
    for (const { certificate } of [root(), stray, middle]) appendFileSync(files.certificate, readFileSync(certificate, 'utf8'))
    expect(read(files).chain.map(({ subject }) => subject)).toEqual(['CN=server', 'CN=Middle', 'CN=Root'])
  })

  test.each([
    ['pathlen:0 and one between', ['0'], false],
    ['pathlen:1 and one between', ['1'], true],
    ['pathlen:1 and two between', ['1', undefined], false],
    ['pathlen:0 of the second of two between', [undefined, '0', undefined], false],
    ['none said', [undefined, undefined], true],
  ] as const)('counts the authorities between one that allows so many and the server: %s', async (_, lengths, isSound) => {
    const limited = (length: string | undefined): readonly string[] => {
      const constraints = length === undefined ? 'CA:TRUE' : `CA:TRUE,pathlen:${length}`
      return authorityExtensions.map((each) => (each.includes('CA:TRUE') ? `basicConstraints=critical,${constraints}` : each))
    }
    const authorities: CertificateFiles[] = []
    for (const [index, length] of [...lengths, undefined].entries()) {
      const issuer = authorities.at(-1)
      const subject = `Authority ${index}`
      authorities.push(world().make({ subject, ...(issuer === undefined ? {} : { issuer }), extensions: limited(length) }))
    }
    const files = leaf({ issuer: authorities.at(-1) ?? root() })
    for (const { certificate } of authorities) appendFileSync(files.certificate, readFileSync(certificate, 'utf8'))
    if (isSound) expect(read(files).chain).toHaveLength(authorities.length + 1)
    else expect((await refused('certificate_invalid', files)).sentence).toMatch(/allows no .* between itself and a server \(pathlen:\d\)/)
  })

  test('takes what openssl req -x509 makes with a name, and a key in its older forms', () => {
    const files = { certificate: world().file('x509.crt'), key: world().file('x509.key') }
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    world().run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', files.key, '-out', files.certificate, ...names)
    world().run('rsa', '-in', files.key, '-traditional', '-out', files.key)
    expect(readFileSync(files.key, 'utf8')).toStartWith('-----BEGIN RSA PRIVATE KEY-----')
    chmodSync(files.key, 0o600)
    expect(read(files).chain).toHaveLength(1)
  })

  test('says what is missing in a certificate with a common name alone, as old instructions make it', async () => {
    for (const [subject, example] of [
      ['Critical', 'DNS:Critical'],
      ['192.0.2.7', 'IP:192.0.2.7'],
    ] as const) {
      const error = await refused('certificate_invalid', leaf({ subject, extensions: ['basicConstraints=CA:FALSE'] }))
      expect(error.sentence).toEndWith(
        `no subject alternative name: clients look at nothing else, and its common name "${subject}" does not count`,
      )
      expect(error.hint).toBe(`make it again with one: openssl req -x509 … -addext subjectAltName=${example}`)
    }
  })

  const bad: readonly (readonly [string, Partial<OpensslRequest>, Code, string])[] = [
    ['has expired', { from: -48, until: -1 }, 'certificate_invalid', 'expired on'],
    ['is not valid yet', { from: 1 }, 'certificate_invalid', 'is not valid before'],
    [
      'is for clients',
      { extensions: ['subjectAltName=DNS:localhost', 'extendedKeyUsage=clientAuth'] },
      'certificate_invalid',
      'is not for servers',
    ],
    [
      'has a weak key',
      { keyArguments: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] },
      'key_malformed',
      'is an RSA key of 1024 bits',
    ],
    ['has an Ed25519 key', { keyArguments: ['-algorithm', 'ED25519'] }, 'key_malformed', 'is a key of the kind ed25519'],
    [
      'has a P-521 key',
      { keyArguments: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'] },
      'key_malformed',
      'on the curve secp521r1',
    ],
  ]
  test.each(bad)('refuses one that %s', async (_what, request, code, sentence) => {
    expect((await refused(code, leaf(request))).sentence).toContain(sentence)
  })

  test('refuses one that has signed itself and is no authority', async () => {
    const files = world().make({ subject: 'alone', extensions: ['subjectAltName=DNS:localhost', 'basicConstraints=CA:FALSE'] })
    expect((await refused('certificate_invalid', files)).sentence).toContain('has signed itself and is no authority')
  })

  test('refuses a chain that ends too early, and names who is missing', async () => {
    const middle = world().make({ subject: 'Middle', issuer: root(), extensions: authorityExtensions })
    const files = world().make({ subject: 'server', issuer: middle, extensions: serverExtensions })
    expect((await refused('certificate_invalid', files)).sentence).toEndWith('is incomplete: the certificate of "CN=Middle" is not in it')
    appendFileSync(files.certificate, readFileSync(middle.certificate, 'utf8'))
    expect((await refused('certificate_invalid', files)).sentence).toEndWith('the certificate of "CN=Root" is not in it')
  })

  test('refuses an issuer that has expired, is weak, or has the right name and has signed nothing', async () => {
    const expired = world().make({ subject: 'Old', from: -48, until: -1, extensions: authorityExtensions })
    expect((await refused('certificate_invalid', leaf({ issuer: expired }))).sentence).toContain('its issuer "CN=Old" expired on')
    const weak = world().make({
      subject: 'Weak',
      extensions: authorityExtensions,
      keyArguments: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
    })
    expect((await refused('certificate_invalid', leaf({ issuer: weak }))).sentence).toContain('has an RSA key of 1024 bits')
    const forClients = [...authorityExtensions, 'extendedKeyUsage=clientAuth']
    const other = world().make({ subject: 'Clients', issuer: root(), extensions: forClients })
    expect((await refused('certificate_invalid', leaf({ issuer: other }))).sentence).toContain('its issuer "CN=Clients" is not for servers')
    const namesake = world().make({ subject: 'Root', extensions: authorityExtensions })
    const files = world().make({ subject: 'server', issuer: root(), extensions: serverExtensions })
    appendFileSync(files.certificate, readFileSync(namesake.certificate, 'utf8'))
    expect((await refused('certificate_invalid', files)).sentence).toContain('is incomplete')
  })

  test('refuses one that was signed with SHA-1', async () => {
    const files = leaf()
    const request = world().file('sha1.csr')
    world().run('req', '-new', '-key', files.key, '-subj', '/CN=server', '-out', request, '-addext', 'subjectAltName=DNS:localhost')
    const signer = ['-CA', root().certificate, '-CAkey', root().key, '-CAcreateserial', '-copy_extensions', 'copy']
    world().run('x509', '-req', '-sha1', '-in', request, ...signer, '-days', '1', '-out', files.certificate)
    appendFileSync(files.certificate, readFileSync(root().certificate, 'utf8'))
    expect((await refused('certificate_invalid', files)).sentence).toContain('was signed with SHA-1 or MD5')
  })

  test('refuses a key that does not belong to it, is cut off, has a passphrase, or is missing', async () => {
    const files = leaf()
    expect((await refused('certificate_invalid', { ...files, key: leaf().key })).sentence).toContain('does not belong to the key')
    const locked = world().file('locked.key')
    world().run('pkey', '-in', files.key, '-aes256', '-passout', 'pass:secret', '-out', locked)
    chmodSync(locked, 0o600)
    expect((await refused('key_malformed', { ...files, key: locked })).sentence).toEndWith('has a passphrase')
    writeFileSync(files.key, readFileSync(files.key, 'utf8').slice(0, 120))
    expect((await refused('key_malformed', files)).sentence).toEndWith('cannot be read as a private key')
    await refused('key_missing', { ...files, key: world().file('nowhere') })
  })

  test('refuses a chain that is cut off or missing', async () => {
    const files = leaf()
    writeFileSync(files.certificate, readFileSync(files.certificate, 'utf8').slice(0, 300))
    expect((await refused('certificate_invalid', files)).sentence).toEndWith('has no certificate in PEM')
    expect((await refused('certificate_invalid', { ...files, certificate: world().file('nowhere') })).sentence).toEndWith('is missing')
  })

  test.skipIf(!onUnix)('refuses a key that everybody may read, and takes one that a group may', async () => {
    const files = leaf()
    chmodSync(files.key, 0o640)
    read(files)
    for (const mode of [0o644, 0o620, 0o604]) {
      chmodSync(files.key, mode)
      expect((await refused('key_unsafe', files)).hint).toBe(`run: chmod 600 ${files.key}`)
    }
  })
})

const serverExtensions = ['subjectAltName=DNS:localhost']

function world(): OpensslFolder {
  if (made === undefined) throw new TypeError('these tests need openssl')
  return made
}

let madeRoot: CertificateFiles | undefined
function root(): CertificateFiles {
  madeRoot ??= world().make({ subject: 'Root', extensions: authorityExtensions })
  return madeRoot
}

/** A server's certificate, in one file with its issuer's, as they are usually given; the key is for its owner alone. */
function leaf(request: Partial<OpensslRequest> = {}): CertificateFiles {
  const issuer = request.issuer ?? root()
  const files = world().make({ subject: 'server', extensions: serverExtensions, ...request, issuer })
  appendFileSync(files.certificate, readFileSync(issuer.certificate, 'utf8'))
  return files
}

function read(files: OwnFiles) {
  return readOwnCertificate(files, Date.now())
}

async function refused(code: Code, files: OwnFiles) {
  return refusal(code, () => read(files))
}

import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { type Authority, issueAuthority } from '../../src/pki/authority.ts'
import { deviceIssuer, issueDevice } from '../../src/pki/device-certificate.ts'
import { IdentityFolder } from '../../src/pki/identity-folder.ts'
import { loadServerIdentity, type PeerChecks, verifyPeer } from '../../src/pki/index.ts'
import { issueAuthorityCertificate, issueBridgeCertificate, issueServerCertificate, validityFrom } from '../../src/pki/issue-certificate.ts'
import { spkiOf } from '../../src/pki/certificate-request.ts'
import { rotateAuthority } from '../../src/pki/rotation.ts'
import { SealwireError } from '../../src/protocol/errors.ts'
import { makeCertificate, newKey } from '../support/certificates.ts'
import { clientCertificateRows, deviceOf, keyHash, makeAuthority } from '../support/client-certificates.ts'
import { clockAt, dayMs, temporaryFolder } from './support.ts'

const now = Date.now()
const authority = await madeAuthority()
const former = await madeAuthority(now - 300 * dayMs)
const key = newKey()
const alice = await deviceBy(authority)
const hash = keyHash(new X509Certificate(alice))

describe('verifyPeer', () => {
  test('says whose device it is, by today’s authority or by one before it', async () => {
    expect(verifyPeer(alice, checks())).toBe(hash)
    expect(verifyPeer(await deviceBy(former), checks())).toBe(hash)
    expect(verifyPeer(alice, checks({ devices: new Map([[hash, 'alice']]) }))).toBe(hash)
  })

  test('knows a device by its key: a renewed certificate of the same one is the same device', async () => {
    expect(verifyPeer(await deviceBy(authority, now + 1000), checks({ now: now + 2000 }))).toBe(hash)
  })

  test('refuses a device that is not expected, revoked a moment ago for one', () => {
    expect(sentence(alice, { devices: new Set() })).toBe('the certificate of the other device is of a device that is not expected here')
    expect(sentence(alice, { devices: new Set([hash.toUpperCase(), '']) })).toContain('not expected')
    const asked: string[] = []
    expect(sentence(alice, { devices: { has: (each) => asked.push(each) < 0 } })).toContain('not expected')
    expect(asked).toEqual([hash])
  })

  test('refuses who is before or after its dates, by the clock that it is given', async () => {
    const device = await deviceBy(former)
    const { validFromDate, validToDate } = new X509Certificate(device)
    const [from, to] = [validFromDate.getTime(), validToDate.getTime()]
    expect([from, to].map((at) => verifyPeer(device, checks({ now: at })))).toEqual([hash, hash])
    expect(sentence(device, { now: from - 1 })).toBe('the certificate of the other device is not yet valid')
    expect(sentence(device, { now: to + 1 })).toBe('the certificate of the other device has expired')
  })

  test('takes no word of an authority whose own time is over, or has not come', () => {
    const { validFromDate, validToDate } = authority.certificate
    expect(sentence(alice, { now: validToDate.getTime() + 1 })).toContain('not of an authority of this server')
    expect(sentence(alice, { now: validFromDate.getTime() - 1 })).toContain('not of an authority of this server')
  })

  test('refuses who is of another authority, of none, or of a device, by whatever name', async () => {
    const other = await madeAuthority()
    const lookalike = { certificate: await issueAuthorityCertificate(newKey(), nameOf(authority), validityFrom(now, 3650)), key: newKey() }
    const signedByDevice = await issueDevice(spkiOf(key), { certificate: new X509Certificate(alice), key }, now)
    const selfSigned = await makeCertificate({ commonName: 'Sealwire device', usages: [clientUsage], key })
    const strangers = [(await issueDevice(spkiOf(key), other, now)).certificate, signedByDevice.certificate, selfSigned.certificate.raw]
    strangers.push((await issueDevice(spkiOf(key), { ...authority, key: lookalike.key }, now)).certificate)
    for (const each of strangers) {
      expect(sentence(each)).toBe('the certificate of the other device is not of an authority of this server')
    }
    expect(sentence(alice, { authorities: [] })).toContain('not of an authority')
    expect(sentence(alice, { authorities: [new X509Certificate(alice)] })).toContain('not of an authority')
  })

  test('while the authority is replaced, takes devices of before and after by all that the server lists, and not by one alone', async () => {
    using folder = temporaryFolder()
    const identity = new IdentityFolder(folder.path)
    const load = (at: number) => loadServerIdentity({ folder: folder.path }, { clock: clockAt(at) })
    const before = await load(now)
    const early = await deviceIssuer(folder.path, { clock: clockAt(now) })(spkiOf(key))
    await rotateAuthority(identity, { overlapMs: 30 * dayMs, now: now + dayMs })
    const after = await load(now + dayMs)
    const late = await deviceIssuer(folder.path, { clock: clockAt(now + dayMs) })(spkiOf(key))
    for (const days of [2, 300]) {
      const then = now + days * dayMs
      const listed = certificatesOf((await load(then)).deviceAuthoritiesPem)
      for (const { certificate } of [early, late]) {
        expect(verifyPeer(certificate, checks({ now: then, authorities: listed }))).toBe(hash)
      }
      // What a device keeps of its own enrolment knows only those who enrolled under the same authority.
      const [own, others] = [early, late].map(({ authority: der }) => [new X509Certificate(der)])
      expect(verifyPeer(early.certificate, checks({ now: then, authorities: own ?? [] }))).toBe(hash)
      expect(sentence(late.certificate, { now: then, authorities: own ?? [] })).toContain('not of an authority')
      expect(sentence(early.certificate, { now: then, authorities: others ?? [] })).toContain('not of an authority')
    }
    expect(before.deviceAuthoritiesPem).not.toBe(after.deviceAuthoritiesPem)
  })

  test('takes no device for an authority, also where it stands among them and may sign as far as it says', async () => {
    const signer = await deviceOf(await makeAuthority('a'))
    const { certificate } = await deviceOf({ ...signer, name: 'alice' }, { key })
    expect(certificate.checkIssued(signer.certificate)).toBe(true)
    expect(sentence(certificate.raw, { authorities: [signer.certificate] })).toContain('not of an authority')
  })

  test('refuses what the authority has signed for another use', async () => {
    const request = { ...validityFrom(now, 90), authority, publicKey: new X509Certificate(alice).publicKey, commonName: 'x' }
    const server = await issueServerCertificate({ ...request, hosts: [{ type: 'dns', value: 'localhost' }] })
    const successor = await issueAuthority(key, now)
    const bridge = await issueBridgeCertificate({ ...validityFrom(now, 30), authority, successor })
    for (const each of [server, bridge, successor]) {
      const { raw } = each
      const authorities = [authority.certificate, successor]
      expect(sentence(raw, { authorities })).toBe('the certificate of the other device is not one for devices')
    }
    // Everything goes is not for devices either, and neither is nothing said.
    const signer = await makeAuthority('a')
    const { certificate: both } = await deviceOf(signer, { key, isAuthority: true })
    expect(sentence(both.raw, { authorities: [signer.certificate] })).toContain('not one for devices')
    for (const usages of [['2.5.29.37.0'], undefined]) {
      const { certificate } = await makeCertificate({ commonName: 'x', key, signedBy: signer, ...(usages === undefined ? {} : { usages }) })
      expect(sentence(certificate.raw, { authorities: [signer.certificate] })).toContain('not one for devices')
    }
  })

  test('refuses a key of another kind, and what is no certificate', async () => {
    const signer = await makeAuthority('a')
    const ed25519 = generateKeyPairSync('ed25519').privateKey
    const { certificate } = await deviceOf(signer, { key: ed25519 })
    const authorities = [signer.certificate]
    const devices = new Set([keyHash(certificate)])
    expect(sentence(certificate.raw, { authorities, devices })).toBe('the certificate of the other device has a key of another kind')
    for (const bytes of [new Uint8Array(), Uint8Array.of(0x30, 0), alice.subarray(0, alice.length - 1)]) {
      expect(sentence(bytes)).toBe('the certificate of the other device cannot be read')
    }
  })

  test('takes of all kinds the good one alone', async () => {
    const signer = await makeAuthority('the authority')
    const rows = (await clientCertificateRows(signer, key)).filter(({ leaf }) => leaf !== undefined)
    const taken = rows.filter(({ leaf }) => sentence(leaf?.raw ?? alice, { authorities: [signer.certificate] }) === 'none')
    expect([rows.length, taken.map(({ title }) => title)]).toEqual([9, ['good']])
  })

  test('refuses a certificate of which one bit is another', () => {
    let taken = 0
    for (let at = 0; at < alice.length; at++) {
      const changed = Uint8Array.from(alice)
      changed[at] = (changed[at] ?? 0) ^ 0x01
      if (sentence(changed) === 'none') taken++
    }
    expect(taken).toBe(0)
  })
})

function checks(changes: Partial<PeerChecks> = {}): PeerChecks {
  return { authorities: [former.certificate, authority.certificate], devices: new Set([hash]), now, ...changes }
}

/** What it is refused with; `none` when it is not. */
function sentence(certificate: Uint8Array, changes: Partial<PeerChecks> = {}): string {
  try {
    verifyPeer(certificate, checks(changes))
    return 'none'
  } catch (reason) {
    if (!SealwireError.is(reason) || reason.code !== 'untrusted' || (reason.hint ?? '') === '') throw reason
    return reason.sentence
  }
}

async function madeAuthority(at = now): Promise<Authority> {
  const own: KeyObject = newKey()
  return { key: own, certificate: await issueAuthority(own, at) }
}

async function deviceBy(by: Authority, at = now): Promise<Uint8Array> {
  return (await issueDevice(spkiOf(key), by, at)).certificate
}

function certificatesOf(pem: string): readonly X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).map((each) => new X509Certificate(each))
}

function nameOf({ certificate }: Authority): string {
  return certificate.subject.replace('CN=', '')
}

const clientUsage = '1.3.6.1.5.5.7.3.2'

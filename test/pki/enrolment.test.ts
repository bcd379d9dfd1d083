import { describe, expect, test } from 'bun:test'
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificateRequest, readCertificateRequest, spkiOf } from '../../src/pki/certificate-request.ts'
import { openCose, signCose } from '../../src/pki/cose-sign1.ts'
import { checkX25519Key, type DeviceKeys, deviceKeysPem, newDeviceKeys, readDeviceKeys } from '../../src/pki/device-keys.ts'
import { rawPublicKey } from '../../src/pki/ed25519.ts'
import { deviceId, makeEnrolment, openEnrolment, spkiHash } from '../../src/pki/enrolment.ts'
import { enrolmentPurpose } from '../../src/protocol/contract/cose.ts'
import { type CborValue, encodeCbor, parseParams, parseRequest } from '../../src/protocol/contract/index.ts'
import { FrameDecoder, SealwireError } from '../../src/protocol/index.ts'
import { refusalOf } from '../support/refusal.ts'
import { openssl, opensslFound } from './openssl.ts'

const serverId = Uint8Array.from({ length: 16 }, (_, at) => at)
const keys = newDeviceKeys()
const good = makeEnrolment(keys, serverId)

describe('openEnrolment', () => {
  test('gives the public keys of the device that made it', () => {
    const { spki, spkiHash: hash, ed25519, x25519 } = openEnrolment(good, serverId)
    expect(Buffer.from(spki)).toEqual(Buffer.from(spkiOf(keys.p256)))
    expect(hash).toEqual(spkiHash(spki))
    expect([ed25519, x25519]).toEqual([rawPublicKey(keys.ed25519), rawPublicKey(keys.x25519)])
    expect(deviceId(hash)).toBe(Buffer.from(hash).toString('hex').slice(0, 20))
  })

  test('opens the enrolment in the vectors of the contract', () => {
    const vectors = JSON.parse(readFileSync(new URL('../../vectors/contract/good.json', import.meta.url), 'utf8')) as {
      name: string
      frame: string
    }[]
    const decoder = new FrameDecoder()
    decoder.push(new Uint8Array(Buffer.from(vectors.find(({ name }) => name === 'enrol')?.frame ?? '', 'hex')))
    const params = parseParams('device.enrol', parseRequest(decoder.next()?.body ?? new Uint8Array(0)).params)
    const server = Uint8Array.from({ length: 16 }, (_, at) => at * 16 + 1)
    expect(openEnrolment(params, server).x25519).toHaveLength(32)
    expect(refusal(() => openEnrolment(params, serverId))).toBe('the statement is for another server')
  })

  test('refuses what is for another server, another request or signed by another key', () => {
    const other = newDeviceKeys()
    expect(refusal(() => openEnrolment(good, new Uint8Array(16)))).toBe('the statement is for another server')
    const { csr } = makeEnrolment(other, serverId)
    expect(refusal(() => openEnrolment({ ...good, csr }, serverId))).toBe('the statement is for another key')
    const statement = signCose(payloadOf(keys), enrolmentPurpose, other.ed25519)
    expect(refusal(() => openEnrolment({ ...good, statement }, serverId))).toBe('the statement is signed by another key than its own')
  })

  test('refuses a signature that was made for another purpose', () => {
    const statement = signCose(payloadOf(keys), 'sealwire/pay/1', keys.ed25519)
    expect(refusal(() => openEnrolment({ ...good, statement }, serverId))).toBe('the signature of the statement is wrong')
  })

  test('refuses every single bit that was changed on the way', () => {
    for (const field of ['csr', 'statement'] as const) {
      for (let bit = 0; bit < good[field].length * 8; bit += 5) {
        const bytes = good[field].slice()
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect([bit, refusalOf(() => openEnrolment({ ...good, [field]: bytes }, serverId))]).toEqual([bit, 'enrolment_invalid'])
      }
    }
  })

  test('refuses everything that is cut off or has something behind it', () => {
    for (const field of ['csr', 'statement'] as const) {
      for (let length = 0; length < good[field].length; length++) {
        expect(refusalOf(() => openEnrolment({ ...good, [field]: good[field].slice(0, length) }, serverId))).toBe('enrolment_invalid')
      }
      const longer = new Uint8Array([...good[field], 0])
      expect(refusalOf(() => openEnrolment({ ...good, [field]: longer }, serverId))).toBe('enrolment_invalid')
    }
  })

  test.each<[string, (payload: readonly Uint8Array[]) => CborValue]>([
    ['a field too few', (fields) => fields.slice(0, 3)],
    ['a field too many', (fields) => [...fields, fields[0] ?? 0]],
    ['no array', (fields) => ({ server: fields[0] })],
    ['a text for bytes', (fields) => [...fields.slice(0, 3), 'x'.repeat(32)]],
  ])('refuses a statement with %s', (_, change) => {
    const fields = [serverId, spkiHash(spkiOf(keys.p256)), rawPublicKey(keys.ed25519), rawPublicKey(keys.x25519)]
    const statement = signCose(encodeCbor(change(fields)), enrolmentPurpose, keys.ed25519)
    expect(refusal(() => openEnrolment({ ...good, statement }, serverId))).toBe('the statement does not say what it should')
  })

  test.each(lowOrderX25519())('refuses the X25519 key %s of low order', (hex) => {
    const fields = [serverId, spkiHash(spkiOf(keys.p256)), rawPublicKey(keys.ed25519), new Uint8Array(Buffer.from(hex, 'hex'))]
    const statement = signCose(encodeCbor(fields), enrolmentPurpose, keys.ed25519)
    expect(refusal(() => openEnrolment({ ...good, statement }, serverId))).toBe('the X25519 key is of low order')
  })

  test('refuses an X25519 key of another length', () => {
    expect(refusal(() => checkX25519Key(new Uint8Array(31).fill(9)))).toBe('an X25519 key has 32 bytes')
  })
})

describe('openCose', () => {
  const payload = Uint8Array.of(0x80)
  const header = (hex: string): Uint8Array => new Uint8Array(Buffer.concat([Buffer.from(hex, 'hex'), rawPublicKey(keys.ed25519)]))
  const signed = (protectedHeader: Uint8Array): Uint8Array => {
    const bytes = encodeCbor(['Signature1', protectedHeader, new TextEncoder().encode('test'), payload])
    return new Uint8Array(sign(null, bytes, keys.ed25519))
  }
  const ours = header('a20127045820')

  test('gives what was signed, and the key', () => {
    expect(openCose(signCose(payload, 'test', keys.ed25519), 'test')).toEqual({ signer: rawPublicKey(keys.ed25519), payload })
    expect(openCose(encodeCbor([ours, {}, payload, signed(ours)]), 'test').payload).toEqual(payload)
  })

  test.each<[string, () => CborValue]>([
    ['an unprotected header', () => [ours, { x: 1 }, payload, signed(ours)]],
    ['an array for the unprotected header', () => [ours, [], payload, signed(ours)]],
    ['a key of small order', () => [smallOrderHeader(), {}, payload, new Uint8Array(64)]],
    ['another algorithm', () => [header('a20126045820'), {}, payload, signed(header('a20126045820'))]],
    ['the key id as a longer number', () => [header('a2012704590020'), {}, payload, signed(header('a2012704590020'))]],
    ['a detached payload', () => [ours, {}, null, signed(ours)]],
    ['three parts', () => [ours, {}, payload]],
    ['five parts', () => [ours, {}, payload, signed(ours), 0]],
    ['a short signature', () => [ours, {}, payload, signed(ours).slice(1)]],
    ['a text', () => 'x'],
  ])('refuses %s', (_, make) => {
    expect(refusalOf(() => openCose(encodeCbor(make()), 'test'))).toBe('enrolment_invalid')
  })

  test('refuses a tag, which is another form of the same', () => {
    const tagged = new Uint8Array([0xd2, ...encodeCbor([ours, {}, payload, signed(ours)])])
    expect(refusalOf(() => openCose(tagged, 'test'))).toBe('enrolment_invalid')
  })
})

describe('readCertificateRequest', () => {
  test('reads its own, which has no subject', () => {
    expect(Buffer.from(readCertificateRequest(makeCertificateRequest(keys.p256)))).toEqual(Buffer.from(spkiOf(keys.p256)))
  })

  test.each<[string, () => KeyObject]>([
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ])('refuses a key of the kind %s', (_, make) => {
    expect(refusalOf(() => readCertificateRequest(makeCertificateRequest(make())))).toBe('enrolment_invalid')
  })

  test('refuses a request whose key somebody else has', () => {
    const theirs = makeCertificateRequest(newDeviceKeys().p256)
    const at = Buffer.from(theirs).indexOf(Buffer.from(spkiOf(newP256()).subarray(0, 27)))
    const stolen = theirs.slice()
    stolen.set(spkiOf(keys.p256), at)
    expect(refusal(() => readCertificateRequest(stolen))).toBe('the certificate request is not signed by its own key')
  })

  test('refuses a point that is not on the curve', () => {
    const csr = makeCertificateRequest(keys.p256)
    const at = Buffer.from(csr).indexOf(Buffer.from(spkiOf(keys.p256).subarray(0, 27)))
    csr.fill(0x55, at + 27, at + 91)
    expect(refusalOf(() => readCertificateRequest(csr))).toBe('enrolment_invalid')
  })

  test.skipIf(!opensslFound)('takes what openssl makes, whatever is in its subject, and openssl takes ours', () => {
    using folder = temporary()
    const key = join(folder.path, 'key')
    const path = join(folder.path, 'csr')
    writeFileSync(key, deviceKeysPem(keys).p256)
    const extension = ['-addext', 'subjectAltName=DNS:bank.example,URI:sealwire:device:ffff', '-addext', 'basicConstraints=CA:TRUE']
    openssl('req', '-new', '-key', key, '-sha256', '-subj', '/CN=root/O=Sealwire', ...extension, '-outform', 'DER', '-out', path)
    expect(Buffer.from(readCertificateRequest(new Uint8Array(readFileSync(path))))).toEqual(Buffer.from(spkiOf(keys.p256)))
    openssl('req', '-new', '-key', key, '-sha384', '-subj', '/CN=x', '-outform', 'DER', '-out', path)
    const sha384 = new Uint8Array(readFileSync(path))
    expect(refusal(() => readCertificateRequest(sha384))).toBe('the certificate request is not signed with ECDSA and SHA-256')
    writeFileSync(path, good.csr)
    expect(openssl('req', '-inform', 'DER', '-in', path, '-verify', '-noout', '-text')).toContain('NIST CURVE: P-256')
  })
})

describe('readDeviceKeys', () => {
  test('gives back what was kept', () => {
    const back = readDeviceKeys(deviceKeysPem(keys))
    expect(deviceKeysPem(back)).toEqual(deviceKeysPem(keys))
  })

  test('refuses keys that are mixed up or damaged, and shows nothing of them', () => {
    const pems = deviceKeysPem(keys)
    for (const wrong of [
      { ...pems, p256: pems.ed25519 },
      { ...pems, ed25519: pems.x25519 },
      { ...pems, x25519: 'secret' },
    ]) {
      const reason = caught(() => readDeviceKeys(wrong))
      expect(reason.code).toBe('key_malformed')
      expect(Bun.inspect(reason)).not.toContain('secret')
    }
  })
})

function payloadOf({ p256, ed25519, x25519 }: DeviceKeys): Uint8Array {
  return encodeCbor([serverId, spkiHash(spkiOf(p256)), rawPublicKey(ed25519), rawPublicKey(x25519)])
}

function smallOrderHeader(): Uint8Array {
  return new Uint8Array(Buffer.from(`a20127045820${'01'.padEnd(64, '0')}`, 'hex'))
}

function newP256(): KeyObject {
  return createPrivateKey(deviceKeysPem(newDeviceKeys()).p256)
}

/** The known ones (RFC 7748 and cr.yp.to/ecdh.html), and each with the bit set that X25519 does not look at. */
function lowOrderX25519(): string[] {
  const known = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]
  const withBit = (hex: string): string => hex.slice(0, 62) + (Number.parseInt(hex.slice(62), 16) | 0x80).toString(16).padStart(2, '0')
  return [...known, ...known.map(withBit)]
}

function refusal(action: () => unknown): string {
  const { code, sentence } = caught(action)
  return code === 'enrolment_invalid' ? sentence : code
}

function caught(action: () => unknown): SealwireError {
  try {
    action()
  } catch (reason) {
    return SealwireError.from(reason)
  }
  throw new TypeError('it was not refused')
}

function temporary(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sealwire-enrolment-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import { type IdentityFolder, identityFiles, certificateInvalid, makeAgain } from './identity-folder.ts'
import { issueAuthorityCertificate, validityFrom } from './issue-certificate.ts'

/** A server's own certificate authority: its key is what clients trust. */
export interface Authority {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

/**
 * The authority of a data folder, made if the folder has nothing of an identity yet. A certificate that is missing is
 * made again from the key. `now` is in milliseconds since 1970.
 * @throws {SealwireError} `key_missing`, `key_unsafe`, `key_malformed` or `certificate_invalid`.
 */
export async function openAuthority(folder: IdentityFolder, now: number): Promise<Authority> {
  const key = folder.readKey('ca.key') ?? makeKey(folder)
  const certificate = folder.readCertificates('ca.crt')?.[0]
  if (certificate === undefined) return { key, certificate: await makeCertificate(folder, key, now) }
  check(folder, certificate, key, now)
  return { key, certificate }
}

function makeKey(folder: IdentityFolder): KeyObject {
  const dependent = identityFiles.find((name) => name !== 'ca.key' && folder.has(name))
  if (dependent === undefined) return folder.makeKey('ca.key')
  throw new SealwireError('key_missing', `the key ${folder.pathOf('ca.key')} is missing, though ${dependent} is there`, {
    hint: 'restore it from a backup; without one, move ca.* and server.* away to start with a new identity that every client must trust anew',
  })
}

async function makeCertificate(folder: IdentityFolder, key: KeyObject, now: number): Promise<X509Certificate> {
  const certificate = await issueAuthority(key, now)
  folder.writeCertificates('ca.crt', [certificate])
  return certificate
}

/** The certificate of an authority with this key, valid from `now` on: milliseconds since 1970. */
export async function issueAuthority(key: KeyObject, now: number): Promise<X509Certificate> {
  return issueAuthorityCertificate(key, authorityName(createPublicKey(key)), validityFrom(now, lifeDays))
}

/** The name follows from the key, so a certificate that is made again still is the issuer of everything signed before. */
export function authorityName(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return `Sealwire CA ${createHash('sha256').update(spki).digest('hex').slice(0, 8)}`
}

function check(folder: IdentityFolder, certificate: X509Certificate, key: KeyObject, now: number): void {
  const path = folder.pathOf('ca.crt')
  if (!certificate.checkPrivateKey(key)) throw certificateInvalid(`${path} does not belong to ca.key`, 'restore both from one backup')
  if (!certificate.ca || !certificate.verify(certificate.publicKey))
    throw certificateInvalid(`${path} is not a certificate authority`, makeAgain(path))
  if (now < certificate.validFromDate.getTime()) {
    throw certificateInvalid(`${path} is not valid before ${certificate.validFromDate.toISOString()}`, 'check the clock of this machine')
  }
  if (now > certificate.validToDate.getTime())
    throw certificateInvalid(`${path} expired on ${certificate.validToDate.toISOString()}`, makeAgain(path))
}

const lifeDays = 3650

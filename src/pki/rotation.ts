// Replacing the authority. The whole outcome is first written to one file, `ca-rotation.pem`; from then on the rotation is
// decided, and whoever opens the folder next carries it out to its end. So a crash leaves the old authority or the new one
// and never one's key beside the other's certificate. The old key is gone then: all that it still had to sign, it has signed.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import { authorityName, issueAuthority, openAuthority } from './authority.ts'
import { isSignedBy, readFormerAuthorities } from './former-authorities.ts'
import { certificateInvalid, type IdentityFolder } from './identity-folder.ts'
import { issueAuthorityCertificate, issueBridgeCertificate } from './issue-certificate.ts'

/** How long the overlap may be, in ms. */
export interface RotationOptions {
  /** How long clients that know the old key find a way to the new one. */
  readonly overlapMs: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Replaces the authority of a data folder by one with a new key, for which the old key vouches until the overlap is over.
 * The server's certificate follows when the folder is opened the next time.
 * @throws {SealwireError} `busy` while the overlap of the rotation before is not over; those of `openAuthority`.
 */
export async function rotateAuthority(folder: IdentityFolder, { overlapMs, now }: RotationOptions): Promise<void> {
  finishRotation(folder)
  const old = await openAuthority(folder, now)
  const former = readFormerAuthorities(folder, old, now)
  if (former.bridge !== undefined) throw authorityTooEarly(former.bridge.certificate.validToDate.getTime())
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = await issueAuthority(key, now)
  const bridge = await issueBridgeCertificate({
    authority: old,
    successor: certificate,
    ...since(now, Math.min(now + overlapMs, old.certificate.validToDate.getTime())),
  })
  const root = await lastOfOld(old.key, old.certificate, now)
  folder.writeBundle('ca-rotation.pem', key, [certificate, bridge, root, ...former.certificates])
  finishRotation(folder)
}

/**
 * Carries out a rotation that has been decided; without one it does nothing.
 * @throws {SealwireError} `key_unsafe`, `certificate_invalid`, `storage_full` or `data_unusable`.
 */
export function finishRotation(folder: IdentityFolder): void {
  const text = folder.readBundle('ca-rotation.pem')
  if (text === undefined) return
  const { key, certificate, former } = parseDecision(folder.pathOf('ca-rotation.pem'), text)
  folder.writeCertificates('ca-old.crt', former)
  folder.writeCertificates('ca.crt', [certificate])
  folder.writeKey('ca.key', key)
  folder.remove('ca-rotation.pem')
}

/** The old authority once more, from its own key: with room below it for a bridge, and for as long as a device needs it. */
async function lastOfOld(key: KeyObject, { validToDate }: X509Certificate, now: number): Promise<X509Certificate> {
  return issueAuthorityCertificate(key, authorityName(createPublicKey(key)), since(now, Math.min(now + deviceMs, validToDate.getTime())))
}

function since(now: number, notAfter: number) {
  return { notBefore: now - 5 * minuteMs, notAfter }
}

function parseDecision(path: string, text: string) {
  try {
    const key = createPrivateKey(/-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/.exec(text)?.[0] ?? '')
    const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
    const [certificate, ...former] = pems.map((pem) => new X509Certificate(pem))
    if (certificate !== undefined && certificate.checkPrivateKey(key) && isSignedBy(certificate, certificate))
      return { key, certificate, former }
  } catch (cause) {
    throw unreadable(path, cause)
  }
  throw unreadable(path)
}

function unreadable(path: string, cause?: unknown): SealwireError {
  return certificateInvalid(
    `${path} cannot be read`,
    'restore ca.* and this file from one backup; it holds the new key of the authority',
    cause,
  )
}

/** What is said of a rotation before the overlap of the one before is over, at `until` in milliseconds since 1970. */
export function authorityTooEarly(until: number): SealwireError {
  const end = new Date(until).toISOString()
  return new SealwireError('busy', `the authority was replaced already, and clients still move over until ${end}`, {
    hint: 'wait until then',
  })
}

const minuteMs = 60_000
/** A device certificate lives 365 days; one of them that was issued a moment ago must not outlive its authority. */
const deviceMs = 366 * 24 * 60 * minuteMs

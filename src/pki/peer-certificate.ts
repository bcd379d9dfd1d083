// Two devices of one server face each other without it: each shows its device certificate, and each finds out by itself who the
// other one is. A device certificate is for clients and has no name to dial, so what a TLS library checks of servers would
// refuse it, and has to go on refusing it. This is what is checked instead, on both ends alike: whether an authority of the
// server has made it itself, as one for devices, and whether its key is that of a device that is expected.

import { type KeyObject, X509Certificate } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import { spkiOf } from './certificate-request.ts'
import { spkiHash } from './enrolment.ts'
import { isSignedBy } from './former-authorities.ts'

/** Who may be on the other end. */
export interface PeerChecks {
  /** Those who sign for devices of the server: today's, and the ones before it of which devices still have a certificate. */
  readonly authorities: readonly X509Certificate[]
  /** Whether a device is expected, by the SHA-256 of its SubjectPublicKeyInfo in hex: a map or a set of them, or what looks further. */
  readonly devices: { has(spkiHash: string): boolean }
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * Who has shown this certificate (DER), and has proved to TLS that its key is his: the SHA-256 of his SubjectPublicKeyInfo, in hex.
 * @throws {SealwireError} `untrusted` when it is not the certificate of an expected device.
 */
export function verifyPeer(certificate: Uint8Array, { authorities, devices, now }: PeerChecks): string {
  const { shown, key } = opened(certificate)
  if (!authorities.some((authority) => hasMade(authority, shown, now))) {
    throw refused('is not of an authority of this server', 'the other side may be in the middle of a change: try again later')
  }
  if (shown.ca || shown.keyUsage?.includes(clientAuthentication) !== true) throw refused('is not one for devices', notADevice)
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refused('has a key of another kind', notADevice)
  checkDates(shown, now)
  const hash = hashOf(key)
  if (!devices.has(hash)) throw refused('is of a device that is not expected here', 'it was revoked, or it is somebody else')
  return hash
}

/**
 * Whose certificate (DER) it is, once it was verified: the SHA-256 of the SubjectPublicKeyInfo, in hex.
 * @throws {SealwireError} `untrusted` when it cannot be read.
 */
export function peerKeyHash(certificate: Uint8Array): string {
  return hashOf(opened(certificate).key)
}

function hashOf(key: KeyObject): string {
  return Buffer.from(spkiHash(spkiOf(key))).toString('hex')
}

/** A key of a kind that the runtime does not know makes it throw. */
function opened(certificate: Uint8Array): { readonly shown: X509Certificate; readonly key: KeyObject } {
  try {
    const shown = new X509Certificate(certificate)
    return { shown, key: shown.publicKey }
  } catch (cause) {
    throw refused('cannot be read', notADevice, cause)
  }
}

/** Itself: a device that signs for others is no authority, nor is one whose own time is over. */
function hasMade(authority: X509Certificate, certificate: X509Certificate, now: number): boolean {
  const { validFromDate, validToDate } = authority
  return authority.ca && validFromDate.getTime() <= now && now <= validToDate.getTime() && isSignedBy(certificate, authority)
}

function checkDates({ validFromDate, validToDate }: X509Certificate, now: number): void {
  if (now < validFromDate.getTime()) throw refused('is not yet valid', 'one of the two clocks is wrong')
  if (now > validToDate.getTime()) throw refused('has expired', 'the other device gets a new one when it connects to the server')
}

function refused(why: string, hint: string, cause?: unknown): SealwireError {
  return new SealwireError('untrusted', `the certificate of the other device ${why}`, { cause, hint })
}

const notADevice = 'somebody else may be at that address'
/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
const clientAuthentication = '1.3.6.1.5.5.7.3.2'

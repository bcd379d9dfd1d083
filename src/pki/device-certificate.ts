// The certificate of a device: mutual TLS with it is the device's login. What stands in it is for people: the server goes by
// the key alone, and looks up whose that is.

import { createPublicKey, X509Certificate } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { SealwireError } from '../protocol/errors.ts'
import { type Authority, openAuthority } from './authority.ts'
import { spkiOf } from './certificate-request.ts'
import { deviceId, spkiHash } from './enrolment.ts'
import { IdentityFolder } from './identity-folder.ts'
import { issueClientCertificate, validityFrom } from './issue-certificate.ts'
import { renewalTime } from './server-certificate.ts'

/** A certificate for a device, and by whom. */
export interface IssuedDevice {
  /** For people. */
  readonly id: string
  /** DER. */
  readonly certificate: Uint8Array
  /** DER of the authority that has signed it. */
  readonly authority: Uint8Array
  /** When it expires: milliseconds since 1970. */
  readonly notAfter: number
}

/** Makes the certificate of a device with this SubjectPublicKeyInfo, a P-256 key. */
export type DeviceIssuer = (spki: Uint8Array) => Promise<IssuedDevice>

/**
 * Issues with the authority that a data folder has at that moment.
 * @throws {SealwireError} those of `openAuthority`.
 */
export function deviceIssuer(folder: string, { clock }: { readonly clock: Pick<Clock, 'now'> }): DeviceIssuer {
  return async (spki) => {
    const now = clock.now()
    return issueDevice(spki, await openAuthority(new IdentityFolder(folder), now), now)
  }
}

/** Issues with this authority; the certificate does not outlive it. `now` is in milliseconds since 1970. */
export async function issueDevice(spki: Uint8Array, authority: Authority, now: number): Promise<IssuedDevice> {
  const id = deviceId(spkiHash(spki))
  const { notBefore, notAfter } = validityFrom(now, deviceLifeDays)
  const certificate = await issueClientCertificate({
    authority,
    publicKey: createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
    commonName: `Sealwire device ${id}`,
    uri: `sealwire:device:${id}`,
    notBefore,
    notAfter: Math.min(notAfter, authority.certificate.validToDate.getTime()),
  })
  return {
    id,
    certificate: new Uint8Array(certificate.raw),
    authority: new Uint8Array(authority.certificate.raw),
    notAfter: certificate.validToDate.getTime(),
  }
}

/**
 * The SHA-256 of the SubjectPublicKeyInfo in a certificate (DER): by this a server knows a device.
 * @throws {SealwireError} `certificate_invalid` when it cannot be read.
 */
export function certificateKeyHash(certificate: Uint8Array): Uint8Array {
  try {
    return spkiHash(spkiOf(new X509Certificate(certificate).publicKey))
  } catch (cause) {
    throw new SealwireError('certificate_invalid', 'the certificate of the peer cannot be read', { cause })
  }
}

/** When a device certificate (PEM) has lived two thirds of its life: milliseconds since 1970. */
export function deviceRenewalTime(certificate: string): number {
  return renewalTime(new X509Certificate(certificate))
}

/** The days that a device certificate lives. */
const deviceLifeDays = 365

// The authorities that a server had before: `ca-old.crt`. Two things outlive a rotation. For the time of the overlap the
// old key still vouches for the new one, with the bridge, so that clients that know the old key alone find a way to the
// new. And for as long as a device may have a certificate of the old authority, that one is still good.
//
//   chain of the server:   server ◀─ bridge (new key, by the old) ◀─ old authority      and, for those who know it: new
//                          server ◀─ new authority                                      when the overlap is over
//
// Each certificate in the file says by its own dates how long it counts; what is over is passed over, and left out when the
// file is written the next time.

import type { X509Certificate } from 'node:crypto'
import type { Authority } from './authority.ts'
import type { IdentityFolder } from './identity-folder.ts'

/** What is left of earlier authorities. */
export interface FormerAuthorities {
  /** The way from the authority before to that of today; `undefined` outside an overlap. */
  readonly bridge: Bridge | undefined
  /** Those that a device may still have a certificate from. */
  readonly certificates: readonly X509Certificate[]
}

/** How those who know the old key get to the new one. */
export interface Bridge {
  /** Today's key, signed by the old one. It ends with the overlap. */
  readonly certificate: X509Certificate
  /** The authority before, which has signed it. */
  readonly root: X509Certificate
}

/**
 * What `ca-old.crt` says at the moment `now`, in milliseconds since 1970.
 * @throws {SealwireError} `certificate_invalid` when the file cannot be read.
 */
export function readFormerAuthorities(folder: IdentityFolder, authority: Authority, now: number): FormerAuthorities {
  const valid = (folder.readCertificates('ca-old.crt') ?? []).filter((certificate) => now < certificate.validToDate.getTime())
  const certificates = valid.filter((certificate) => isSignedBy(certificate, certificate))
  return { bridge: bridgeTo(authority, valid, certificates), certificates }
}

/** Whether `issuer` has made `certificate`, by name and by signature. */
export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    // A key of a kind that the runtime does not know.
    return false
  }
}

function bridgeTo(authority: Authority, valid: readonly X509Certificate[], roots: readonly X509Certificate[]): Bridge | undefined {
  const certificate = valid.find((each) => !roots.includes(each) && each.checkPrivateKey(authority.key))
  const root = certificate && roots.find((each) => isSignedBy(certificate, each))
  return root === undefined || certificate === undefined ? undefined : { certificate, root }
}

// The identity that a server shows at one moment, whoever has made its certificate.

import { X509Certificate } from 'node:crypto'
import type { TlsIdentity } from '../../link/index.ts'
import { spkiPin } from '../../pki/index.ts'
import type { OwnCertificate } from '../../pki/own-certificate.ts'
import type { ServerIdentity } from '../../pki/server-identity.ts'

/** Where a certificate is from: the server's own authority, `cert import`, or the files of `serve --cert`. */
export type CertificateSource = 'authority' | 'imported' | 'files'

export interface LiveIdentity {
  readonly source: CertificateSource
  /** What a TLS server is given. */
  readonly tls: TlsIdentity
  /** The server's certificate. */
  readonly certificate: X509Certificate
  /** The pin by which clients know the server: of its root. */
  readonly fingerprint: string
  /** The server's own authority and what it has issued; also where the certificate is somebody else's. */
  readonly own: ServerIdentity
  /** From when on loading it again makes something new: milliseconds since 1970. */
  readonly dueAt: number
}

/** The identity with the operator's certificate, where there is one, else with that of the server's own authority. */
export function liveIdentity(source: CertificateSource, own: ServerIdentity, foreign?: OwnCertificate): LiveIdentity {
  const certificateChain = foreign?.chain.join('') ?? own.certificateChainPem
  const key = foreign?.key.export({ type: 'pkcs8', format: 'pem' }).toString() ?? own.keyPem
  return {
    source,
    // The key is exported once: connections are given the same object until there is another identity.
    tls: Object.freeze({ certificateChain, key, deviceAuthorities: own.deviceAuthoritiesPem }),
    certificate: foreign?.chain[0] ?? new X509Certificate(own.certificateChainPem),
    fingerprint: foreign === undefined ? own.fingerprint : pinOfRoot(foreign),
    own,
    dueAt: Math.min(own.renewAt, own.overlap?.until ?? Infinity),
  }
}

function pinOfRoot({ chain }: OwnCertificate): string {
  return spkiPin(chain.at(-1) ?? chain[0])
}

// Those who sign the certificates of devices, for clients that check each other's themselves (direct.md). The server is given
// them as PEM, that of today first and then the ones before it, newest first: what TLS goes by as well.

import { X509Certificate } from 'node:crypto'
import type { Clock } from '../../domain/index.ts'
import type { TlsIdentity } from '../../link/index.ts'
import { limitTable } from '../../protocol/index.ts'

/** What an identity says of them, in DER: those whose own time is not over, as many as one answer names. */
export function deviceAuthorities(identity: () => TlsIdentity, clock: Pick<Clock, 'now'>): () => readonly Uint8Array[] {
  let read: string | undefined
  let known: readonly X509Certificate[] = []
  return () => {
    const { deviceAuthorities: text = '' } = identity()
    if (text !== read) known = certificatesOf(text)
    read = text
    const now = clock.now()
    const valid = known.filter(({ validToDate }) => now < validToDate.getTime())
    return valid.slice(0, limitTable.directAuthoritiesMax.value).map(({ raw }) => new Uint8Array(raw))
  }
}

function certificatesOf(text: string): readonly X509Certificate[] {
  return (text.match(pemCertificate) ?? []).map((pem) => new X509Certificate(pem))
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

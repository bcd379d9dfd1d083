import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import type { Authority } from './authority.ts'
import { type CertificateHost, coversHost } from './certificate-host.ts'
import { type IdentityFolder, certificateInvalid, makeAgain } from './identity-folder.ts'
import { issueServerCertificate, validityFrom } from './issue-certificate.ts'

/** What a TLS server shows and proves: its own certificate, the authority's, and the key of the first. */
export interface ServerCertificate {
  readonly chain: readonly [leaf: X509Certificate, authority: X509Certificate]
  readonly key: KeyObject
}

/**
 * The server certificate of a data folder, issued anew when there is none, when it does not cover all of `hosts`, when
 * two thirds of its life are over, or when the file does not end with today's authority. The key stays: one file
 * changes, so a crash can never leave a key beside another key's certificate. `now` is in milliseconds since 1970.
 * @throws {SealwireError} `key_missing`, `key_unsafe`, `key_malformed` or `certificate_invalid`.
 */
export async function openServerCertificate(
  folder: IdentityFolder,
  authority: Authority,
  hosts: readonly CertificateHost[],
  now: number,
): Promise<ServerCertificate> {
  const key = folder.readKey('server.key') ?? makeKey(folder)
  const [leaf, issuer] = folder.readCertificates('server.crt') ?? []
  if (leaf !== undefined) check(folder, leaf, { authority, key, now })
  const current = leaf !== undefined && issuer?.fingerprint256 === authority.certificate.fingerprint256
  if (current && now < renewalTime(leaf) && hosts.every((host) => coversHost(leaf, host))) {
    return { key, chain: [leaf, authority.certificate] }
  }
  return { key, chain: await issue(folder, authority, key, { hosts, now }) }
}

/** When two thirds of a certificate's life are over: milliseconds since 1970. */
export function renewalTime(certificate: X509Certificate): number {
  const from = certificate.validFromDate.getTime()
  return from + Math.floor((2 * (certificate.validToDate.getTime() - from)) / 3)
}

function makeKey(folder: IdentityFolder): KeyObject {
  if (!folder.has('server.crt')) return folder.makeKey('server.key')
  throw new SealwireError('key_missing', `the key ${folder.pathOf('server.key')} is missing, though server.crt is there`, {
    hint: `restore it from a backup, or move ${folder.pathOf('server.crt')} away: both are made anew, and the fingerprint stays the same`,
  })
}

interface CheckContext {
  readonly authority: Authority
  readonly key: KeyObject
  readonly now: number
}

/** Its age is no reason to refuse: one that is too old is replaced. */
function check(folder: IdentityFolder, leaf: X509Certificate, { authority, key, now }: CheckContext): void {
  const path = folder.pathOf('server.crt')
  if (!leaf.checkPrivateKey(key)) throw certificateInvalid(`${path} does not belong to server.key`, makeAgain(path))
  if (!leaf.checkIssued(authority.certificate) || !leaf.verify(authority.certificate.publicKey)) {
    throw certificateInvalid(`${path} is not signed by ca.key`, makeAgain(path))
  }
  if (now < leaf.validFromDate.getTime()) {
    throw certificateInvalid(
      `${path} is not valid before ${leaf.validFromDate.toISOString()}`,
      `check the clock of this machine; if it is right, ${makeAgain(path)}`,
    )
  }
}

async function issue(
  folder: IdentityFolder,
  authority: Authority,
  key: KeyObject,
  { hosts, now }: { readonly hosts: readonly CertificateHost[]; readonly now: number },
): Promise<ServerCertificate['chain']> {
  const { notBefore, notAfter } = validityFrom(now, lifeDays)
  const leaf = await issueServerCertificate({
    authority,
    publicKey: createPublicKey(key),
    commonName: 'Sealwire server',
    hosts,
    notBefore,
    // Nothing that the authority signed outlives it.
    notAfter: Math.min(notAfter, authority.certificate.validToDate.getTime()),
  })
  const chain = [leaf, authority.certificate] as const
  folder.writeCertificates('server.crt', chain)
  return chain
}

const lifeDays = 90

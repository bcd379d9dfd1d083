import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import type { Authority } from './authority.ts'
import { type CertificateHost, coversHost } from './certificate-host.ts'
import { type FormerAuthorities, isSignedBy } from './former-authorities.ts'
import { type IdentityFolder, certificateInvalid, makeAgain } from './identity-folder.ts'
import { issueServerCertificate, validityFrom } from './issue-certificate.ts'

/** What a TLS server shows and proves: its own certificate, the authorities', and the key of the first. */
export interface ServerCertificate {
  /** Ends with today's authority; during an overlap the bridge and the authority before stand in between. */
  readonly chain: readonly [leaf: X509Certificate, next: X509Certificate, ...others: X509Certificate[]]
  readonly key: KeyObject
}

/** What else there is to know. */
export interface ServerCertificateOptions {
  /** Default: none. */
  readonly former?: FormerAuthorities
  /** Issue it anew whatever the old one is like. Default: false. */
  readonly renew?: boolean
}

/**
 * The server certificate of a data folder, issued anew when there is none, when it does not cover all of `hosts`, when
 * two thirds of its life are over, or when it is not from today's authority. The key stays: one file
 * changes, so a crash can never leave a key beside another key's certificate. `now` is in milliseconds since 1970.
 * @throws {SealwireError} `key_missing`, `key_unsafe`, `key_malformed` or `certificate_invalid`.
 */
export async function openServerCertificate(
  folder: IdentityFolder,
  authority: Authority,
  hosts: readonly CertificateHost[],
  now: number,
  { former = noFormer, renew = false }: ServerCertificateOptions = {},
): Promise<ServerCertificate> {
  const key = folder.readKey('server.key') ?? makeKey(folder)
  const [leaf, ...found] = folder.readCertificates('server.crt') ?? []
  const shown = authoritiesShown(authority, former)
  if (leaf !== undefined) check(folder, leaf, { authority, former, key, now })
  if (leaf === undefined || renew || isDue(leaf, found, { authority, hosts, now })) {
    const chain = [await issue(authority, key, { hosts, now }), ...shown] as const
    folder.writeCertificates('server.crt', chain)
    return { key, chain }
  }
  const chain = [leaf, ...shown] as const
  if (!isSame(found, shown)) folder.writeCertificates('server.crt', chain)
  return { key, chain }
}

/** The bridge stands first: who knows the old authority alone, and takes the first issuer that fits, must not miss it. */
function authoritiesShown({ certificate }: Authority, { bridge }: FormerAuthorities): readonly [X509Certificate, ...X509Certificate[]] {
  return bridge === undefined ? [certificate] : [bridge.certificate, bridge.root, certificate]
}

function isDue(leaf: X509Certificate, found: readonly X509Certificate[], { authority, hosts, now }: DueContext): boolean {
  const issuer = found.at(-1)?.fingerprint256
  const isCurrent = issuer === authority.certificate.fingerprint256 && isSignedBy(leaf, authority.certificate)
  return !isCurrent || now >= renewalTime(leaf) || !hosts.every((host) => coversHost(leaf, host))
}

function isSame(some: readonly X509Certificate[], others: readonly X509Certificate[]): boolean {
  const [one, other] = [some, others].map((list) => list.map(({ fingerprint256 }) => fingerprint256).join())
  return one === other
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

interface DueContext {
  readonly authority: Authority
  readonly hosts: readonly CertificateHost[]
  readonly now: number
}

interface CheckContext {
  readonly authority: Authority
  readonly former: FormerAuthorities
  readonly key: KeyObject
  readonly now: number
}

/** Its age is no reason to refuse: one that is too old is replaced. */
function check(folder: IdentityFolder, leaf: X509Certificate, { authority, former, key, now }: CheckContext): void {
  const path = folder.pathOf('server.crt')
  if (!leaf.checkPrivateKey(key)) throw certificateInvalid(`${path} does not belong to server.key`, makeAgain(path))
  if (![authority.certificate, ...former.certificates].some((issuer) => isSignedBy(leaf, issuer))) {
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
  authority: Authority,
  key: KeyObject,
  { hosts, now }: { readonly hosts: readonly CertificateHost[]; readonly now: number },
): Promise<X509Certificate> {
  const { notBefore, notAfter } = validityFrom(now, lifeDays)
  return issueServerCertificate({
    authority,
    publicKey: createPublicKey(key),
    commonName: 'Sealwire server',
    hosts,
    notBefore,
    // Nothing that the authority signed outlives it.
    notAfter: Math.min(notAfter, authority.certificate.validToDate.getTime()),
  })
}

const lifeDays = 90
const noFormer: FormerAuthorities = { bridge: undefined, certificates: [] }

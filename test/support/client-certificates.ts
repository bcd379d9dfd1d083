// Client certificates of every kind, with what a listener should make of each: the rows of the matrix.

import { createHash, generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { type CertificateRequest, makeCertificate, newKey, type Signer } from './certificates.ts'

/** Who shows a certificate, and whether it should get him in. */
export interface ClientCertificateRow {
  readonly title: string
  /** In PEM, leaf first; empty for who shows none. */
  readonly chain: string
  readonly key: string
  /** What proves who he is. */
  readonly leaf: X509Certificate | undefined
  readonly expected: 'anonymous' | 'known' | 'refused'
}

/** An authority whose key the test has, and the name that it signs with. */
export interface NamedSigner extends Signer {
  readonly name: string
}

export async function makeAuthority(name: string): Promise<NamedSigner> {
  return { name, ...(await makeCertificate({ commonName: name, isAuthority: true })) }
}

/** A certificate that `authority` has signed for a device. */
export function deviceOf(authority: NamedSigner, request: Partial<CertificateRequest> = {}): Promise<Signer> {
  return makeCertificate({ commonName: 'alice', usages: [clientUsage], signedBy: authority, ...request })
}

/** One row of each kind, those whom `authority` knows first; all for the same key where it can be. */
export async function clientCertificateRows(authority: NamedSigner, key = newKey()): Promise<readonly ClientCertificateRow[]> {
  const stranger = await makeAuthority('a stranger')
  const lookalike = await makeAuthority(authority.name)
  const good = await deviceOf(authority, { key })
  const signedByDevice = await deviceOf({ ...good, name: 'alice' }, { key })
  return [
    { title: 'none', chain: '', key: '', leaf: undefined, expected: 'anonymous' },
    row('good', good, 'known'),
    row('expired', await deviceOf(authority, { key, until: -1 })),
    row('not yet valid', await deviceOf(authority, { key, from: 1, until: 2 })),
    row('of another authority', await deviceOf(stranger, { key }), 'refused', stranger.certificate),
    row('of another authority with the same name', await deviceOf(lookalike, { key }), 'refused', lookalike.certificate),
    row('for servers only', await deviceOf(authority, { key, usages: [serverUsage] })),
    row('self-signed with the same name', await makeCertificate({ commonName: 'alice', usages: [clientUsage], key })),
    row('signed by a device', signedByDevice, 'refused', good.certificate),
    row('self-signed with a key of another kind', await selfSignedEd25519()),
  ]
}

/** The SHA-256 of a certificate's key, in hex: who a device is. */
export function keyHash(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function row(
  title: string,
  { certificate, key }: Pick<Signer, 'certificate' | 'key'>,
  expected: ClientCertificateRow['expected'] = 'refused',
  ...issuers: readonly X509Certificate[]
): ClientCertificateRow {
  return { title, chain: [certificate, ...issuers].join(''), key: pemOf(key), leaf: certificate, expected }
}

export function selfSignedEd25519(): Promise<Pick<Signer, 'certificate' | 'key'>> {
  return makeCertificate({ commonName: 'alice', usages: [clientUsage], key: generateKeyPairSync('ed25519').privateKey })
}

const clientUsage = '1.3.6.1.5.5.7.3.2'
const serverUsage = '1.3.6.1.5.5.7.3.1'

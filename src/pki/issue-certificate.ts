// The only place that writes certificates. Its library takes longer to load than all the rest of a start, so it is
// loaded when something has to be made and not before; whatever only reads certificates uses node:crypto.

import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import type * as library from '@peculiar/x509'
import type { CertificateHost } from './certificate-host.ts'

/** From when to when a certificate is valid: milliseconds since 1970, kept to the second. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

/** Valid for `days` from `now`, and for five minutes before, so that a client whose clock is a little behind accepts it. */
export function validityFrom(now: number, days: number): Validity {
  return { notBefore: now - 5 * minuteMs, notAfter: now + days * dayMs }
}

/**
 * A certificate that `key` signs for itself. It may sign certificates of servers and devices, and one of the authority that
 * will take its place: whoever trusts this one alone can then follow.
 */
export async function issueAuthorityCertificate(key: KeyObject, commonName: string, validity: Validity): Promise<X509Certificate> {
  const x509 = await loadLibrary()
  const keys = { publicKey: await verifyingKey(createPublicKey(key)), privateKey: await signingKey(key) }
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(validity),
    name: [{ CN: [commonName] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return new X509Certificate(Buffer.from(certificate.rawData))
}

export interface BridgeRequest extends Validity {
  /** The authority that vouches. */
  readonly authority: { readonly certificate: X509Certificate; readonly key: KeyObject }
  /** The authority that takes its place: the certificate that it has signed for itself. */
  readonly successor: X509Certificate
}

/** A certificate by which an authority vouches for the key of the one that takes its place. */
export async function issueBridgeCertificate(request: BridgeRequest): Promise<X509Certificate> {
  const x509 = await loadLibrary()
  const authority = new x509.X509Certificate(request.authority.certificate.raw)
  const successor = new x509.X509Certificate(request.successor.raw)
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(request),
    subject: successor.subjectName,
    issuer: authority.subjectName,
    publicKey: successor.publicKey,
    signingKey: await signingKey(request.authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(successor.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return new X509Certificate(Buffer.from(certificate.rawData))
}

/** What certificates of servers and devices have in common. */
interface LeafRequest extends Validity {
  readonly authority: { readonly certificate: X509Certificate; readonly key: KeyObject }
  readonly publicKey: KeyObject
  readonly commonName: string
}

export interface ServerCertificateRequest extends LeafRequest {
  readonly hosts: readonly CertificateHost[]
}

/** A certificate with which a TLS server proves that it is one of `hosts`. */
export function issueServerCertificate(request: ServerCertificateRequest): Promise<X509Certificate> {
  return issueLeaf(request, 'serverAuth', request.hosts)
}

export interface DeviceCertificateRequest extends LeafRequest {
  /** For people and for other programs; whoever checks the certificate goes by its key. */
  readonly uri: string
}

/** A certificate with which a TLS client proves that it is a device. */
export function issueClientCertificate(request: DeviceCertificateRequest): Promise<X509Certificate> {
  return issueLeaf(request, 'clientAuth', [{ type: 'url', value: request.uri }])
}

async function issueLeaf(
  request: LeafRequest,
  usage: 'serverAuth' | 'clientAuth',
  alternativeNames: readonly library.JsonGeneralName[],
): Promise<X509Certificate> {
  const x509 = await loadLibrary()
  const authority = new x509.X509Certificate(request.authority.certificate.raw)
  const publicKey = await verifyingKey(request.publicKey)
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(request),
    subject: [{ CN: [request.commonName] }],
    issuer: authority.subjectName,
    publicKey,
    signingKey: await signingKey(request.authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
      new x509.SubjectAlternativeNameExtension([...alternativeNames]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return new X509Certificate(Buffer.from(certificate.rawData))
}

async function loadLibrary(): Promise<typeof library> {
  // The library's decorators need this global, so it comes first.
  await import('reflect-metadata')
  return await import('@peculiar/x509')
}

function common({ notBefore, notAfter }: Validity) {
  return {
    serialNumber: serialNumber(),
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: ecdsaSha256,
  }
}

/** 16 random octets as hex. The first is 0x40 to 0x7f: positive, and exactly 16 octets long in DER (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const octets = randomBytes(16)
  octets.writeUInt8((octets.readUInt8(0) & 0x3f) | 0x40, 0)
  return octets.toString('hex')
}

async function signingKey(key: KeyObject): Promise<CryptoKey> {
  return await crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), p256, false, ['sign'])
}

async function verifyingKey(key: KeyObject): Promise<CryptoKey> {
  return await crypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), p256, true, ['verify'])
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ecdsaSha256 = { name: 'ECDSA', hash: 'SHA-256' } as const

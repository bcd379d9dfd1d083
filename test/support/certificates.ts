// Certificates that the product itself would never make.

import 'reflect-metadata'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { TlsIdentity } from '../../src/link/index.ts'
import { spkiPin } from '../../src/pki/index.ts'

export interface Signer {
  readonly certificate: X509Certificate
  readonly key: KeyObject
  readonly pin: string
}

export interface CertificateRequest {
  readonly commonName: string
  /** Default: none, and no extension for them. */
  readonly names?: readonly string[]
  readonly isAuthority?: boolean
  /** Extended key usages by their numbers. Default: none, and no extension for them. */
  readonly usages?: readonly string[]
  /** In days from now. Default: 2 days ago. */
  readonly from?: number
  /** In days from now. Default 1. */
  readonly until?: number
  /** P-256 or Ed25519. Default: a fresh one of P-256. */
  readonly key?: KeyObject
  /** Default: signs itself. */
  readonly signedBy?: { readonly name: string; readonly key: KeyObject }
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** Whatever is asked for, signed by whoever. */
export async function makeCertificate(request: CertificateRequest): Promise<Signer> {
  const { commonName, names, usages, isAuthority = false, from = -2, until = 1, key = newKey(), signedBy } = request
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(isAuthority, undefined, true)]
  if (names !== undefined) extensions.push(new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))))
  if (usages !== undefined) extensions.push(new x509.ExtendedKeyUsageExtension([...usages]))
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: '41'.repeat(16),
    notBefore: new Date(Date.now() + from * dayMs),
    notAfter: new Date(Date.now() + until * dayMs),
    subject: `CN=${commonName}`,
    issuer: `CN=${signedBy?.name ?? commonName}`,
    publicKey: (await keyPair(key)).publicKey,
    signingKey: (await keyPair(signedBy?.key ?? key)).privateKey,
    signingAlgorithm: { ...algorithmOf(signedBy?.key ?? key), hash: 'SHA-256' },
    extensions,
  })
  const certificate = new X509Certificate(Buffer.from(made.rawData))
  return { certificate, key, pin: spkiPin(certificate) }
}

/** What a server shows when it has this key and these certificates. */
export function identityOf(key: KeyObject, ...chain: readonly X509Certificate[]): TlsIdentity {
  return { certificateChain: chain.join(''), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

async function keyPair(key: KeyObject): Promise<CryptoKeyPair> {
  const algorithm = algorithmOf(key)
  const jwk = key.export({ format: 'jwk' })
  const { d: _, ...open } = jwk
  return {
    privateKey: await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', open, algorithm, true, ['verify']),
  }
}

function algorithmOf(key: KeyObject) {
  return key.asymmetricKeyType === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' }
}

const dayMs = 24 * 60 * 60 * 1000

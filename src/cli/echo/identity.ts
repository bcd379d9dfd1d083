// The certificate of the echo server: the files it was given, as the first seed was, or the identity of a data folder,
// which is made there if it is not. Files that somebody else made may be as they are: what is doubtful about them is a
// warning. What we make ourselves has to be in order.

import type { X509Certificate } from 'node:crypto'
import { existsSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../../domain/index.ts'
import type { TlsIdentity } from '../../link/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { parseCertificates, parseKey, readText } from './pem.ts'
import { quote } from '../terminal/escape.ts'

/** Where an identity comes from: two files in PEM (`named` on the command line, or found), or a data folder. */
export type EchoIdentitySource =
  | { readonly kind: 'files'; readonly certificate: string; readonly key: string; readonly named: boolean }
  | { readonly kind: 'data'; readonly folder: string }

export interface EchoIdentity {
  readonly tls: TlsIdentity
  /** The file with which a client trusts this server, if there is one that we know of. */
  readonly authority: string | undefined
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
}

/**
 * Loads, and in a data folder makes, a certificate and its key.
 * @throws {SealwireError} `certificate_invalid`, `key_missing` or `key_malformed` for files; what `loadServerIdentity`
 * and `lockData` throw for a data folder.
 */
export async function loadEchoIdentity(source: EchoIdentitySource, { clock }: { readonly clock: Clock }): Promise<EchoIdentity> {
  if (source.kind === 'files') return fromFiles(source.certificate, source.key, clock)
  const { folder } = source
  try {
    return await fromData(folder, clock)
  } catch (reason) {
    const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')]
    // A server that runs on this folder keeps its certificate in order: it can be shared, only not made.
    const inUse = SealwireError.is(reason) && reason.code === 'data_locked'
    if (!inUse || !existsSync(certificate) || !existsSync(key)) throw reason
    const shared = fromFiles(certificate, key, clock)
    const authority = authorityOf(folder)
    return existsSync(authority) ? { ...shared, authority } : shared
  }
}

async function fromData(folder: string, clock: Clock): Promise<EchoIdentity> {
  // Loaded only here: with files of one's own, neither a database nor the making of certificates has a part.
  const [{ lockData }, { loadServerIdentity }] = await Promise.all([import('../../store/index.ts'), import('../../pki/index.ts')])
  using _lock = lockData(folder)
  const { certificateChainPem, keyPem } = await loadServerIdentity({ folder }, { clock })
  return { tls: { certificateChain: certificateChainPem, key: keyPem }, authority: authorityOf(folder), warnings: [] }
}

function authorityOf(folder: string): string {
  return join(folder, 'ca.crt')
}

function fromFiles(certificatePath: string, keyPath: string, clock: Clock): EchoIdentity {
  const certificateChain = readText(certificatePath, 'certificate_invalid', 'certificate')
  const chain = parseCertificates(certificatePath, certificateChain)
  const key = readText(keyPath, 'key_missing', 'key')
  const [leaf] = chain
  if (!leaf.checkPrivateKey(parseKey(keyPath, key))) {
    throw new SealwireError(
      'certificate_invalid',
      `the certificate ${quote(certificatePath)} does not belong to the key ${quote(keyPath)}`,
      {
        hint: 'give the two that were made together',
      },
    )
  }
  refuseUnusable(certificatePath, { certificateChain, key })
  const warnings = [permissionWarning(keyPath), dateWarning(certificatePath, leaf, clock.now())].filter((text) => text !== undefined)
  const root = chain.find((certificate) => certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey))
  return { tls: { certificateChain, key }, authority: root === undefined ? undefined : certificatePath, warnings }
}

/** A pair that TLS cannot use would otherwise fail at every handshake, without a word. */
function refuseUnusable(path: string, { certificateChain, key }: TlsIdentity): void {
  try {
    createSecureContext({ cert: certificateChain, key })
  } catch (cause) {
    throw new SealwireError('certificate_invalid', `the certificate ${quote(path)} cannot be used for TLS`, {
      cause,
      hint: 'make one for a P-256 or RSA key',
    })
  }
}

function permissionWarning(path: string): string | undefined {
  const stats = statSync(path)
  if (process.platform === 'win32' || !stats.isFile() || (stats.mode & 0o077) === 0) return undefined
  return `the key ${quote(path)} is open to other users (mode ${modeOf(stats)}). run: chmod 600 ${path}`
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

function dateWarning(path: string, { validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (now > validToDate.getTime()) return `the certificate ${quote(path)} expired on ${validToDate.toISOString()}: clients refuse it`
  if (now >= validFromDate.getTime()) return undefined
  return `the certificate ${quote(path)} is not valid before ${validFromDate.toISOString()}: clients refuse it`
}

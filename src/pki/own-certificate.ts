// The operator's own certificate, made by whatever tool: a chain and its key, in two files or in one. Everything that clients
// would stumble over is checked before it serves anybody, so that a bad pair, or a half-written one, is a sentence for the
// operator and not a failed handshake for everybody else.

import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Stats } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { SealwireError } from '../protocol/errors.ts'
import { certificateInvalid, type IdentityFolder, parseCertificates, readText } from './identity-folder.ts'
import { checkLeaf, pathToRoot } from './own-chain.ts'
import { parseOwnKey } from './own-key.ts'

/** Where the two are; absolute paths. */
export interface OwnFiles {
  /** The certificates in PEM, the server's own and those that lead to its root. */
  readonly certificate: string
  /** The private key in PEM, without a passphrase. */
  readonly key: string
}

/** A pair that was found sound. */
export interface OwnCertificate {
  /** From the server's own certificate to a root that has signed itself. */
  readonly chain: readonly [leaf: X509Certificate, ...others: X509Certificate[]]
  readonly key: KeyObject
}

/** The two as texts, and what to call them in errors. */
export interface OwnTexts {
  readonly certificate: string
  readonly key: string
  readonly names: OwnFiles
}

/**
 * Reads the two files and checks them at the moment `now`, in milliseconds since 1970.
 * @throws {SealwireError} `key_missing`, `key_unsafe` when anybody may read or change the key; as {@link checkOwnCertificate}.
 */
export function readOwnCertificate(files: OwnFiles, now: number): OwnCertificate {
  return checkOwnCertificate(readOwnTexts(files), now)
}

/**
 * Reads the two files.
 * @throws {SealwireError} `key_missing`, `key_unsafe`, `certificate_invalid` when there is none, `data_unusable`.
 */
export function readOwnTexts(names: OwnFiles): OwnTexts {
  const certificate = readText(names.certificate)
  if (certificate === undefined) throw certificateInvalid(`${names.certificate} is missing`, 'check the path')
  const key = readText(names.key, (stats) => refuseOpen(names.key, stats))
  if (key === undefined) throw new SealwireError('key_missing', `the key ${names.key} is missing`, { hint: 'check the path' })
  return { certificate, key, names }
}

/**
 * Checks that the two belong together and that clients accept them.
 * @throws {SealwireError} `key_malformed` when the key is none, has a passphrase, or is too weak; `certificate_invalid` when
 * the chain does not belong to the key, is incomplete, weak, not for servers, without names, or not valid now.
 */
export function checkOwnCertificate({ certificate, key: keyText, names }: OwnTexts, now: number): OwnCertificate {
  const key = parseOwnKey(names.key, keyText)
  const [leaf, ...others] = parseCertificates(names.certificate, certificate, 'it must be whole and in PEM: -----BEGIN CERTIFICATE-----')
  if (!leaf.checkPrivateKey(key)) {
    throw certificateInvalid(`${names.certificate} does not belong to the key ${names.key}`, 'give the two that were made together')
  }
  checkLeaf(names.certificate, leaf, now)
  const chain = pathToRoot(names.certificate, leaf, others, now)
  checkUsable(names.certificate, chain, key)
  return { chain, key }
}

/**
 * The pair that was imported into a data folder, or `undefined`.
 * @throws {SealwireError} as {@link readOwnCertificate}.
 */
export function readImported(folder: IdentityFolder, now: number): OwnCertificate | undefined {
  const text = folder.readBundle('imported.pem')
  if (text === undefined) return undefined
  const path = folder.pathOf('imported.pem')
  return checkOwnCertificate({ certificate: text, key: text, names: { certificate: path, key: path } }, now)
}

/** What the TLS library itself refuses would otherwise fail at every handshake, without a word. */
function checkUsable(path: string, chain: OwnCertificate['chain'], key: KeyObject): void {
  try {
    createSecureContext({ cert: chain.join(''), key: key.export({ type: 'pkcs8', format: 'pem' }) })
  } catch (cause) {
    throw certificateInvalid(`${path} cannot be used for TLS`, 'make one for a P-256 or RSA key', cause)
  }
}

/** The key may be of a group that tools share it with (0640), and root's; everybody else's hands are kept off. */
function refuseOpen(path: string, stats: Stats): void {
  if (process.platform === 'win32') return
  if (stats.uid !== process.getuid?.() && stats.uid !== 0) {
    throw new SealwireError('key_unsafe', `the key ${path} belongs to another user (id ${stats.uid})`, {
      hint: `give the file to the user who runs this, or to root: chown ${process.getuid?.()} ${path}`,
    })
  }
  if ((stats.mode & 0o027) === 0) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  throw new SealwireError('key_unsafe', `the key ${path} is open to other users (mode ${mode})`, { hint: `run: chmod 600 ${path}` })
}

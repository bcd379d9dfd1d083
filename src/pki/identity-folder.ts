// The files of a server's identity. Keys are the identity: one that is missing is never replaced while something
// that depends on it is there. Certificates follow from the keys and can be made again. First start writes them in the
// order of `identityFiles`, each whole, so a crash leaves a beginning of that row, and the next start makes the rest. What
// comes later in the life of a server are files of their own (`laterFiles`): most folders have none of them.

import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { SealwireError } from '../protocol/errors.ts'
import { errorCode, makeFolder, removeDurably, sweepTemporaries, unusable, writeDurably } from './durable-file.ts'

/** The files, in the order in which the first start makes them. */
export const identityFiles = ['ca.key', 'ca.crt', 'server.key', 'server.crt'] as const

/**
 * `ca-old.crt`: the authorities that were replaced (former-authorities.ts) · `ca-rotation.pem`: a rotation that has been
 * decided and is being carried out (rotation.ts) · `imported.pem`: the operator's own key and chain.
 */
export const laterFiles = ['ca-old.crt', 'ca-rotation.pem', 'imported.pem'] as const

/** A file of the identity, by its name in the data folder. */
export type IdentityFile = (typeof identityFiles)[number] | (typeof laterFiles)[number]
export type KeyFile = 'ca.key' | 'server.key'
export type CertificateFile = 'ca.crt' | 'server.crt' | 'ca-old.crt'
/** A key and certificates in one file, so that they change together. */
export type BundleFile = 'ca-rotation.pem' | 'imported.pem'

/** Reads, checks and writes the identity files of one data folder. The caller holds the folder's lock. */
export class IdentityFolder {
  readonly path: string
  readonly #written: IdentityFile[] = []

  constructor(path: string) {
    this.path = path
  }

  /** What was written through this object, in order. */
  get written(): readonly IdentityFile[] {
    return [...this.#written]
  }

  pathOf(name: IdentityFile): string {
    return join(this.path, name)
  }

  has(name: IdentityFile): boolean {
    try {
      return lstatSync(this.pathOf(name), { throwIfNoEntry: false }) !== undefined
    } catch (cause) {
      throw unusable(`cannot read ${this.pathOf(name)}`, cause)
    }
  }

  /**
   * A private key, or `undefined` when there is no such file.
   * @throws {SealwireError} `key_unsafe` when it is not its owner's alone; `key_malformed` when it is not a P-256 key.
   */
  readKey(name: KeyFile): KeyObject | undefined {
    const path = this.pathOf(name)
    const text = readText(path, (stats) => refuseUnsafe(path, stats))
    return text === undefined ? undefined : parseKey(path, text)
  }

  /**
   * The text of a file that holds a key and certificates, or `undefined` when there is no such file.
   * @throws {SealwireError} `key_unsafe` when it is not its owner's alone.
   */
  readBundle(name: BundleFile): string | undefined {
    const path = this.pathOf(name)
    return readText(path, (stats) => refuseUnsafe(path, stats))
  }

  /**
   * The certificates of a file, at least one, or `undefined` when there is no such file.
   * @throws {SealwireError} `certificate_invalid` when it cannot be read as certificates.
   */
  readCertificates(name: CertificateFile): readonly [X509Certificate, ...X509Certificate[]] | undefined {
    const path = this.pathOf(name)
    const text = readText(path)
    return text === undefined ? undefined : parseCertificates(path, text)
  }

  /** Makes a P-256 key and keeps it, for its owner's eyes only. */
  makeKey(name: KeyFile): KeyObject {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.writeKey(name, privateKey)
    return privateKey
  }

  /** Keeps a key in the place of another, for its owner's eyes only. */
  writeKey(name: KeyFile, key: KeyObject): void {
    this.#write(name, pemOf(key), 0o600)
  }

  writeCertificates(name: CertificateFile, certificates: readonly X509Certificate[]): void {
    this.#write(name, certificates.map((certificate) => certificate.toString()).join(''), 0o644)
  }

  /** Keeps a key and certificates, for their owner's eyes only. */
  writeBundle(name: BundleFile, key: KeyObject, certificates: readonly X509Certificate[]): void {
    this.#write(name, [pemOf(key), ...certificates.map((certificate) => certificate.toString())].join(''), 0o600)
  }

  remove(name: BundleFile): void {
    if (this.has(name)) removeDurably(this.pathOf(name))
  }

  #write(name: IdentityFile, text: string, mode: number): void {
    if (this.#written.length === 0) {
      makeFolder(this.path)
      // Every crash that leaves a temporary file also leaves something to make, so this is the moment to sweep.
      sweepTemporaries(this.path, [...identityFiles, ...laterFiles])
    }
    writeDurably(this.pathOf(name), text, mode)
    this.#written.push(name)
  }
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * Checks and reads one and the same open file, so that nothing can be put in its place in between; `undefined` when there
 * is none.
 * @throws {SealwireError} what `check` throws; `data_unusable`.
 */
export function readText(path: string, check: (stats: Stats) => void = () => {}): string | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    check(fstatSync(descriptor))
    return readFileSync(descriptor, 'utf8')
  } catch (reason) {
    if (SealwireError.is(reason)) throw reason
    if (errorCode(reason) === 'ENOENT') return undefined
    throw unreadable(path, check, reason)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** What another user owns often cannot even be opened: where the check can tell so, it says more than the system does. */
function unreadable(path: string, check: (stats: Stats) => void, reason: unknown): SealwireError {
  try {
    check(statSync(path))
  } catch (better) {
    if (SealwireError.is(better)) return better
  }
  return unusable(`cannot read ${path}`, reason)
}

/** @throws {SealwireError} `key_unsafe` for a file that is not its owner's alone. */
export function refuseUnsafe(path: string, stats: Stats): void {
  // Windows has no modes and no user ids: who may read a file there is the business of the folder's access list.
  if (process.platform === 'win32') return
  if (stats.uid !== process.getuid?.()) {
    throw new SealwireError('key_unsafe', `the key ${path} belongs to another user (id ${stats.uid})`, {
      hint: `run this as that user, or give the file to this one: chown ${process.getuid?.()} ${path}`,
    })
  }
  if ((stats.mode & 0o077) === 0) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  throw new SealwireError('key_unsafe', `the key ${path} is open to other users (mode ${mode})`, { hint: `run: chmod 600 ${path}` })
}

/**
 * A P-256 key in PEM.
 * @throws {SealwireError} `key_malformed`.
 */
export function parseKey(path: string, text: string): KeyObject {
  const hint = 'restore it from a backup: it must be a P-256 key in PEM, without a passphrase'
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch (cause) {
    throw new SealwireError('key_malformed', `the key ${path} cannot be read as a private key`, { cause, hint })
  }
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  throw new SealwireError('key_malformed', `the key ${path} is not a P-256 key`, { hint })
}

/**
 * The certificates of a PEM text, at least one.
 * @throws {SealwireError} `certificate_invalid`, with `hint`; default: that the file is made again from its key.
 */
export function parseCertificates(path: string, text: string, hint = makeAgain(path)): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    const [leaf, ...others] = (text.match(certificatePem) ?? []).map((pem) => new X509Certificate(pem))
    if (leaf !== undefined) return [leaf, ...others]
  } catch (cause) {
    throw certificateInvalid(`${path} cannot be read`, hint, cause)
  }
  throw certificateInvalid(`${path} has no certificate in PEM`, hint)
}

/** The refusal of a certificate; `what` begins with its path. */
export function certificateInvalid(what: string, hint: string, cause?: unknown): SealwireError {
  return new SealwireError('certificate_invalid', `the certificate ${what}`, { cause, hint })
}

/** The hint for a certificate that is of no use: keys are the identity, a certificate can be made again. */
export function makeAgain(path: string): string {
  return `move ${path} away and start again: it is made from its key, and the fingerprint stays the same`
}

const certificatePem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

// The key of a server's ledger: Ed25519, in a file of the data folder, apart from every other key. With it the server signs
// checkpoints and receipts, and nothing else. Whoever keeps receipts knows it for good, so one that is lost is never replaced.
//
//   ledger.key   the key (PKCS #8 PEM), 0600       made once
//   ledger.pub   its public half (PEM), for people who verify receipts: written after the key, and says that there was one
//
// That it is the key of the server is certified by the server's authority: a COSE_Sign1 (receipts.md, "The key") with ES256 whose
// key id is the authority's SubjectPublicKeyInfo. Its SHA-256 is the pin that clients have, so they need nothing else.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { coseMessage, coseToBeSigned } from '../protocol/contract/cose.ts'
import { SealwireError } from '../protocol/errors.ts'
import { signCose } from './cose-sign1.ts'
import { sweepTemporaries, writeDurably } from './durable-file.ts'
import { ed25519KeyBytes, ed25519Spki, rawPublicKey } from './ed25519.ts'
import { readText, refuseUnsafe } from './identity-folder.ts'

/** Its name in the data folder. */
export const ledgerKeyFile = 'ledger.key'
/** The name of its public half, there and in the home folder of who has joined. */
export const ledgerPublicFile = 'ledger.pub'
/** The external text of the certificate. */
const ledgerKeyPurpose = 'sealwire/ledger-key/1'

/** A ledger key that signs. */
export class LedgerKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly #secret: KeyObject
  #certified: { readonly by: KeyObject; readonly certificate: Uint8Array } | undefined

  constructor(secret: KeyObject) {
    this.#secret = secret
    this.publicKey = rawPublicKey(secret)
  }

  /** A COSE_Sign1 for a purpose. */
  sign(payload: Uint8Array, purpose: string): Uint8Array {
    return signCose(payload, purpose, this.#secret)
  }

  /** The certificate by the key of an authority (P-256); made once for each that follows another. */
  certificate(serverId: Uint8Array, authority: KeyObject): Uint8Array {
    if (this.#certified?.by === authority) return this.#certified.certificate
    const certificate = certifyLedgerKey({ serverId, key: this.publicKey }, authority)
    this.#certified = { by: authority, certificate }
    return certificate
  }
}

/** Which key is whose. */
export interface LedgerKeyClaim {
  readonly serverId: Uint8Array
  /** 32 bytes. */
  readonly key: Uint8Array
}

/**
 * The key of a data folder, made if there never was one. The caller holds the folder's lock.
 * @throws {SealwireError} `key_missing` when there was one; `key_unsafe`, `key_malformed`; `storage_full` or `data_unusable`.
 */
export function openLedgerKey(folder: string): LedgerKey {
  const key = findLedgerKey(folder) ?? makeLedgerKey(folder)
  const path = join(folder, ledgerPublicFile)
  if (!existsSync(path)) writeDurably(path, publicPem(key.publicKey), 0o644)
  return key
}

/** The key of a data folder; `undefined` where there never was one. @throws {SealwireError} `key_missing`, `key_unsafe`, `key_malformed`, `data_unusable`. */
export function findLedgerKey(folder: string): LedgerKey | undefined {
  const key = readLedgerKey(folder)
  if (key !== undefined || !existsSync(join(folder, ledgerPublicFile))) return key
  throw new SealwireError('key_missing', `the key ${join(folder, ledgerKeyFile)} is missing, though ${ledgerPublicFile} is there`, {
    hint: 'restore it from a backup: every receipt was signed with it',
  })
}

/** The public key of a data folder; `undefined` when no server has made one there. @throws {SealwireError} `key_malformed`, `data_unusable`. */
export function readLedgerPublicKey(folder: string): Uint8Array | undefined {
  const path = join(folder, ledgerPublicFile)
  const text = readText(path)
  return text === undefined ? undefined : parseLedgerPublicKey(text, path)
}

/**
 * A public key as people hand it on: PEM, or 64 hexadecimal digits. `from` says where it is from.
 * @throws {SealwireError} `key_malformed`.
 */
export function parseLedgerPublicKey(text: string, from: string): Uint8Array {
  const hex = text.trim()
  if (/^[0-9a-fA-F]{64}$/.test(hex)) return new Uint8Array(Buffer.from(hex, 'hex'))
  try {
    // Of a private key the runtime would make its public half; whoever verifies has no business with that.
    const key = text.includes('PRIVATE') ? undefined : createPublicKey(text)
    if (key?.asymmetricKeyType === 'ed25519') return rawPublicKey(key)
  } catch {
    // Below.
  }
  throw new SealwireError('key_malformed', `${from} is no public key of a ledger`, {
    hint: 'it is ledger.pub of the server, PEM or 64 hexadecimal digits',
  })
}

/** A public key in PEM. */
export function publicPem(publicKey: Uint8Array): string {
  const key = createPublicKey({ key: Buffer.from(ed25519Spki(publicKey)), format: 'der', type: 'spki' })
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** COSE_Sign1 by the authority's key (P-256) over the number of the server and its ledger key. */
export function certifyLedgerKey({ serverId, key }: LedgerKeyClaim, authority: KeyObject): Uint8Array {
  const header = headerOf(spkiOf(authority))
  const payload = encodeCbor([serverId, key])
  const toBeSigned = coseToBeSigned(header, ledgerKeyPurpose, payload)
  return coseMessage(header, payload, new Uint8Array(sign('sha256', toBeSigned, { key: authority, dsaEncoding: 'ieee-p1363' })))
}

/**
 * What a certificate says, verified with the authority that has this pin (`SHA256:…`); without a pin, with the one that it names.
 * @throws {SealwireError} `untrusted` when it is by another authority, or none.
 */
export function openLedgerCertificate(certificate: Uint8Array, pin?: string): LedgerKeyClaim {
  try {
    const [header, , payload, signature] = listOf(decodeCbor(certificate))
    if (isBytes(header) && isBytes(payload) && isBytes(signature)) {
      const spki = header.slice(headerStart.length)
      const isOurs = isSame(coseMessage(headerOf(spki), payload, signature), certificate) && (pin === undefined || pinOf(spki) === pin)
      const key = isOurs ? createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }) : undefined
      const toBeSigned = coseToBeSigned(header, ledgerKeyPurpose, payload)
      if (key !== undefined && verify('sha256', toBeSigned, { key, dsaEncoding: 'ieee-p1363' }, signature)) return claimOf(payload)
    }
  } catch (cause) {
    throw untrusted(cause)
  }
  throw untrusted()
}

function readLedgerKey(folder: string): LedgerKey | undefined {
  const path = join(folder, ledgerKeyFile)
  const text = readText(path, (stats) => refuseUnsafe(path, stats))
  if (text === undefined) return undefined
  try {
    const key = createPrivateKey(text)
    if (key.asymmetricKeyType === 'ed25519') return new LedgerKey(key)
  } catch {
    // What the runtime says of it may hold some of it.
  }
  throw new SealwireError('key_malformed', `the key ${path} cannot be read as an Ed25519 key`, { hint: 'restore it from a backup' })
}

function makeLedgerKey(folder: string): LedgerKey {
  sweepTemporaries(folder, [ledgerKeyFile, ledgerPublicFile])
  const { privateKey } = generateKeyPairSync('ed25519')
  writeDurably(join(folder, ledgerKeyFile), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  return new LedgerKey(privateKey)
}

function spkiOf(key: KeyObject): Uint8Array {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(open.export({ type: 'spki', format: 'der' }))
}

/** `{1: -7, 4: h'…91 bytes…'}`: ES256, and the authority's SubjectPublicKeyInfo as key id. */
function headerOf(spki: Uint8Array): Uint8Array {
  return Uint8Array.of(...headerStart, ...spki)
}

function pinOf(spki: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(spki).digest('base64').replace(/=+$/, '')}`
}

function claimOf(payload: Uint8Array): LedgerKeyClaim {
  const [serverId, key, ...others] = listOf(decodeCbor(payload))
  if (isBytes(serverId) && isBytes(key) && key.length === ed25519KeyBytes && others.length === 0) return { serverId, key }
  throw untrusted()
}

function untrusted(cause?: unknown): SealwireError {
  return new SealwireError('untrusted', 'the key of the ledger is not certified by the server’s authority', { cause })
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

const headerStart = Uint8Array.of(0xa2, 0x01, 0x26, 0x04, 0x58, 0x5b)

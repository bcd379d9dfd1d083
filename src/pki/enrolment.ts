// Enrolment (enrolment.md): how a device tells a server its three keys, each with a proof. The request proves the P-256 key;
// the statement, signed with the Ed25519 key, binds all three and the server that they are for. The X25519 key has no
// signature of its own: who names another's key gains nothing, because it cannot open a sealed channel with it.

import { createHash } from 'node:crypto'
import { encodeCbor } from '../protocol/contract/cbor.ts'
import { enrolmentPurpose } from '../protocol/contract/cose.ts'
import { SealwireError } from '../protocol/errors.ts'
import { makeCertificateRequest, readCertificateRequest, spkiOf } from './certificate-request.ts'
import { openCose, readList, signCose } from './cose-sign1.ts'
import { checkX25519Key, type DeviceKeys } from './device-keys.ts'
import { ed25519Spki, rawPublicKey } from './ed25519.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** Bytes of the number by which a server is known to its devices. */
export const serverIdBytes = 16

/** What a device sends. */
export interface Enrolment {
  /** PKCS #10, DER. */
  readonly csr: Uint8Array
  /** COSE_Sign1. */
  readonly statement: Uint8Array
}

/** The public keys of a device, proved. */
export interface EnrolledKeys {
  /** SubjectPublicKeyInfo of the P-256 key. */
  readonly spki: Uint8Array
  /** Its SHA-256: by this the server knows the device. */
  readonly spkiHash: Uint8Array
  readonly ed25519: Uint8Array
  readonly x25519: Uint8Array
}

/** What a device sends to the server with this id. */
export function makeEnrolment(keys: DeviceKeys, serverId: Uint8Array): Enrolment {
  const payload = encodeCbor([serverId, spkiHash(spkiOf(keys.p256)), rawPublicKey(keys.ed25519), rawPublicKey(keys.x25519)])
  return { csr: makeCertificateRequest(keys.p256), statement: signCose(payload, enrolmentPurpose, keys.ed25519) }
}

/**
 * The keys of an enrolment for the server with this id.
 * @throws {SealwireError} `enrolment_invalid`.
 */
export function openEnrolment({ csr, statement }: Enrolment, serverId: Uint8Array): EnrolledKeys {
  const spki = readCertificateRequest(csr)
  return { ...openStatement(statement, serverId, () => spkiHash(spki)), spki }
}

/** What a device without a P-256 key sends: it is known by its Ed25519 key. */
export function makeKeyStatement(keys: Omit<DeviceKeys, 'p256'>, serverId: Uint8Array): Uint8Array {
  const ed25519 = rawPublicKey(keys.ed25519)
  const payload = encodeCbor([serverId, ed25519KeyHash(ed25519), ed25519, rawPublicKey(keys.x25519)])
  return signCose(payload, enrolmentPurpose, keys.ed25519)
}

/**
 * The keys of a device without a P-256 key: `spkiHash` is that of its Ed25519 key.
 * @throws {SealwireError} `enrolment_invalid`.
 */
export function openKeyStatement(statement: Uint8Array, serverId: Uint8Array): Omit<EnrolledKeys, 'spki'> {
  return openStatement(statement, serverId, ed25519KeyHash)
}

/** `hashOf` is the hash that the statement has to name, by who has signed it. */
function openStatement(
  statement: Uint8Array,
  serverId: Uint8Array,
  hashOf: (signer: Uint8Array) => Uint8Array,
): Omit<EnrolledKeys, 'spki'> {
  const { signer, payload } = openCose(statement, enrolmentPurpose)
  const [server, hash, ed25519, x25519] = fieldsOf(payload)
  if (!sameBytes(server, serverId)) throw refused('the statement is for another server')
  if (!sameBytes(hash, hashOf(signer))) throw refused('the statement is for another key')
  if (!sameBytes(ed25519, signer)) throw refused('the statement is signed by another key than its own')
  checkX25519Key(x25519)
  return { spkiHash: hash, ed25519, x25519 }
}

/** The SHA-256 of a SubjectPublicKeyInfo. */
export function spkiHash(spki: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(spki).digest())
}

/** By this the server knows a device that has no certificate: as {@link spkiHash}, of an Ed25519 public key. */
export function ed25519KeyHash(ed25519: Uint8Array): Uint8Array {
  return spkiHash(ed25519Spki(ed25519))
}

/** The id of a device, for people: the beginning of the hash of its key, 80 bits. */
export function deviceId(hash: Uint8Array): string {
  return Buffer.from(hash.subarray(0, 10)).toString('hex')
}

type Fields = readonly [server: Uint8Array, hash: Uint8Array, ed25519: Uint8Array, x25519: Uint8Array]

function fieldsOf(payload: Uint8Array): Fields {
  const [server, hash, ed25519, x25519, ...others] = readList(payload)
  const isWhole = isBytes(server) && isBytes(hash) && isBytes(ed25519) && isBytes(x25519) && others.length === 0
  if (isWhole) return [server, hash, ed25519, x25519]
  throw refused('the statement does not say what it should')
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function refused(sentence: string): SealwireError {
  return new SealwireError('enrolment_invalid', sentence)
}

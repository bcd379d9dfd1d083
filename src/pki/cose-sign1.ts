// COSE_Sign1 (RFC 9052 §4.2) as Sealwire has it: untagged, EdDSA, algorithm and key id protected, nothing unprotected, and an
// external text that says what is signed, so that a signature for one purpose is worth nothing for another. Signed are
// bytes: what is read is never encoded again. There is one form; every other one is refused.

import { type KeyObject, sign } from 'node:crypto'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { SealwireError } from '../protocol/errors.ts'
import { ed25519KeyBytes, rawPublicKey, verifyEd25519 } from './ed25519.ts'

/** What was signed, and by which key. */
export interface Signed {
  /** The Ed25519 public key: it is the key id of the message. */
  readonly signer: Uint8Array
  readonly payload: Uint8Array
}

/** Signs `payload` for `purpose` with an Ed25519 private key. */
export function signCose(payload: Uint8Array, purpose: string, key: KeyObject): Uint8Array {
  const header = headerOf(rawPublicKey(key))
  return encodeCbor([header, {}, payload, new Uint8Array(sign(null, toBeSigned(header, purpose, payload), key))])
}

/**
 * What a message says, once its signature has been checked with the key that it names. Whose key that is, is for the caller.
 * @throws {SealwireError} `enrolment_invalid` for a message of another form, a key of small order and a wrong signature.
 */
export function openCose(message: Uint8Array, purpose: string): Signed {
  const [header, unprotected, payload, signature] = partsOf(message)
  const isWhole = isBytes(header) && isEmptyMap(unprotected) && isBytes(payload) && isBytes(signature)
  if (!isWhole || !isOurHeader(header)) throw refused('the statement has an unknown form')
  const signer = header.slice(headerStart.length)
  if (verifyEd25519(signer, toBeSigned(header, purpose, payload), signature)) return { signer, payload }
  throw refused('the signature of the statement is wrong')
}

/** Sig_structure (RFC 9052 §4.4). */
function toBeSigned(header: Uint8Array, purpose: string, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', header, new TextEncoder().encode(purpose), payload])
}

function partsOf(message: Uint8Array): readonly unknown[] {
  const value = decoded(message)
  return Array.isArray(value) && value.length === 4 ? value : []
}

function decoded(message: Uint8Array): unknown {
  try {
    return decodeCbor(message)
  } catch (cause) {
    throw new SealwireError('enrolment_invalid', 'the statement cannot be read', { cause })
  }
}

function headerOf(keyId: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([headerStart, keyId]))
}

function isOurHeader(header: Uint8Array): boolean {
  const hasLength = header.length === headerStart.length + ed25519KeyBytes
  return hasLength && Buffer.compare(header.subarray(0, headerStart.length), headerStart) === 0
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value) && Object.keys(value).length === 0
}

function refused(sentence: string): SealwireError {
  return new SealwireError('enrolment_invalid', sentence)
}

/** `{1: -8, 4: h'` and the length of what follows, 32: EdDSA, and the key id. */
const headerStart = Buffer.from('a20127045820', 'hex')

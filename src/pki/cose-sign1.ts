// COSE_Sign1 (RFC 9052 §4.2) as Sealwire has it: untagged, EdDSA, algorithm and key id protected, nothing unprotected, and an
// external text that says what is signed, so that a signature for one purpose is worth nothing for another. Signed are
// bytes: what is read is never encoded again. There is one form; every other one is refused.

import { type KeyObject, sign } from 'node:crypto'
import { decodeCbor } from '../protocol/contract/cbor.ts'
import { coseHeader, coseHeaderStart, coseMessage, coseToBeSigned } from '../protocol/contract/cose.ts'
import { SealwireError } from '../protocol/errors.ts'
import { ed25519KeyBytes, rawPublicKey, verifyEd25519, verifyEd25519Apart } from './ed25519.ts'

/** What was signed, and by which key. */
export interface Signed {
  /** The Ed25519 public key: it is the key id of the message. */
  readonly signer: Uint8Array
  readonly payload: Uint8Array
}

/** What a message claims, before its signature was checked. */
export interface UnverifiedCose extends Signed {
  readonly header: Uint8Array
  readonly signature: Uint8Array
}

/** Signs `payload` for `purpose` with an Ed25519 private key. */
export function signCose(payload: Uint8Array, purpose: string, key: KeyObject): Uint8Array {
  const header = coseHeader(rawPublicKey(key))
  return coseMessage(header, payload, new Uint8Array(sign(null, coseToBeSigned(header, purpose, payload), key)))
}

/**
 * What a message says, once its signature has been checked with the key that it names. Whose key that is, is for the caller.
 * @throws {SealwireError} `enrolment_invalid` for a message of another form, a key of small order and a wrong signature.
 */
export function openCose(message: Uint8Array, purpose: string): Signed {
  const { header, signer, payload, signature } = readCose(message)
  if (verifyEd25519(signer, coseToBeSigned(header, purpose, payload), signature)) return { signer, payload }
  throw refused('the signature of the statement is wrong')
}

/** The same away from the event loop, for a message that was read; `key` is its signer’s. @throws {SealwireError} as {@link openCose}. */
export async function verifyCoseApart({ header, payload, signature }: UnverifiedCose, purpose: string, key: KeyObject): Promise<void> {
  if (await verifyEd25519Apart(key, coseToBeSigned(header, purpose, payload), signature)) return
  throw refused('the signature of the statement is wrong')
}

/** The parts of a message, its signature not yet checked. @throws {SealwireError} `enrolment_invalid` for another form. */
export function readCose(message: Uint8Array): UnverifiedCose {
  const [header, unprotected, payload, signature, ...others] = readList(message)
  const isWhole = isBytes(header) && isEmptyMap(unprotected) && isBytes(payload) && isBytes(signature) && others.length === 0
  if (!isWhole || !isOurHeader(header)) throw refused('the statement has an unknown form')
  return { header, signer: header.slice(coseHeaderStart.length), payload, signature }
}

/** The list that CBOR has; empty when it is something else. @throws {SealwireError} `enrolment_invalid` for what is no CBOR. */
export function readList(bytes: Uint8Array): readonly unknown[] {
  try {
    const value = decodeCbor(bytes)
    return Array.isArray(value) ? value : []
  } catch (cause) {
    throw new SealwireError('enrolment_invalid', 'the statement cannot be read', { cause })
  }
}

function isOurHeader(header: Uint8Array): boolean {
  const hasLength = header.length === coseHeaderStart.length + ed25519KeyBytes
  return hasLength && coseHeaderStart.every((byte, at) => header[at] === byte)
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

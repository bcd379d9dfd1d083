// How a device proves its key where it shows no certificate (enrolment.md, "Logging in without a certificate"): it signs the
// number of the server and a nonce of that server, so that the proof is good there, on one connection, once.

import { timingSafeEqual, type KeyObject } from 'node:crypto'
import { decodeCbor, encodeCbor } from '../protocol/contract/cbor.ts'
import { loginPurpose } from '../protocol/contract/cose.ts'
import { SealwireError } from '../protocol/errors.ts'
import { openCose, signCose } from './cose-sign1.ts'

/** What a proof is for. */
export interface LoginChallenge {
  /** The number of the server, as in its Welcome. */
  readonly serverId: Uint8Array
  /** From device.challenge. */
  readonly nonce: Uint8Array
}

/** Signs a challenge with the Ed25519 private key of a device. */
export function makeLoginProof({ serverId, nonce }: LoginChallenge, ed25519: KeyObject): Uint8Array {
  return signCose(encodeCbor([serverId, nonce]), loginPurpose, ed25519)
}

/**
 * The Ed25519 public key that has signed this challenge. Whose it is, is for the caller.
 * @throws {SealwireError} `login_refused`, always with the same words.
 */
export function openLoginProof(proof: Uint8Array, { serverId, nonce }: LoginChallenge): Uint8Array {
  try {
    const { signer, payload } = openCose(proof, loginPurpose)
    const [server, signed, ...others] = listOf(decodeCbor(payload))
    if (isSame(server, serverId) && isSame(signed, nonce) && others.length === 0) return signer
  } catch (cause) {
    throw proofRefused(cause)
  }
  throw proofRefused()
}

/** What is said of a proof that is none. */
export function proofRefused(cause?: unknown): SealwireError {
  return new SealwireError('login_refused', 'the proof of the device is not good', { cause })
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isSame(value: unknown, expected: Uint8Array): boolean {
  return value instanceof Uint8Array && value.length === expected.length && timingSafeEqual(value, expected)
}

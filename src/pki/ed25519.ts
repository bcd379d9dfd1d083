// Ed25519 with the check that the runtimes do not make: under a key of small order one signature is good for many messages
// (under some for every one), so such a key proves nothing. No signature is looked at before its key has passed.

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'

/** Bytes of a public key. */
export const ed25519KeyBytes = 32
/** Bytes of a signature. */
const ed25519SignatureBytes = 64

/**
 * Refuses public keys that no honest device has: of another length, not the one encoding of a point (RFC 8032 §5.1.3 wants
 * y < p), or of small order.
 * @throws {SealwireError} `enrolment_invalid`.
 */
export function checkEd25519Key(publicKey: Uint8Array): void {
  if (publicKey.length !== ed25519KeyBytes) throw refused('an Ed25519 key has 32 bytes')
  const y = yOf(publicKey)
  if (smallOrderY.has(y)) throw refused('the Ed25519 key is of small order')
  if (y >= prime) throw refused('the Ed25519 key is not in its canonical form')
}

/**
 * Whether `signature` is that of `message` under a public key.
 * @throws {SealwireError} `enrolment_invalid` for a key that {@link checkEd25519Key} refuses; nothing is verified with it.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  checkEd25519Key(publicKey)
  if (signature.length !== ed25519SignatureBytes) return false
  return verify(null, message, keyOf(publicKey), signature)
}

/**
 * A public key that has passed {@link checkEd25519Key}, for who verifies much with it.
 * @throws {SealwireError} `enrolment_invalid`.
 */
export function ed25519Key(publicKey: Uint8Array): KeyObject {
  checkEd25519Key(publicKey)
  return keyOf(publicKey)
}

/** The same away from the event loop, with a key of {@link ed25519Key}. Bounding how many wait is for the caller. */
export async function verifyEd25519Apart(key: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== ed25519SignatureBytes) return false
  return new Promise((resolve, reject) => {
    verify(null, message, key, signature, (error, isGood) => {
      if (error) reject(error)
      else resolve(isGood)
    })
  })
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(open.export({ type: 'spki', format: 'der' }).subarray(-ed25519KeyBytes))
}

/** The SubjectPublicKeyInfo of a public key. */
export function ed25519Spki(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([spkiPrefix, publicKey]))
}

function keyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(ed25519Spki(publicKey)), format: 'der', type: 'spki' })
}

/** The coordinate, little-endian, without the sign of the other one in the highest bit: each entry stands for both signs. */
function yOf(publicKey: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(publicKey).reverse().toString('hex')}`) & mask
}

function refused(sentence: string): SealwireError {
  return new SealwireError('enrolment_invalid', sentence)
}

const prime = 2n ** 255n - 19n
const mask = 2n ** 255n - 1n
/** y of the points whose order divides 8. With both signs, and with 0 and 1 as p and p + 1 too, these are 14 encodings. */
const smallOrderY: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  prime - 1n,
  prime,
  prime + 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
])
/** What stands before the key in SubjectPublicKeyInfo (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

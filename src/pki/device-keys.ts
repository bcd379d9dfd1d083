// The three keys of a device, which never leave it: P-256 for its client certificate, Ed25519 for signatures, X25519 for the
// sealed channel.

import { createPrivateKey, diffieHellman, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'

/** Private keys; what prints them shows no secret. */
export interface DeviceKeys {
  readonly p256: KeyObject
  readonly ed25519: KeyObject
  readonly x25519: KeyObject
}

/** The same in PEM (PKCS #8): a secret. */
export type DeviceKeysPem = { readonly [K in keyof DeviceKeys]: string }

/** Bytes of an X25519 public key. */
const x25519KeyBytes = 32

/** Makes the keys of a new device. */
export function newDeviceKeys(): DeviceKeys {
  return {
    p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    ed25519: generateKeyPairSync('ed25519').privateKey,
    x25519: generateKeyPairSync('x25519').privateKey,
  }
}

/** The keys as they are kept in a file. */
export function deviceKeysPem({ p256, ed25519, x25519 }: DeviceKeys): DeviceKeysPem {
  return { p256: pem(p256), ed25519: pem(ed25519), x25519: pem(x25519) }
}

/** The keys of a file. @throws {SealwireError} `key_malformed` when one of them is not what it should be. */
export function readDeviceKeys({ p256, ed25519, x25519 }: DeviceKeysPem): DeviceKeys {
  const keys = { p256: read(p256), ed25519: read(ed25519), x25519: read(x25519) }
  const isRight =
    keys.p256.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    keys.ed25519.asymmetricKeyType === 'ed25519' &&
    keys.x25519.asymmetricKeyType === 'x25519'
  if (isRight) return keys
  throw malformed()
}

/**
 * Refuses X25519 public keys of low order: what anybody agrees on with them is known to everybody.
 * @throws {SealwireError} `enrolment_invalid`.
 */
export function checkX25519Key(publicKey: Uint8Array): void {
  if (publicKey.length !== x25519KeyBytes) throw new SealwireError('enrolment_invalid', 'an X25519 key has 32 bytes')
  if (!isAgreeable(publicKey)) throw new SealwireError('enrolment_invalid', 'the X25519 key is of low order')
}

function isAgreeable(publicKey: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.concat([x25519Prefix, publicKey]), format: 'der', type: 'spki' })
    // Any secret shows it: it is a multiple of 8, and eight times a point of low order is nothing.
    const { privateKey } = generateKeyPairSync('x25519')
    return diffieHellman({ privateKey, publicKey: key }).some((byte) => byte !== 0)
  } catch {
    return false
  }
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function read(text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    // What the runtime says of it may hold some of it.
    throw malformed()
  }
}

function malformed(): SealwireError {
  return new SealwireError('key_malformed', 'a key of this device cannot be read', {
    hint: 'restore the file from a backup, or move it away and join again with --login',
  })
}

const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex')

// X25519 keys as the 32 bytes they are (RFC 7748), on the runtime's own arithmetic.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { SealwireError } from '../protocol/errors.ts'
import { channelBroken } from './broken.ts'

/** Bytes of a public key, of a secret key and of what two agree on. */
export const publicKeyBytes = 32

/** A key pair. The secret half stays inside. */
export class KeyPair {
  /** The public half. */
  readonly publicKey: Uint8Array
  readonly #secret: KeyObject

  private constructor(secret: KeyObject) {
    this.#secret = secret
    this.publicKey = rawPublicKey(createPublicKey(secret))
  }

  /** A new pair. */
  static generate(): KeyPair {
    return new KeyPair(generateKeyPairSync('x25519').privateKey)
  }

  /** The pair of a secret key. @throws {SealwireError} `key_malformed` when it has not 32 bytes. */
  static from(secretKey: Uint8Array): KeyPair {
    if (secretKey.length !== publicKeyBytes) throw new SealwireError('key_malformed', 'an X25519 key has 32 bytes')
    const key = Buffer.concat([secretPrefix, secretKey])
    try {
      return new KeyPair(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
    } finally {
      key.fill(0)
    }
  }

  /** The pair of a key that was read from elsewhere. @throws {SealwireError} `key_malformed` when it is no X25519 key. */
  static of(secret: KeyObject): KeyPair {
    if (secret.type !== 'private' || secret.asymmetricKeyType !== 'x25519') {
      throw new SealwireError('key_malformed', 'this is not an X25519 key')
    }
    return new KeyPair(secret)
  }

  /**
   * What this pair and a public key agree on. The caller zeroes it.
   * @throws {SealwireError} `channel_broken` for a public key of low order, which would make it a known value, and for one
   * of another length.
   */
  agree(publicKey: Uint8Array): Uint8Array {
    if (publicKey.length !== publicKeyBytes) throw channelBroken()
    const key = Buffer.concat([publicPrefix, publicKey])
    const secret = this.#agreed(key)
    // Both runtimes refuse such keys themselves; nothing may hang on that.
    if (timingSafeEqual(secret, zeros)) throw channelBroken()
    return secret
  }

  #agreed(key: Buffer): Uint8Array {
    try {
      return diffieHellman({ privateKey: this.#secret, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) })
    } catch {
      throw channelBroken()
    }
  }
}

/** The static key of a server, and while it is being replaced the one that takes its place. */
export interface StaticKeys {
  readonly current: KeyPair
  /** `until`: when it is the current one, ms since 1970. */
  readonly next?: { readonly key: KeyPair; readonly until: number } | undefined
}

/** What stands for a static key in links and before people: `SHA256:` and the base64, without padding, of the SHA-256 of its 32 bytes. */
export function keyPin(publicKey: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-publicKeyBytes))
}

const zeros = new Uint8Array(publicKeyBytes)
/** What stands before the key in PKCS #8 and in SubjectPublicKeyInfo (RFC 8410). */
const secretPrefix = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b656e032100', 'hex')

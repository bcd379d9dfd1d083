// The running hash and the chaining key of a handshake (Noise revision 34, §5.2, SHA256): whatever is sent or agreed
// goes through here, so both ends have the same keys only if they saw the same bytes. Values that are replaced are zeroed.

import { createHash, createHmac } from 'node:crypto'
import { keyBytes, tagBytes } from './aead.ts'
import { CipherState } from './cipher-state.ts'

const empty = new Uint8Array(0)

export class SymmetricState {
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #cipher: CipherState | undefined

  /** `protocolName`: such as `Noise_XX_25519_AESGCM_SHA256`. */
  constructor(protocolName: string) {
    const name = new TextEncoder().encode(protocolName)
    this.#hash = name.length <= keyBytes ? padded(name) : sha256(name)
    this.#chainingKey = new Uint8Array(this.#hash)
  }

  /** The hash over everything so far; at the end it names this handshake and no other. */
  get hash(): Uint8Array {
    return this.#hash
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data)
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = derive(this.#chainingKey, input)
    this.destroy()
    this.#chainingKey = chainingKey
    this.#cipher = new CipherState(key)
  }

  /** The plaintext as it is before the first key, sealed after it. */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher?.seal(this.#hash, plaintext) ?? plaintext
    this.mixHash(sealed)
    return sealed
  }

  /** @throws {SealwireError} `channel_broken`. */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher?.open(this.#hash, sealed) ?? sealed
    this.mixHash(sealed)
    return plaintext
  }

  /** Bytes that `encryptAndHash` adds today. */
  get sealedOverhead(): number {
    return this.#cipher === undefined ? 0 : tagBytes
  }

  /** The keys of the transport: of what the initiator sends, and of what it receives. Only the hash is left after it. */
  split(): readonly [CipherState, CipherState] {
    const [first, second] = derive(this.#chainingKey, empty)
    this.destroy()
    return [new CipherState(first), new CipherState(second)]
  }

  /** Zeroes what is secret. Best effort: the runtime may have made copies. */
  destroy(): void {
    this.#chainingKey.fill(0)
    this.#cipher?.destroy()
  }
}

/** HKDF of §4.3 with two outputs. */
function derive(chainingKey: Uint8Array, input: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const secret = hmac(chainingKey, input)
  const first = hmac(secret, Uint8Array.of(1))
  const second = hmac(secret, first, Uint8Array.of(2))
  secret.fill(0)
  return [first, second]
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function padded(name: Uint8Array): Uint8Array {
  const hash = new Uint8Array(keyBytes)
  hash.set(name)
  return hash
}

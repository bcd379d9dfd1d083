// One direction of an encrypted conversation (Noise revision 34, §5.1, AESGCM): a key and the number of the next message.

import { assert } from '../protocol/errors.ts'
import { channelBroken } from './broken.ts'
import { keyBytes, nonceBytes, open, type SealParameters, sealInto, tagBytes } from './aead.ts'

const empty = new Uint8Array(0)

/** Messages that one state can number; who uses it stops far before. */
const countMax = 2 ** 48

export class CipherState {
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(nonceBytes)
  readonly #nonceView = new DataView(this.#nonce.buffer)
  #count: number
  #isOver = false

  /** The state owns `key` from now on. `count`: how many messages are said to have been sealed or opened already. */
  constructor(key: Uint8Array, count = 0) {
    assert(key.length === keyBytes, 'a key of another length')
    this.#key = key
    this.#count = count
  }

  /** How many messages were sealed or opened, which is the number of the next one. */
  get count(): number {
    return this.#count
  }

  /** The nonce of the next message: four zeros, then its number, big-endian. Good until the next message. */
  get nonce(): Uint8Array {
    assert(this.#count < countMax, 'a number that no message may have')
    this.#nonceView.setUint32(4, Math.floor(this.#count / 2 ** 32))
    this.#nonceView.setUint32(8, this.#count % 2 ** 32)
    return this.#nonce
  }

  /** Ciphertext and tag in one array; uses up one number. */
  seal(associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + tagBytes)
    this.sealInto(sealed, 0, associated, plaintext)
    return sealed
  }

  /** The same into `output`, from `at` on; `parts` are sealed as one plaintext. */
  sealInto(output: Uint8Array, at: number, associated: Uint8Array, ...parts: readonly Uint8Array[]): void {
    const parameters = this.#parameters(associated)
    this.#count++
    sealInto(output, at, parameters, ...parts)
  }

  /**
   * The plaintext; uses up one number.
   * @throws {SealwireError} `channel_broken`, always the same whatever was wrong; the state is not to be used after it.
   */
  open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    const plaintext = open(this.#parameters(associated), sealed)
    this.#count++
    return plaintext
  }

  /** Replaces the key by one that does not lead back to it (§4.2, REKEY); the numbers go on. */
  rekey(): void {
    const sealed = new Uint8Array(keyBytes + tagBytes)
    sealInto(sealed, 0, { key: this.#key, nonce: rekeyNonce, associated: empty }, new Uint8Array(keyBytes))
    this.#key.set(sealed.subarray(0, keyBytes))
    sealed.fill(0)
  }

  /** Zeroes the key, after which nothing is sealed or opened any more. Best effort: the runtime may have made copies. */
  destroy(): void {
    this.#isOver = true
    this.#key.fill(0)
  }

  /** A key of zeros is no key: everybody has it. */
  #parameters(associated: Uint8Array): SealParameters {
    if (this.#isOver) throw channelBroken()
    return { key: this.#key, nonce: this.nonce, associated }
  }
}

/** The largest number a nonce can hold, kept for REKEY. */
const rekeyNonce = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)

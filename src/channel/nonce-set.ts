// The nonces of one v1 connection, 12 bytes each, so that none is used twice. A peer chooses half of them and must not be able
// to choose ones that fall into one place: where a nonce is looked for depends on a secret of the connection.

import { randomBytes } from 'node:crypto'

const wordsPerNonce = 3
/** Places of a new set; doubled when it is half full. */
const placesFirst = 16

export class NonceSet {
  readonly #secret = new Uint32Array(new Uint8Array(randomBytes(4 * (wordsPerNonce + 1))).buffer)
  #words = new Uint32Array(placesFirst * wordsPerNonce)
  #taken = new Uint8Array(placesFirst)
  #size = 0

  /** How many nonces are in it. */
  get size(): number {
    return this.#size
  }

  /** Adds a nonce; false when it was there already. */
  add(nonce: Uint8Array): boolean {
    const words = wordsOf(nonce)
    if (!this.#place(words)) return false
    this.#size++
    if (this.#size * 2 > this.#taken.length) this.#grow()
    return true
  }

  #place(words: readonly [number, number, number]): boolean {
    const last = this.#taken.length - 1
    let place = this.#hash(words) & last
    while (this.#taken[place] === 1) {
      const at = place * wordsPerNonce
      if (words.every((word, index) => word === this.#words[at + index])) return false
      place = (place + 1) & last
    }
    this.#taken[place] = 1
    this.#words.set(words, place * wordsPerNonce)
    return true
  }

  /** Each word is mixed in under a secret one, so that nobody outside can tell where a nonce goes. */
  #hash(words: readonly [number, number, number]): number {
    let hash = this.#secret[wordsPerNonce] ?? 0
    for (const [index, word] of words.entries()) {
      hash = Math.imul(hash ^ word ^ (this.#secret[index] ?? 0), 0x85ebca6b)
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
      hash ^= hash >>> 13
    }
    return hash
  }

  #grow(): void {
    const words = this.#words
    const taken = this.#taken
    this.#words = new Uint32Array(words.length * 2)
    this.#taken = new Uint8Array(taken.length * 2)
    for (const [place, isTaken] of taken.entries()) {
      const at = place * wordsPerNonce
      if (isTaken === 1) this.#place([words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0])
    }
  }
}

function wordsOf(nonce: Uint8Array): readonly [number, number, number] {
  const view = new DataView(nonce.buffer, nonce.byteOffset)
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8)]
}

// SHA-256 (FIPS 180-4) of what comes piece by piece, for runtimes whose own can only take everything at once.

/** Takes bytes, then tells their hash once. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** 32 bytes. */
  digest(): Uint8Array
}

export class Sha256 implements Hasher {
  readonly #state = Uint32Array.from(initial)
  readonly #words = new Uint32Array(64)
  readonly #block = new Uint8Array(blockBytes)
  readonly #view = new DataView(this.#block.buffer)
  #filled = 0
  #bytes = 0

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(blockBytes - this.#filled, bytes.length - at)
      this.#block.set(bytes.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled === blockBytes) this.#mix()
    }
  }

  digest(): Uint8Array {
    const bytes = this.#bytes
    this.update(Uint8Array.of(0x80))
    if (this.#filled > blockBytes - lengthBytes) this.#pad(blockBytes)
    this.#pad(blockBytes - lengthBytes)
    this.#view.setBigUint64(blockBytes - lengthBytes, BigInt(bytes) * 8n)
    this.#filled = blockBytes
    this.#mix()
    const digest = new DataView(new ArrayBuffer(this.#state.length * 4))
    for (const [at, value] of this.#state.entries()) digest.setUint32(at * 4, value)
    return new Uint8Array(digest.buffer)
  }

  #pad(end: number): void {
    this.#block.fill(0, this.#filled, end)
    this.#filled = end
    if (end === blockBytes) this.#mix()
  }

  #mix(): void {
    const words = this.#words
    for (let at = 0; at < 16; at++) words[at] = this.#view.getUint32(at * 4)
    for (let at = 16; at < 64; at++) {
      const [early, late] = [word(words, at - 15), word(words, at - 2)]
      const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3)
      const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10)
      words[at] = word(words, at - 16) + first + word(words, at - 7) + second
    }
    this.#compress(words)
    this.#filled = 0
  }

  #compress(words: Uint32Array): void {
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.#state
    for (let at = 0; at < 64; at++) {
      const choice = (e & f) ^ (~e & g)
      const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + word(constants, at) + word(words, at)) | 0
      const majority = (a & b) ^ (a & c) ^ (b & c)
      const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority
      ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
    }
    for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) this.#state[at] = word(this.#state, at) + value
  }
}

function word(words: Uint32Array, at: number): number {
  return words[at] ?? 0
}

function rotated(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits))
}

/** The first 32 bits of the fractional part of a root of each of the first primes (FIPS 180-4 §4.2.2, §5.3.3). */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const primes: number[] = []
  for (let next = 2; primes.length < count; next++) if (primes.every((prime) => next % prime !== 0)) primes.push(next)
  return Uint32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32)
}

const blockBytes = 64
const lengthBytes = 8
const constants = fractions(64, Math.cbrt)
const initial = fractions(8, Math.sqrt)

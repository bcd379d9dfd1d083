// As much of DER (X.690) as a certificate request needs: strict, of one form for each value, and only lengths that occur.

import { SealwireError } from '../protocol/errors.ts'

/** Tags that occur in a certificate request. */
export const derTags = { integer: 0x02, bitString: 0x03, objectIdentifier: 0x06, sequence: 0x30, context0: 0xa0 } as const

/** One element: its tag, its content, and all of its bytes. Both point into what was read. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** Reads elements one behind the other. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The next element, which must have this tag. @throws {SealwireError} `malformed`. */
  next(tag: number): DerElement {
    const start = this.#at
    if (this.#byte() !== tag) throw notDer()
    const length = this.#length()
    const end = this.#at + length
    if (end > this.#bytes.length) throw notDer()
    const content = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return { tag, content, whole: this.#bytes.subarray(start, end) }
  }

  /** Nothing comes behind. @throws {SealwireError} `malformed`. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw notDer()
  }

  /** The shortest form only; two bytes of length are more than anything here has. */
  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const short = first === 0x81 ? this.#byte() : first === 0x82 ? (this.#byte() << 8) | this.#byte() : -1
    if (short < (first === 0x81 ? 0x80 : 0x100)) throw notDer()
    return short
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw notDer()
    this.#at++
    return byte
  }
}

/** Writes an element whose content is `parts` behind each other, at most 65,535 bytes. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const { length } = content
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return new Uint8Array(Buffer.concat([Uint8Array.from(header), content]))
}

function notDer(): SealwireError {
  return new SealwireError('malformed', 'this is not the DER of a certificate request')
}

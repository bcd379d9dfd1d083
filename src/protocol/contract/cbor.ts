// CBOR (RFC 8949) as the contract uses it (contract.md, "Bodies"): definite lengths, shortest forms, text keys, no
// duplicates, no tags, no floating point, no `undefined`, valid UTF-8, nothing behind the value. The codec does most of
// that; what it leaves open (UTF-8, floats, the depth of nesting) is checked token by token, before anything is built of it.

import { type DecodeOptions, decode, encode, Tokenizer, Type } from 'cborg'
import { SealwireError } from '../errors.ts'
import { notPlain, readPlain, writePlain } from './plain-cbor.ts'

/** What CBOR can carry here. Numbers are whole; integers beyond 2^53 come and go as `bigint`. */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [key: string]: CborValue | undefined }

/** Arrays and maps inside each other, at most. No body of the contract needs half of it. */
export const cborDepthMax = 16

/** Encodes deterministically (RFC 8949 §4.2.3 key order); properties that are `undefined` are left out. */
export function encodeCbor(value: CborValue): Uint8Array {
  const plain = writePlain(value)
  return plain === notPlain ? encode(value, encodeOptions) : plain
}

/**
 * Decodes exactly one value. Byte strings are copies: nothing of the result points into `bytes`.
 * @throws {SealwireError} `malformed` for everything else.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  // A Buffer's slice is a view; the codec copies only from a plain Uint8Array. Of that no view
  // is made: its ArrayBuffer, which nobody else needs, would be allocated, and that costs more than the reading.
  const isPlain = Object.getPrototypeOf(bytes) === Uint8Array.prototype
  const plain = isPlain ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const value = readPlain(plain, cborDepthMax)
  return value === notPlain ? decodeStrictly(plain) : value
}

function decodeStrictly(plain: Uint8Array): unknown {
  try {
    return decode(plain, { ...decodeOptions, tokenizer: new StrictTokenizer(plain, decodeOptions) })
  } catch (cause) {
    if (SealwireError.is(cause)) throw cause
    throw new SealwireError('malformed', 'a body is not the CBOR of this protocol', { cause })
  }
}

class StrictTokenizer extends Tokenizer {
  readonly #bytes: Uint8Array
  /** How many items are still to come of each open array or map, the innermost last. */
  readonly #open: number[] = []

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    super(bytes, options)
    this.#bytes = bytes
  }

  override next(): ReturnType<Tokenizer['next']> {
    const start = this.pos()
    const token = super.next()
    if (token.type === Type.float) throw new SealwireError('malformed', 'a body holds a floating-point number')
    if (token.type === Type.string) token.value = this.#strictText(String(token.value), start)
    this.#count(token.type, token.value)
    return token
  }

  /** The codec replaces what is not UTF-8 and drops a byte order mark; we refuse the one and keep the other. */
  #strictText(text: string, start: number): string {
    const end = this.pos()
    const first = start + headBytes(this.#bytes[start] ?? 0)
    if (text.length === end - first && ascii.test(text)) return text
    return utf8.decode(this.#bytes.subarray(first, end))
  }

  #count(type: Type, value: unknown): void {
    const open = this.#open
    while (open.length > 0 && open.at(-1) === 0) open.pop()
    if (open.length > 0) open[open.length - 1] = (open.at(-1) ?? 0) - 1
    if (type !== Type.array && type !== Type.map) return
    if (open.length >= cborDepthMax) throw new SealwireError('malformed', 'a body is nested too deeply')
    open.push(Number(value) * (type === Type.map ? 2 : 1))
  }
}

/** The initial byte of an item and the length that follows it. */
function headBytes(initial: number): number {
  const short = initial & 0x1f
  return short < 24 ? 1 : 1 + 2 ** (short - 24)
}

const ascii = /^[\0-\x7f]*$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encodeOptions = { ignoreUndefinedProperties: true } as const
const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: true,
  rejectDuplicateMapKeys: true,
} as const

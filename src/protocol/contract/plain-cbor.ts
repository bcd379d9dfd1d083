// The quick way for what nearly every body is made of: maps, arrays, ASCII text, bytes, whole numbers up to 2^53 − 1, true,
// false and null, in the one form that each has. It refuses nothing: whatever else comes is left to the codec of cbor.ts, which
// decides alone what is malformed, so both ways mean the same.

import type { CborValue } from './cbor.ts'
import { knownAt, knownText, learnText } from './known-texts.ts'

type CborMap = { readonly [key: string]: CborValue | undefined }

/** Answered where the codec has to decide. */
export const notPlain: unique symbol = Symbol('not plain')

/** Reads exactly one plain value with nothing behind it. Byte strings are copies. `bytes` is no Buffer: its slices are views. */
export function readPlain(bytes: Uint8Array, depthMax: number): unknown {
  const reader = new PlainReader(bytes)
  const value = reader.value(depthMax)
  return reader.isAtEnd ? value : notPlain
}

/** The bytes of a plain value. Maps that have their keys in the order in which they are written are quicker than others. */
export function writePlain(value: CborValue): Uint8Array | typeof notPlain {
  const end = write(value, 0)
  return end === tooFar ? notPlain : copy(scratch, 0, end)
}

class PlainReader {
  readonly #bytes: Uint8Array
  #at = 0
  #learnt = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** `depth`: how many arrays and maps may be inside each other from here on. */
  value(depth: number): unknown {
    const first = this.#bytes[this.#at++] ?? end
    const major = first >> 5
    if (major === simple) return first === yes ? true : first === no ? false : first === nothing ? null : notPlain
    if (major === text) return this.#text(first & 0x1f)
    const count = this.#count(first & 0x1f)
    if (count < 0) return notPlain
    if (major === unsigned) return count
    if (major === negative) return count < Number.MAX_SAFE_INTEGER ? -1 - count : notPlain
    if (major === byteString) return this.#slice(count)
    if (depth === 0) return notPlain
    return major === array ? this.#array(count, depth - 1) : major === map ? this.#map(count, depth - 1) : notPlain
  }

  /** The number in the head of an item; negative where the codec has to decide. */
  #count(short: number): number {
    if (short < 24) return short
    if (short === 24) return least(24, this.#byte())
    if (short === 25) return least(0x100, this.#byte() * 0x100 + this.#byte())
    if (short === 26) return least(0x1_0000, this.#word())
    return short === 27 ? least(0x1_0000_0000, this.#word() * 0x1_0000_0000 + this.#word()) : -1
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? Number.NaN
  }

  #word(): number {
    return this.#byte() * 0x100_0000 + this.#byte() * 0x1_0000 + this.#byte() * 0x100 + this.#byte()
  }

  #text(short: number): string | typeof notPlain {
    const known = knownAt(this.#bytes, this.#at - 1)
    if (known !== undefined) {
      this.#at += short
      return known.text
    }
    const length = this.#count(short)
    const until = this.#at + length
    if (length < 0 || length > textMax || until > this.#bytes.length) return notPlain
    let read = ''
    for (; this.#at < until; this.#at++) {
      const byte = this.#bytes[this.#at] ?? end
      if (byte >= 0x80) return notPlain
      read += String.fromCharCode(byte)
    }
    return read
  }

  #slice(length: number): Uint8Array | typeof notPlain {
    const from = this.#at
    this.#at += length
    return this.#at > this.#bytes.length ? notPlain : copy(this.#bytes, from, this.#at)
  }

  #array(count: number, depth: number): unknown {
    const read: unknown[] = []
    for (let index = 0; index < count; index++) {
      const value = this.value(depth)
      if (value === notPlain) return notPlain
      read.push(value)
    }
    return read
  }

  #map(count: number, depth: number): unknown {
    const read: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const key = this.#key()
      if (key === notPlain || key === '__proto__' || Object.hasOwn(read, key)) return notPlain
      const value = this.value(depth)
      if (value === notPlain) return notPlain
      read[key] = value
    }
    return read
  }

  #key(): string | typeof notPlain {
    const known = knownAt(this.#bytes, this.#at)
    if (known === undefined) return this.#newKey()
    this.#at += known.bytes.length
    return known.text
  }

  #newKey(): string | typeof notPlain {
    const key = this.value(0)
    if (typeof key !== 'string') return notPlain
    if (this.#learnt++ < learntMax) learnText(key)
    return key
  }
}

/** The engine's own way costs more than a few bytes do. */
function copy(bytes: Uint8Array, from: number, until: number): Uint8Array {
  if (until - from > copiedMax) return bytes.slice(from, until)
  const copied = new Uint8Array(until - from)
  for (let index = 0; index < copied.length; index++) copied[index] = bytes[from + index] ?? 0
  return copied
}

/** The number, unless it has a shorter form, is too large, or is not there. */
function least(min: number, count: number): number {
  return count >= min && count <= Number.MAX_SAFE_INTEGER ? count : -1
}

/** Writes a value into the scratch; answers where it ends, {@link tooFar} where the codec has to write it. */
function write(value: CborValue, at: number): number {
  if (typeof value === 'number') return writeInteger(value, at)
  // What is beyond 2^53 is no safe integer afterwards either.
  if (typeof value === 'bigint') return writeInteger(Number(value), at)
  if (typeof value === 'string') return writeText(value, at)
  if (value === null) return writeByte((simple << 5) | 22, at)
  if (typeof value === 'boolean') return writeByte(value ? yes : no, at)
  if (value instanceof Uint8Array) return writeBytes(value, at)
  if (typeof value !== 'object') return tooFar
  if (isArray(value)) return writeArray(value, at)
  return Object.getPrototypeOf(value) === Object.prototype ? writeMap(value, at) : tooFar
}

function writeInteger(value: number, at: number): number {
  if (!Number.isSafeInteger(value)) return tooFar
  return value < 0 ? writeHead(negative, -1 - value, at) : writeHead(unsigned, value, at)
}

function writeByte(byte: number, at: number): number {
  scratch[at] = byte
  return at + 1 > scratchBytes ? tooFar : at + 1
}

/** RFC 8949 §3.1: the shortest form. */
function writeHead(major: number, count: number, at: number): number {
  if (at + 9 > scratchBytes) return tooFar
  const first = major << 5
  if (count < 24) return writeByte(first | count, at)
  if (count < 0x100) {
    scratch[at] = first | 24
    return writeByte(count, at + 1)
  }
  if (count < 0x1_0000) {
    scratch[at] = first | 25
    view.setUint16(at + 1, count)
    return at + 3
  }
  if (count < 0x1_0000_0000) {
    scratch[at] = first | 26
    view.setUint32(at + 1, count)
    return at + 5
  }
  scratch[at] = first | 27
  view.setUint32(at + 1, Math.floor(count / 0x1_0000_0000))
  view.setUint32(at + 5, count >>> 0)
  return at + 9
}

function writeText(value: string, at: number): number {
  const { length } = value
  const start = length > textMax ? tooFar : writeHead(text, length, at)
  if (start + length > scratchBytes) return tooFar
  let all = 0
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index)
    all |= unit
    scratch[start + index] = unit
  }
  return all < 0x80 ? start + length : tooFar
}

function writeKey(key: string, at: number): number {
  const known = knownText(key)
  if (known === undefined) {
    learnText(key)
    return writeText(key, at)
  }
  const { bytes } = known
  if (at + bytes.length > scratchBytes) return tooFar
  for (let index = 0; index < bytes.length; index++) scratch[at + index] = bytes[index] ?? 0
  return at + bytes.length
}

function writeBytes(value: Uint8Array, at: number): number {
  const end = writeHead(byteString, value.length, at)
  if (end + value.length > scratchBytes) return tooFar
  scratch.set(value, end)
  return end + value.length
}

function writeArray(value: readonly CborValue[], at: number): number {
  let end = writeHead(array, value.length, at)
  for (const each of value) if (end < tooFar) end = write(each, end)
  return end
}

function writeMap(value: CborMap, at: number, isOrdered = false): number {
  let count = 0
  let before = ''
  let end = at + 1
  for (const key in value) {
    const each = value[key]
    if (each === undefined) continue
    if (count > 0 && !isBehind(key, before)) return isOrdered ? tooFar : writeMap(inOrder(value), at, true)
    before = key
    count++
    end = write(each, writeKey(key, end))
    if (end === tooFar) return tooFar
  }
  // Only now it is known how many there are; more have a longer head.
  return count < 24 && writeHead(map, count, at) !== tooFar ? end : tooFar
}

/** The same with its keys in the order in which they are written; but for those that an object has in front anyway, whole numbers. */
function inOrder(value: CborMap): CborMap {
  const keys = Object.keys(value).toSorted((one, other) => (isBehind(one, other) ? 1 : -1))
  const ordered = Object.create(null) as Record<string, CborValue | undefined>
  for (const key of keys) ordered[key] = value[key]
  return ordered
}

/** RFC 8949 §4.2.3, for ASCII: shorter keys first, equal ones in the order of their bytes. */
function isBehind(key: string, before: string): boolean {
  return key.length > before.length || (key.length === before.length && key > before)
}

function isArray(value: object): value is readonly CborValue[] {
  return Array.isArray(value)
}

const [unsigned, negative, byteString, text, array, map, simple] = [0, 1, 2, 3, 4, 5, 7]
const [no, yes, nothing, end] = [0xf4, 0xf5, 0xf6, 0xff]
/** The longest text that is read and written character by character; the codec is quicker with longer ones. */
const textMax = 64
/** The most bytes that are copied one by one. */
const copiedMax = 32
/** New keys that are kept of one body: who makes up keys is not worth the work. */
const learntMax = 16
/** More than any frame. */
const scratchBytes = 72 * 1024
/** Further than the scratch, and a small whole number like every place in it: with others among them all would be slower. */
const tooFar = 2 ** 30
const scratch = new Uint8Array(scratchBytes)
const view = new DataView(scratch.buffer)

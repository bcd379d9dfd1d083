// The CBOR of contract.md, "Bodies", read in the plainest way there is: what the codec is measured against. It shares no code with it.

/** What `readStrictly` answers for everything that is not the one form of a value. */
export const notCbor: unique symbol = Symbol('not CBOR')

/** The one value in `bytes`. Integers beyond 2^53 are `bigint`; maps are objects without a prototype. */
export function readStrictly(bytes: Uint8Array, depthMax: number): unknown {
  try {
    const reader = new StrictReader(bytes)
    const value = reader.value(depthMax)
    return reader.at === bytes.length ? value : notCbor
  } catch (reason) {
    // A TypeError: text that is no UTF-8.
    if (reason instanceof NotCbor || reason instanceof TypeError) return notCbor
    throw reason
  }
}

class NotCbor extends Error {}

class StrictReader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  value(depth: number): unknown {
    const first = this.#byte()
    const major = first >> 5
    if (major === 7) return simple(first)
    const count = this.#count(first & 0x1f)
    if (major === 0) return count
    if (major === 1) return typeof count === 'number' && count < Number.MAX_SAFE_INTEGER ? -1 - count : -1n - BigInt(count)
    if (typeof count !== 'number') return refuse()
    if (major === 2) return this.#take(count).slice()
    if (major === 3) return utf8.decode(this.#take(count))
    if (depth === 0 || major === 6) return refuse()
    return major === 4 ? this.#items(count, depth - 1) : this.#pairs(count, depth - 1)
  }

  #items(count: number, depth: number): readonly unknown[] {
    const items: unknown[] = []
    for (let left = count; left > 0; left--) items.push(this.value(depth))
    return items
  }

  #pairs(count: number, depth: number): unknown {
    const pairs = new Map<unknown, unknown>()
    for (let left = count; left > 0; left--) {
      const key = this.value(0)
      if (typeof key !== 'string' || pairs.has(key)) refuse()
      pairs.set(key, this.value(depth))
    }
    return pairs
  }

  /** RFC 8949 §4.2.1: the shortest form. `bigint` beyond 2^53. */
  #count(short: number): number | bigint {
    if (short < 24) return short
    if (short > 27) return refuse()
    let bytes = 1 << (short - 24)
    let count = 0
    let exact = 0n
    for (const isLong = bytes === 8; bytes > 0; bytes--) {
      const byte = this.#byte()
      count = count * 256 + byte
      if (isLong) exact = exact * 256n + BigInt(byte)
    }
    if (count < (leasts[short - 24] ?? 0)) refuse()
    return count <= Number.MAX_SAFE_INTEGER ? count : exact
  }

  #byte(): number {
    return this.#bytes[this.at++] ?? refuse()
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.at) refuse()
    const from = this.at
    this.at += count
    return this.#bytes.subarray(from, this.at)
  }
}

/** Whether `value` is what `readStrictly` made of the same bytes. */
export function isSame(value: unknown, strict: unknown): boolean {
  if (strict instanceof Map) return isSameMap(value, strict)
  if (Array.isArray(strict))
    return Array.isArray(value) && value.length === strict.length && strict.every((each, at) => isSame(value[at], each))
  if (strict instanceof Uint8Array) return value instanceof Uint8Array && Buffer.compare(value, strict) === 0
  return Object.is(value, strict)
}

/** Every pair is an own property, and nothing but the pairs is there: a map must not bring a prototype. */
function isSameMap(value: unknown, strict: ReadonlyMap<unknown, unknown>): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  const keys = Object.keys(value)
  return (
    keys.length === strict.size && keys.every((key) => strict.has(key) && isSame((value as Record<string, unknown>)[key], strict.get(key)))
  )
}

function simple(first: number): boolean | null {
  if (first === 0xf4) return false
  if (first === 0xf5) return true
  return first === 0xf6 ? null : refuse()
}

function refuse(): never {
  throw new NotCbor()
}

const leasts = [24, 0x100, 0x1_0000, 0x1_0000_0000] as const
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

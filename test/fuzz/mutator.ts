// Changes an input as accidents and enemies would: bits, lengths, pieces left out, repeated, exchanged, put in from elsewhere.

import type { Chance } from './chance.ts'

/** What a mutator takes pieces from. */
export interface Material {
  /** Pieces that mean something to the target. */
  readonly words: readonly Uint8Array[]
  /** Other inputs, at least one. */
  readonly inputs: readonly Uint8Array[]
  /** The longest input worth a try. */
  readonly bytesMax: number
}

/** `input` with one to six changes; mostly with one, because each takes it further away from what is accepted. */
export function mutate(chance: Chance, input: Uint8Array, material: Material): Uint8Array {
  let mutated = input
  do mutated = chance.pick(mutations)(chance, mutated, material)
  while (chance.oneIn(3))
  return mutated.length > material.bytesMax ? mutated.slice(0, material.bytesMax) : mutated
}

type Mutation = (chance: Chance, bytes: Uint8Array, material: Material) => Uint8Array

const mutations: readonly Mutation[] = [
  // A bit, a byte, a byte that is an edge, a byte a little larger or smaller.
  (chance, bytes) => changed(chance, bytes, (byte) => byte ^ (1 << chance.below(8))),
  (chance, bytes) => changed(chance, bytes, () => chance.next()),
  (chance, bytes) => changed(chance, bytes, () => chance.pick(edges)),
  (chance, bytes) => changed(chance, bytes, (byte) => byte + chance.between(1, 16) * (chance.oneIn(2) ? 1 : -1)),
  // A number of two, four or eight bytes: an edge, the length of what follows, or one beside it.
  (chance, bytes) => withNumber(chance, bytes),
  (chance, bytes) => bytes.slice(0, chance.below(bytes.length + 1)),
  (chance, bytes) => bytes.slice(chance.below(Math.min(bytes.length, 16) + 1)),
  (chance, bytes) => without(chance, bytes, chance.length(bytes.length)),
  (chance, bytes) => without(chance, bytes, 1),
  // A piece twice, or many times.
  (chance, bytes) => inserted(chance, bytes, ...Array.from({ length: chance.oneIn(8) ? 40 : 1 }, piece(chance, bytes))),
  (chance, bytes, { words }) => inserted(chance, bytes, chance.pick(words)),
  (chance, bytes, { words }) => overwritten(chance, bytes, chance.pick(words)),
  (chance, bytes, { words }) => exchanged(chance, bytes, chance.pick(words), chance.pick(words)),
  (chance, bytes) => inserted(chance, bytes, chance.bytes(chance.between(1, 4))),
  (chance, bytes, { inputs }) => spliced(chance, bytes, chance.pick(inputs)),
  (chance, bytes, { inputs }) => inserted(chance, bytes, piece(chance, chance.pick(inputs))()),
  (chance, bytes, { inputs }) => overwritten(chance, bytes, piece(chance, chance.pick(inputs))()),
  (chance, bytes) => turned(chance, bytes),
]

function changed(chance: Chance, bytes: Uint8Array, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice()
  const at = chance.below(copy.length)
  if (copy.length > 0) copy[at] = change(copy[at] ?? 0)
  return copy
}

function withNumber(chance: Chance, bytes: Uint8Array): Uint8Array {
  const width = chance.pick([2, 4, 8] as const)
  if (bytes.length < width) return bytes
  const copy = bytes.slice()
  const at = chance.below(copy.length - width + 1)
  const left = copy.length - at - width
  const number = chance.oneIn(2) ? chance.pick(numbers) : Math.max(0, left + chance.between(-2, 2))
  const view = new DataView(copy.buffer)
  if (width === 8) view.setBigUint64(at, BigInt(number))
  else if (width === 4) view.setUint32(at, number)
  else view.setUint16(at, number)
  return copy
}

function without(chance: Chance, bytes: Uint8Array, count: number): Uint8Array {
  const at = chance.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), bytes.subarray(at + count))
}

function inserted(chance: Chance, bytes: Uint8Array, ...pieces: readonly Uint8Array[]): Uint8Array {
  const at = chance.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), ...pieces, bytes.subarray(at))
}

function overwritten(chance: Chance, bytes: Uint8Array, by: Uint8Array): Uint8Array {
  const at = chance.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), by, bytes.subarray(at + by.length))
}

/** One word in the place of another, where that occurs. */
function exchanged(chance: Chance, bytes: Uint8Array, word: Uint8Array, by: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(word)
  return at < 0 ? overwritten(chance, bytes, by) : joined(bytes.subarray(0, at), by, bytes.subarray(at + word.length))
}

/** The beginning of one and the end of another. */
function spliced(chance: Chance, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const cut = chance.below(bytes.length + 1)
  const from = chance.oneIn(2) ? Math.min(cut, other.length) : chance.below(other.length + 1)
  return joined(bytes.subarray(0, cut), other.subarray(from))
}

/** Two pieces that stand beside each other, exchanged. */
function turned(chance: Chance, bytes: Uint8Array): Uint8Array {
  const [first = 0, middle = 0, last = 0] = [0, 1, 2].map(() => chance.below(bytes.length + 1)).sort((a, b) => a - b)
  return joined(bytes.subarray(0, first), bytes.subarray(middle, last), bytes.subarray(first, middle), bytes.subarray(last))
}

function piece(chance: Chance, bytes: Uint8Array): () => Uint8Array {
  return () => {
    const at = chance.below(bytes.length + 1)
    return bytes.subarray(at, at + 1 + chance.length(Math.min(64, bytes.length)))
  }
}

/** One array of all of them. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const edges = [0x00, 0x01, 0x0a, 0x17, 0x18, 0x1f, 0x20, 0x7f, 0x80, 0x81, 0xa0, 0xc0, 0xf7, 0xfe, 0xff] as const
const numbers = [
  0,
  1,
  15,
  16,
  17,
  255,
  256,
  0x7fff,
  0x8000,
  0xfffe,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
  2 ** 53 - 1,
] as const

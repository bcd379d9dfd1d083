import { sameBytes } from '../protocol/same-bytes.ts' // Merkle trees as in RFC 9162 §2.1: a short hash of a log, from which two things can be proved with a few hashes more: that a leaf
// is at its place in it, and that one log begins with the whole of another.
//
// Whoever has the log need not read it for a proof: all that is asked for is roots of complete subtrees, 2^level leaves that
// begin at a multiple of 2^level, and those never change. What runs in a browser and on a server brings its own SHA-256.

/** SHA-256 of some bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array
/** The root of the complete subtree of 2^`level` leaves that begins with leaf `index` · 2^`level`. */
export type Subtree = (level: bigint, index: bigint) => Uint8Array

/** The hash of a leaf: MTH({d}). */
export function leafHash(sha256: Sha256, leaf: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + leaf.length)
  bytes.set(leaf, 1)
  return sha256(bytes)
}

/** The hash of an inner node. */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 1 + left.length)
  return sha256(bytes)
}

/** The root of the first `size` leaves. */
export function treeRoot(sha256: Sha256, subtree: Subtree, size: bigint): Uint8Array {
  return size === 0n ? sha256(new Uint8Array()) : rangeRoot(sha256, subtree, 0n, size)
}

/** PATH(index, D[size]) of §2.1.3.1: from leaf `index` up to the root of the first `size` leaves; `index` < `size`. */
export function inclusionPath(sha256: Sha256, subtree: Subtree, index: bigint, size: bigint): readonly Uint8Array[] {
  const path: Uint8Array[] = []
  let [from, to] = [0n, size]
  while (to - from > 1n) {
    const middle = from + splitOf(to - from)
    const isLeft = index < middle
    path.push(isLeft ? rangeRoot(sha256, subtree, middle, to) : rangeRoot(sha256, subtree, from, middle))
    if (isLeft) to = middle
    else from = middle
  }
  return path.reverse()
}

/** PROOF(from, D[to]) of §2.1.4.1; empty when one of both is nothing or they are the same. `from` ≤ `to`. */
export function consistencyProof(sha256: Sha256, subtree: Subtree, from: bigint, to: bigint): readonly Uint8Array[] {
  if (from === 0n || from === to) return []
  const proof: Uint8Array[] = []
  let [start, end] = [0n, to]
  // Whether what was walked through so far is all of the older tree: its root is known to who verifies.
  let isWhole = true
  while (from !== end) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      proof.push(rangeRoot(sha256, subtree, middle, end))
      end = middle
    } else {
      proof.push(rangeRoot(sha256, subtree, start, middle))
      start = middle
      isWhole = false
    }
  }
  if (!isWhole) proof.push(rangeRoot(sha256, subtree, start, end))
  return proof.reverse()
}

/** Whether a path leads from the hash of leaf `index` to the root of `size` leaves (§2.1.3.2). */
export function verifyInclusion(sha256: Sha256, { leaf, index, size, path, root }: Inclusion): boolean {
  if (index < 0n || index >= size) return false
  let [place, last, hash] = [index, size - 1n, leaf]
  for (const other of path) {
    if (last === 0n) return false
    if ((place & 1n) === 1n || place === last) {
      hash = nodeHash(sha256, other, hash)
      for (; (place & 1n) === 0n && place !== 0n; place >>= 1n) last >>= 1n
    } else {
      hash = nodeHash(sha256, hash, other)
    }
    place >>= 1n
    last >>= 1n
  }
  return last === 0n && sameBytes(hash, root)
}

/** A claim that a leaf is in a tree. */
export interface Inclusion {
  /** {@link leafHash} of it. */
  readonly leaf: Uint8Array
  readonly index: bigint
  readonly size: bigint
  readonly path: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether a proof shows that the tree of `to` leaves begins with all of the tree of `from` leaves (§2.1.4.2). */
export function verifyConsistency(sha256: Sha256, { from, fromRoot, to, toRoot, proof }: Consistency): boolean {
  if (from < 0n || from > to) return false
  if (from === to) return proof.length === 0 && sameBytes(fromRoot, toRoot)
  if (from === 0n) return proof.length === 0 && sameBytes(fromRoot, sha256(new Uint8Array()))
  const [first, ...others] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  let [place, last] = [from - 1n, to - 1n]
  for (; (place & 1n) === 1n; place >>= 1n) last >>= 1n
  let [older, newer] = [first, first]
  for (const other of others) {
    if (last === 0n) return false
    if ((place & 1n) === 1n || place === last) {
      older = nodeHash(sha256, other, older)
      newer = nodeHash(sha256, other, newer)
      for (; (place & 1n) === 0n && place !== 0n; place >>= 1n) last >>= 1n
    } else {
      newer = nodeHash(sha256, newer, other)
    }
    place >>= 1n
    last >>= 1n
  }
  return last === 0n && sameBytes(older, fromRoot) && sameBytes(newer, toRoot)
}

/** A claim that one tree is the beginning of another. */
export interface Consistency {
  readonly from: bigint
  readonly fromRoot: Uint8Array
  readonly to: bigint
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** A tree that grows leaf by leaf and remembers no more than its complete subtrees, one a bit of its size. */
export class Frontier {
  readonly #sha256: Sha256
  /** The largest first. */
  readonly #subtrees: Uint8Array[]
  #size: bigint

  /** Of nothing, or of what {@link subtrees} said of `size` leaves. */
  constructor(sha256: Sha256, size = 0n, subtrees: readonly Uint8Array[] = []) {
    this.#sha256 = sha256
    this.#size = size
    this.#subtrees = [...subtrees]
  }

  get size(): bigint {
    return this.#size
  }

  /** Roots of its complete subtrees, the largest first. */
  get subtrees(): readonly Uint8Array[] {
    return [...this.#subtrees]
  }

  /** Adds a leaf. Answers the roots of the subtrees that are complete with it, level 0, its own hash, first. */
  add(leaf: Uint8Array): readonly Uint8Array[] {
    let hash = leafHash(this.#sha256, leaf)
    const complete = [hash]
    for (let rest = this.#size; (rest & 1n) === 1n; rest >>= 1n) {
      hash = nodeHash(this.#sha256, this.#subtrees.pop() ?? hash, hash)
      complete.push(hash)
    }
    this.#subtrees.push(hash)
    this.#size += 1n
    return complete
  }

  root(): Uint8Array {
    const [last, ...others] = [...this.#subtrees].reverse()
    if (last === undefined) return this.#sha256(new Uint8Array())
    return others.reduce((right, left) => nodeHash(this.#sha256, left, right), last)
  }
}

/** MTH(D[from:to]); `from` is a multiple of a power of two that is at least `to` − `from`. */
function rangeRoot(sha256: Sha256, subtree: Subtree, from: bigint, to: bigint): Uint8Array {
  const size = to - from
  if (isPowerOfTwo(size)) return subtree(levelOf(size), from / size)
  const middle = from + splitOf(size)
  return nodeHash(sha256, rangeRoot(sha256, subtree, from, middle), rangeRoot(sha256, subtree, middle, to))
}

/** The largest power of two below a size that is more than 1. */
function splitOf(size: bigint): bigint {
  return 1n << levelOf(size - 1n)
}

/** The place of the highest bit. */
function levelOf(size: bigint): bigint {
  return BigInt(size.toString(2).length - 1)
}

function isPowerOfTwo(size: bigint): boolean {
  return (size & (size - 1n)) === 0n
}

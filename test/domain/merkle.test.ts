import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  consistencyProof,
  Frontier,
  inclusionPath,
  leafHash,
  nodeHash,
  type Subtree,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '../../src/domain/index.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** RFC 9162 §2.1.1, word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array())
  const [first] = leaves
  if (leaves.length === 1 && first) return sha256(Uint8Array.of(0, ...first))
  const k = split(leaves.length)
  return sha256(Uint8Array.of(1, ...naiveRoot(leaves.slice(0, k)), ...naiveRoot(leaves.slice(k))))
}

/** §2.1.3.1. */
function naivePath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  return index < k
    ? [...naivePath(index, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(index - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))]
}

/** §2.1.4.1. */
function naiveProof(m: number, leaves: readonly Uint8Array[], isWhole = true): Uint8Array[] {
  if (m === leaves.length) return isWhole ? [] : [naiveRoot(leaves)]
  const k = split(leaves.length)
  return m <= k
    ? [...naiveProof(m, leaves.slice(0, k), isWhole), naiveRoot(leaves.slice(k))]
    : [...naiveProof(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))]
}

function split(size: number): number {
  let k = 1
  while (k * 2 < size) k *= 2
  return k
}

const leavesOf = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, at) => sha256(Uint8Array.of(at & 255, at >> 8)))
const subtreesOf =
  (leaves: readonly Uint8Array[]): Subtree =>
  (level, place) =>
    naiveRoot(leaves.slice(Number(place << level), Number((place + 1n) << level)))

describe('known trees', () => {
  /** The leaves of the test of RFC 6962's reference implementation, and the roots that it has for the first 1 to 8 of them. */
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const leaves = inputs.map((text) => new Uint8Array(Buffer.from(text, 'hex')))
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]

  test('of nothing, and of the leaves of RFC 6962', () => {
    expect(hex(treeRoot(sha256, subtreesOf([]), 0n))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    const frontier = new Frontier(sha256)
    for (const [index, leaf] of leaves.entries()) {
      frontier.add(leaf)
      expect(hex(frontier.root())).toBe(roots[index] ?? '')
      expect(hex(treeRoot(sha256, subtreesOf(leaves), BigInt(index + 1)))).toBe(roots[index] ?? '')
    }
  })

  test('of the example of RFC 9162 §2.1.5, with its paths and proofs', () => {
    const [d0, d1, d2, d3, d4, d5, d6] = leavesOf(7)
    const hash = (leaf: Uint8Array | undefined) => leafHash(sha256, leaf ?? new Uint8Array())
    const node = (left: Uint8Array, right: Uint8Array) => nodeHash(sha256, left, right)
    const [a, b, c, d, e, f, j] = [d0, d1, d2, d3, d4, d5, d6].map(hash) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const [g, h, i] = [node(a, b), node(c, d), node(e, f)]
    const [k, l] = [node(g, h), node(i, j)]
    const subtree = subtreesOf(leavesOf(7))
    expect(hex(treeRoot(sha256, subtree, 7n))).toBe(hex(node(k, l)))
    const path = (index: bigint) => inclusionPath(sha256, subtree, index, 7n).map(hex)
    expect(path(0n)).toEqual([b, h, l].map(hex))
    expect(path(3n)).toEqual([c, g, l].map(hex))
    expect(path(4n)).toEqual([f, j, k].map(hex))
    expect(path(6n)).toEqual([i, k].map(hex))
    const proof = (from: bigint) => consistencyProof(sha256, subtree, from, 7n).map(hex)
    expect(proof(3n)).toEqual([c, d, g, l].map(hex))
    expect(proof(4n)).toEqual([l].map(hex))
    expect(proof(6n)).toEqual([i, j, k].map(hex))
  })
})

describe('every tree of up to 40 leaves', () => {
  const all = leavesOf(40)

  test('has the paths of the definition, and they verify for their own leaf and place only', () => {
    for (let size = 1; size <= all.length; size++) {
      const leaves = all.slice(0, size)
      const root = naiveRoot(leaves)
      for (let index = 0; index < size; index++) {
        const path = inclusionPath(sha256, subtreesOf(leaves), BigInt(index), BigInt(size))
        expect(path.map(hex)).toEqual(naivePath(index, leaves).map(hex))
        const claim = { leaf: leafHash(sha256, leaves[index] ?? root), index: BigInt(index), size: BigInt(size), path, root }
        expect(verifyInclusion(sha256, claim)).toBe(true)
        const lies = [
          { ...claim, leaf: leafHash(sha256, root) },
          { ...claim, index: BigInt(size) },
          { ...claim, index: -1n },
          { ...claim, path: [...path, root] },
          { ...claim, root: sha256(root) },
          ...(path.length > 0
            ? [
                { ...claim, path: path.slice(1) },
                { ...claim, index: BigInt(index ^ 1) },
              ]
            : []),
        ]
        for (const lie of lies) expect(verifyInclusion(sha256, lie)).toBe(false)
      }
    }
  })

  test('begins with every smaller one, provably, and with no other', () => {
    for (let to = 0; to <= all.length; to++) {
      for (let from = 0; from <= to; from++) {
        const [older, newer] = [all.slice(0, from), all.slice(0, to)]
        const proof = consistencyProof(sha256, subtreesOf(newer), BigInt(from), BigInt(to))
        if (from > 0 && from < to) expect(proof.map(hex)).toEqual(naiveProof(from, newer).map(hex))
        const claim = { from: BigInt(from), fromRoot: naiveRoot(older), to: BigInt(to), toRoot: naiveRoot(newer), proof }
        expect(verifyConsistency(sha256, claim)).toBe(true)
        const lies = [
          { ...claim, fromRoot: sha256(claim.fromRoot) },
          { ...claim, proof: [...proof, claim.toRoot] },
          ...(from > 0 ? [{ ...claim, toRoot: sha256(claim.toRoot) }] : []),
          ...(from > 0 && from < to
            ? [
                { ...claim, proof: proof.slice(0, -1) },
                { ...claim, proof: [] },
              ]
            : []),
        ]
        for (const lie of lies) expect(verifyConsistency(sha256, lie)).toBe(false)
      }
    }
  })
})

test('one changed bit of a path or a proof is found', () => {
  const leaves = leavesOf(300)
  const subtree = subtreesOf(leaves)
  const root = naiveRoot(leaves)
  const check = fc.property(fc.nat(299), fc.integer({ min: 1, max: 299 }), fc.nat(), fc.nat(255), (index, from, where, bit) => {
    const path = flipped(inclusionPath(sha256, subtree, BigInt(index), 300n), where, bit)
    const leaf = leafHash(sha256, leaves[index] ?? root)
    expect(verifyInclusion(sha256, { leaf, index: BigInt(index), size: 300n, path, root })).toBe(false)
    const proof = flipped(consistencyProof(sha256, subtree, BigInt(from), 300n), where, bit)
    const fromRoot = naiveRoot(leaves.slice(0, from))
    expect(verifyConsistency(sha256, { from: BigInt(from), fromRoot, to: 300n, toRoot: root, proof })).toBe(false)
  })
  fc.assert(check, { numRuns: 100 })
})

test('a frontier goes on from what it said of itself, and tells what becomes complete', () => {
  const leaves = leavesOf(100)
  let frontier = new Frontier(sha256)
  for (const [index, leaf] of leaves.entries()) {
    frontier = new Frontier(sha256, frontier.size, frontier.subtrees)
    const complete = frontier.add(leaf)
    const size = BigInt(index + 1)
    for (const [level, root] of complete.entries()) {
      expect(hex(root)).toBe(hex(subtreesOf(leaves)(BigInt(level), (size >> BigInt(level)) - 1n)))
    }
    expect(frontier.subtrees).toHaveLength(size.toString(2).replaceAll('0', '').length)
  }
  expect(hex(frontier.root())).toBe(hex(naiveRoot(leaves)))
})

function flipped(hashes: readonly Uint8Array[], where: number, bit: number): readonly Uint8Array[] {
  return hashes.map((hash, at) =>
    at === where % hashes.length ? hash.map((byte, place) => (place === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)) : hash,
  )
}

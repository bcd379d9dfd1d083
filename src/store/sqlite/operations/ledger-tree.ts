// The Merkle tree over the ledger (RFC 9162 §2.1): its leaves are the hashes of postings. Roots of complete subtrees of 256
// postings and more are kept as they become complete; smaller ones are computed from the postings when they are needed.

import { leafHash, nodeHash, type Subtree } from '../../../domain/merkle.ts'
import { assert } from '../../../protocol/errors.ts'
import type { Database } from '../database.ts'
import { blob } from '../statement.ts'
import { sha256 } from './ledger-row.ts'

/** The level of the smallest subtrees that are kept. */
export const keptLevel = 8n

/** To be called after posting `size` was added: keeps what is complete with it. */
export function growTree(database: Database, size: bigint): void {
  if (size % (1n << keptLevel) !== 0n) return
  const subtree = subtreesOf(database)
  let place = (size >> keptLevel) - 1n
  let hash = foldedLeaves(database, keptLevel, place)
  for (let level = keptLevel; ; level++) {
    keep(database, level, place, hash)
    if ((place & 1n) === 0n) return
    hash = nodeHash(sha256, subtree(level, place - 1n), hash)
    place >>= 1n
  }
}

/** Where proofs have their hashes from. */
export function subtreesOf(database: Database): Subtree {
  return (level, place) => (level < keptLevel ? foldedLeaves(database, level, place) : keptSubtree(database, level, place))
}

/** A subtree that is kept; undefined when there is none. */
export function findSubtree(database: Database, level: bigint, place: bigint): Uint8Array | undefined {
  const row = database.prepare('select hash from subtree where level = :level and place = :place').row({ level, place })
  return row && blob(row, 'hash')
}

function keptSubtree(database: Database, level: bigint, place: bigint): Uint8Array {
  const hash = findSubtree(database, level, place)
  assert(hash, 'a subtree of the ledger is missing')
  return hash
}

function keep(database: Database, level: bigint, place: bigint, hash: Uint8Array): void {
  database.prepare('insert into subtree (level, place, hash) values (:level, :place, :hash)').run({ level, place, hash })
}

function foldedLeaves(database: Database, level: bigint, place: bigint): Uint8Array {
  const [from, to] = [place << level, (place + 1n) << level]
  const rows = database.prepare('select hash from posting where seq > :from and seq <= :to order by seq').rows({ from, to })
  assert(BigInt(rows.length) === to - from, 'a posting is missing')
  let hashes = rows.map((row) => leafHash(sha256, blob(row, 'hash')))
  while (hashes.length > 1) hashes = pairs(hashes)
  const [root] = hashes
  assert(root, 'a subtree without leaves')
  return root
}

function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  return Array.from({ length: hashes.length >> 1 }, (_, at) => {
    const [left, right] = [hashes[at * 2], hashes[at * 2 + 1]]
    assert(left && right, 'half a pair')
    return nodeHash(sha256, left, right)
  })
}

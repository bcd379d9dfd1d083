// Verifies postings one after the other: each is chained to the one before, moves what its transfer says, and leaves every
// account with what it had and its delta. On the way the Merkle tree grows, and every checkpoint must have its root.

import { Frontier } from '../../../domain/merkle.ts'
import { checkpointPurpose } from '../../../protocol/contract/cose.ts'
import { sameBytes } from '../../../protocol/same-bytes.ts'
import type { Leg, Posting } from '../../ledger.ts'
import type { VerifyPlace } from '../../ledger-verification.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalInteger, type Row, text } from '../statement.ts'
import { chainHash, decodePosting, sha256 } from './ledger-row.ts'
import { findSubtree, keptLevel } from './ledger-tree.ts'
import { type Progress, requireThat } from './ledger-progress.ts'
import { verifyOrder } from './ledger-verify-order.ts'

export function verifyPostings(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const rows = database
    .prepare('select seq, row, hash from posting where seq > :after order by seq limit :max')
    .rows({ after: place.seq, max })
  const frontier = new Frontier(sha256, place.seq, place.frontier)
  const checkpoints = checkpointsAfter(database, place.seq, place.seq + max)
  let { hash } = place
  let work = 0n
  for (const row of rows) {
    progress.begin(`posting ${frontier.size + 1n}`)
    const posting = verifyChain(row, frontier.size + 1n, hash)
    verifyMoves(database, posting)
    verifyOrder(database, posting, progress)
    hash = blob(row, 'hash')
    verifyTree(database, frontier, hash)
    verifyCheckpoint(checkpoints.get(frontier.size), frontier, progress)
    work += BigInt(posting.legs.length)
    // A split has many legs: a step stays short.
    if (work >= 3n * max) break
  }
  if (rows.length === 0) requireNoCheckpointBehind(database, place.seq, progress)
  return rows.length === 0 ? undefined : { ...place, seq: frontier.size, hash, frontier: frontier.subtrees }
}

function verifyChain(row: Row, seq: bigint, previous: Uint8Array): Posting {
  requireThat(integer(row, 'seq') === seq, 'it is missing')
  const bytes = blob(row, 'row')
  requireThat(sameBytes(chainHash(previous, bytes), blob(row, 'hash')), 'its hash is not that of what it says and of what is before')
  const posting = decodePosting(bytes)
  requireThat(posting.seq === seq, 'it is in the place of another')
  return posting
}

function verifyMoves(database: Database, posting: Posting): void {
  const { legs, unit, decimals } = posting
  requireThat(legs.reduce((sum, { delta }) => sum + delta, 0n) === 0n, 'its sum is not 0')
  requireThat(new Set(legs.map(({ ledgerAccountId }) => ledgerAccountId)).size === legs.length, 'it names an account twice')
  const row = database.prepare('select decimals from unit where code = :unit').row({ unit })
  requireThat(row !== undefined && integer(row, 'decimals') === decimals, 'its unit is not what it was')
  for (const leg of legs) verifyLeg(database, posting, leg)
}

function verifyLeg(database: Database, { seq, unit, kind }: Posting, { ledgerAccountId: id, holderId, delta }: Leg): void {
  const row = database
    .prepare(
      `select kind, holder_id, unit, floor_min, leg.delta, leg.balance, leg.number, leg.previous, before.balance as before,
         before.number as number_before
       from ledger_account join leg on leg.ledger_account_id = ledger_account.id and leg.posting = :seq
       left join leg as before on before.posting = leg.previous and before.ledger_account_id = ledger_account.id
       where ledger_account.id = :id`,
    )
    .row({ id, seq })
  requireThat(row !== undefined, `it moves account ${id}, which does not know of it`)
  const whose = holderId > 0n ? 'user' : kind === 'mint' || kind === 'burn' ? 'issuance' : 'held'
  const isThere = integer(row, 'holder_id') === holderId && text(row, 'kind') === whose && text(row, 'unit') === unit
  requireThat(isThere, `account ${id} is somebody else's`)
  const [before, balance] = [row['before'] ?? 0n, integer(row, 'balance')]
  requireThat(integer(row, 'delta') === delta && before === balance - delta, `account ${id} does not have what it had and its part`)
  const follows = integer(row, 'number') === (optionalInteger(row, 'number_before') ?? 0n) + 1n
  requireThat(follows && (row['previous'] === null) === (row['before'] === null), `account ${id} has another leg before it`)
  requireThat(whose === 'issuance' || balance >= integer(row, 'floor_min'), `account ${id} fell below its floor`)
}

function verifyTree(database: Database, frontier: Frontier, hash: Uint8Array): void {
  for (const [index, root] of frontier.add(hash).entries()) {
    const level = BigInt(index)
    if (level < keptLevel) continue
    const kept = findSubtree(database, level, (frontier.size >> level) - 1n)
    requireThat(kept !== undefined && sameBytes(kept, root), 'the tree of hashes is another')
  }
}

function checkpointsAfter(database: Database, from: bigint, to: bigint): ReadonlyMap<bigint, Row> {
  const rows = database.prepare('select size, root, at, cose from checkpoint where size > :from and size <= :to').rows({ from, to })
  return new Map(rows.map((row) => [integer(row, 'size'), row]))
}

function verifyCheckpoint(row: Row | undefined, frontier: Frontier, progress: Progress): void {
  if (row === undefined) return
  const [size, root, at] = [frontier.size, blob(row, 'root'), integer(row, 'at')]
  progress.begin(`checkpoint ${size}`)
  requireThat(sameBytes(root, frontier.root()), 'its root is not that of the ledger')
  progress.signatures.push({
    row: progress.row,
    purpose: checkpointPurpose,
    cose: blob(row, 'cose'),
    signerId: undefined,
    checkpoint: { size, root, at },
  })
}

/** At the end of the ledger: postings that a checkpoint had are gone. */
function requireNoCheckpointBehind(database: Database, size: bigint, progress: Progress): void {
  const row = database.prepare('select size from checkpoint where size > :size order by size limit 1').row({ size })
  if (row === undefined) return
  progress.begin(`checkpoint ${integer(row, 'size')}`)
  requireThat(false, 'the ledger ends before it')
}

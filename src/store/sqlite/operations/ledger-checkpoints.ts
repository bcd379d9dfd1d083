// Checkpoints: signed roots of the ledger, and what can be proved with them. The store computes roots and never signs.

import { consistencyProof, inclusionPath, treeRoot } from '../../../domain/merkle.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Checkpoint, ProofMaterial } from '../../ledger.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, type Row } from '../statement.ts'
import { decodePosting, sha256 } from './ledger-row.ts'
import { findPosting } from './ledger-statement.ts'
import { subtreesOf } from './ledger-tree.ts'
import type { Steps } from './step.ts'

export const ledgerCheckpointSteps: Pick<
  Steps,
  'ledger.checkpointNeeded' | 'ledger.checkpointStore' | 'ledger.checkpointFind' | 'ledger.proofMaterial' | 'ledger.consistency'
> = {
  'ledger.checkpointNeeded': { kind: 'read', run: checkpointNeeded },
  'ledger.checkpointStore': { kind: 'write', run: storeCheckpoint },
  'ledger.checkpointFind': { kind: 'read', run: findCheckpoint },
  'ledger.proofMaterial': { kind: 'read', run: proofMaterial },
  'ledger.consistency': { kind: 'read', run: consistency },
}

function checkpointNeeded(
  database: Database,
  { at, covers }: Input<'ledger.checkpointNeeded'>,
  limits: StoreLimits,
): Output<'ledger.checkpointNeeded'> {
  const size = sizeOf(database)
  const last = findCheckpoint(database, {})
  const behind = size - (last?.size ?? 0n)
  const age = at - oldestOpen(database, last)
  // Below zero: the clock has gone back behind the posting, and nobody knows how long it is without one.
  const isDue = behind >= BigInt(limits.checkpointPostingsMax) || age < 0n || age >= BigInt(limits.checkpointMs)
  const isAsked = covers !== undefined && covers <= size && covers > (last?.size ?? 0n)
  return behind > 0n && (isDue || isAsked) ? { size, root: rootOf(database, size), last } : undefined
}

/** When the oldest posting was made that no checkpoint covers. */
function oldestOpen(database: Database, last: Checkpoint | undefined): bigint {
  const row = database.prepare('select row from posting where seq = :seq').row({ seq: (last?.size ?? 0n) + 1n })
  return row === undefined ? endOfTime : decodePosting(blob(row, 'row')).at
}

function storeCheckpoint(database: Database, { size, root, at, cose }: Checkpoint): Checkpoint {
  if (size < 1n || size > sizeOf(database) || Buffer.compare(root, rootOf(database, size)) !== 0) {
    throw new SealwireError('conflict', 'the ledger has another root')
  }
  const newest = findCheckpoint(database, {})
  if (newest !== undefined && newest.size >= size) return newest
  database.prepare('insert into checkpoint (size, root, at, cose) values (:size, :root, :at, :cose)').run({ size, root, at, cose })
  return { size, root, at, cose }
}

function findCheckpoint(database: Database, { covers, size }: Input<'ledger.checkpointFind'>): Checkpoint | undefined {
  if (size !== undefined) return checkpointOf(database.prepare(`${select} where size = :size`).row({ size }))
  if (covers === undefined) return checkpointOf(database.prepare(`${select} where size = (select max(size) from checkpoint)`).row({}))
  return checkpointOf(database.prepare(`${select} where size >= :covers order by size limit 1`).row({ covers }))
}

function proofMaterial(database: Database, { posting: seq }: Input<'ledger.proofMaterial'>): ProofMaterial | undefined {
  const posting = findPosting(database, seq)
  const checkpoint = findCheckpoint(database, { covers: seq })
  if (posting === undefined || checkpoint === undefined) return undefined
  return { posting, checkpoint, path: inclusionPath(sha256, subtreesOf(database), seq - 1n, checkpoint.size) }
}

function consistency(database: Database, { from, to }: Input<'ledger.consistency'>): readonly Uint8Array[] | undefined {
  if (from < 0n || from > to || to > sizeOf(database)) return undefined
  return consistencyProof(sha256, subtreesOf(database), from, to)
}

function rootOf(database: Database, size: bigint): Uint8Array {
  return treeRoot(sha256, subtreesOf(database), size)
}

/** How many postings there are. */
export function sizeOf(database: Database): bigint {
  return integer(database.prepare('select coalesce(max(seq), 0) as size from posting').row({}) ?? {}, 'size')
}

function checkpointOf(row: Row | undefined): Checkpoint | undefined {
  return row && { size: integer(row, 'size'), root: blob(row, 'root'), at: integer(row, 'at'), cose: blob(row, 'cose') }
}

const select = 'select size, root, at, cose from checkpoint' as const
const endOfTime = 1n << 62n

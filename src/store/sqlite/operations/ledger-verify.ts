// Computes everything anew from the first posting, in steps that are short enough to come between other requests.
//
//   postings   hashes, sums, what each account had after each, floors; what transfers and signed orders say of them; Merkle roots
//   legs       that each belongs to a posting, and that there are as many as the last one of each account says
//   accounts   that each has what its last leg says
//   transfers  that each has its posting, how holds ended, what was refunded
//   requests   what was paid
//
// Every step is true of one moment. What is added between two steps is at the end of the ledger, where the second part looks
// again; so nothing that changes meanwhile is taken for a fault.

import { SealwireError } from '../../../protocol/errors.ts'
import type { LedgerFault, VerifyPlace, VerifyStep } from '../../ledger-verification.ts'
import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'
import { failureOf, isDamaged } from '../failure.ts'
import { Progress, requireThat } from './ledger-progress.ts'
import { firstHash } from './ledger-row.ts'
import { verifyAccounts, verifyLegs } from './ledger-verify-books.ts'
import { verifyPostings } from './ledger-verify-postings.ts'
import { verifyRequests, verifyTransfers } from './ledger-verify-transfers.ts'
import type { Steps } from './step.ts'

export const ledgerVerifySteps: Pick<Steps, 'ledger.verify'> = {
  'ledger.verify': { kind: 'read', run: verify },
}

/** A part of the verification: goes on from a place, for about `max` rows. Answers where it is; undefined when it is at its end. */
type VerifyPart = (database: Database, place: VerifyPlace, max: bigint, progress: Progress) => VerifyPlace | undefined

function verify(database: Database, { place, max, deep = false }: Input<'ledger.verify'>): VerifyStep {
  const progress = new Progress()
  const { signatures } = progress
  try {
    if (deep && place === undefined) checkStructure(database)
    const next = goOn(database, place ?? beginning('postings'), max, progress)
    return { next, fault: undefined, signatures, rows: progress.rows }
  } catch (reason) {
    return { next: undefined, fault: faultOf(progress.row, reason), signatures, rows: progress.rows }
  }
}

function goOn(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const later = parts[place.part](database, place, max, progress)
  if (later !== undefined) return later
  const names = Object.keys(parts) as VerifyPlace['part'][]
  const next = names[names.indexOf(place.part) + 1]
  return next === undefined ? undefined : beginning(next)
}

function beginning(part: VerifyPlace['part']): VerifyPlace {
  return { part, seq: 0n, hash: firstHash, frontier: [], after: [] }
}

function checkStructure(database: Database): void {
  const [row] = database.prepare('pragma integrity_check(1)').rows({})
  requireThat(row?.['integrity_check'] === 'ok', 'the database file is damaged')
}

/** What SQLite cannot read is a fault too; that it is locked or the disk fails is none. */
function faultOf(row: string, reason: unknown): LedgerFault {
  if (SealwireError.is(reason)) return { row, what: reason.code === 'ledger_broken' ? reason.sentence : 'it cannot be read' }
  if (failureOf(reason) === 'request' || isDamaged(reason)) return { row, what: 'the database file is damaged' }
  throw reason
}

const parts: Readonly<Record<VerifyPlace['part'], VerifyPart>> = {
  postings: verifyPostings,
  legs: verifyLegs,
  accounts: verifyAccounts,
  transfers: verifyTransfers,
  requests: verifyRequests,
}

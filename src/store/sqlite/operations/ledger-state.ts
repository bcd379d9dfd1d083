// Whether the ledger is trusted, and what it does by itself: holds and requests whose time is over.

import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, text } from '../statement.ts'
import { sizeOf } from './ledger-checkpoints.ts'
import { expireHolds } from './ledger-holds.ts'
import { expireRequests } from './ledger-requests.ts'
import { forgetSpent } from './ledger-spent.ts'
import type { Steps } from './step.ts'

export const ledgerStateSteps: Pick<Steps, 'ledger.expireHolds' | 'ledger.condemn' | 'ledger.absolve' | 'ledger.state'> = {
  'ledger.expireHolds': { kind: 'write', run: expire },
  'ledger.condemn': { kind: 'write', run: condemn },
  'ledger.absolve': { kind: 'write', run: absolve },
  'ledger.state': { kind: 'read', run: stateOf },
}

function expire(database: Database, input: Input<'ledger.expireHolds'>, limits: StoreLimits): Output<'ledger.expireHolds'> {
  const { at, max } = input
  const { holds, stuck, next } = expireHolds(database, input)
  const requests = expireRequests(database, at, max, BigInt(limits.paymentRequestMemoryMs))
  forgetSpent(database, at)
  return { holds, stuck, next, requests, more: BigInt(holds.length + stuck.length) === max || BigInt(requests.length) === max }
}

/** The first fault stays: what comes after it may follow from it. */
function condemn(database: Database, { row, what, at }: Input<'ledger.condemn'>): undefined {
  database
    .prepare('insert into ledger_fault (id, row, what, at) values (1, :row, :what, :at) on conflict do nothing')
    .run({ row, what, at })
}

function absolve(database: Database): undefined {
  database.prepare('delete from ledger_fault').run({})
}

function stateOf(database: Database): Output<'ledger.state'> {
  const row = database.prepare('select row, what, at from ledger_fault').row({})
  const fault = row && { row: text(row, 'row'), what: text(row, 'what'), at: integer(row, 'at') }
  return { size: sizeOf(database), fault }
}

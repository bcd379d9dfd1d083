// Adds a posting at the end of the ledger and moves the balances with it. Who may do so was decided before; that no balance
// leaves its bounds is decided here, in the statement that writes it.

import { balanceMax } from '../../../domain/money.ts'
import { assert, SealwireError } from '../../../protocol/errors.ts'
import type { Leg, Posting } from '../../ledger.ts'
import type { Database } from '../database.ts'
import { blob, integer } from '../statement.ts'
import { findAccountEnd } from './ledger-books.ts'
import { growTree } from './ledger-tree.ts'
import { LedgerMemo, type LedgerEnd } from './ledger-memo.ts'
import { chainHash, encodePosting, firstHash } from './ledger-row.ts'

/** A posting without its place. Its legs are of different ledger accounts, none is 0, and their sum is. */
export type NewPosting = Omit<Posting, 'seq'>

/** The place of a posting, and what each of its accounts has after it, in the order of its legs. */
export interface Placed {
  readonly seq: bigint
  readonly balances: readonly bigint[]
}

/**
 * @throws {SealwireError} `insufficient_funds` when a balance would fall below its floor, `limit_exceeded` when one would be too
 * large, `ledger_broken`.
 */
export function addPosting(database: Database, posting: NewPosting): Placed {
  assert(sumOf(posting.legs) === 0n, 'the legs of a posting have a sum')
  const { seq: last, hash: previous } = LedgerMemo.of(database)?.end ?? ledgerEnd(database)
  const seq = last + 1n
  const row = encodePosting({ ...posting, seq })
  const hash = chainHash(previous, row)
  database.prepare('insert into posting (seq, row, hash) values (:seq, :row, :hash)').run({ seq, row, hash })
  const memo = LedgerMemo.of(database)
  if (memo !== undefined) memo.end = { seq, hash }
  const balances = posting.legs.map((leg) => move(database, memo, leg, seq))
  growTree(database, seq)
  return { seq, balances }
}

/** @throws {SealwireError} `ledger_broken`. */
function ledgerEnd(database: Database): LedgerEnd {
  const row = database
    .prepare('select seq, hash, exists (select 1 from ledger_fault) as broken from posting where seq = (select max(seq) from posting)')
    .row({})
  if (row === undefined) requireUnbroken(database)
  else if (row['broken'] !== 0n) throw broken()
  return row === undefined ? { seq: 0n, hash: firstHash } : { seq: integer(row, 'seq'), hash: blob(row, 'hash') }
}

/** @throws {SealwireError} `ledger_broken` after a verification that failed. */
export function requireUnbroken(database: Database): void {
  if (database.prepare('select 1 from ledger_fault').row({}) !== undefined) throw broken()
}

function broken(): SealwireError {
  return new SealwireError('ledger_broken', 'the ledger is broken: no payments until the operator has looked')
}

/** In one statement with its condition: whatever was read before, no two can spend the same. */
function move(database: Database, memo: LedgerMemo | undefined, { ledgerAccountId: id, delta }: Leg, posting: bigint): bigint {
  const { balance: before, legs, last: previous } = memo?.ends.get(id) ?? findAccountEnd(database, id)
  const [balance, number] = [before + delta, legs + 1n]
  const moved = database
    .prepare(
      `update ledger_account set balance = :balance
       where id = :id and balance = :before and (:delta > 0 or kind = 'issuance' or :balance >= floor) and :balance between :min and :max`,
    )
    .run({ id, before, balance, delta, min: -balanceMax, max: balanceMax })
  if (moved !== 1n) throw refusal(database, id, delta)
  if (!putLast(database, id, posting, previous)) throw broken()
  memo?.ends.set(id, { balance, legs: number, last: posting })
  database
    .prepare(
      `insert into leg (posting, ledger_account_id, number, delta, balance, previous)
       values (:posting, :id, :number, :delta, :balance, :previous)`,
    )
    .run({ posting, id, number, delta, balance, previous })
  return balance
}

/** The end of the legs of an account, if it was where it is thought to be. */
function putLast(database: Database, id: bigint, posting: bigint, previous: bigint | null): boolean {
  const put =
    previous === null
      ? database.prepare('insert or ignore into leg_end (ledger_account_id, posting) values (:id, :posting)').run({ id, posting })
      : database
          .prepare('update leg_end set posting = :posting where ledger_account_id = :id and posting = :previous')
          .run({ id, posting, previous })
  return put === 1n
}

function refusal(database: Database, id: bigint, delta: bigint): SealwireError {
  const row = database.prepare('select kind from ledger_account where id = :id').row({ id })
  assert(row !== undefined, 'a posting on no account')
  if (row['kind'] === 'user' && delta < 0n) return new SealwireError('insufficient_funds', 'there is not enough on the account')
  return new SealwireError('limit_exceeded', 'a balance would be too large')
}

function sumOf(legs: readonly Leg[]): bigint {
  return legs.reduce((sum, { delta }) => sum + delta, 0n)
}

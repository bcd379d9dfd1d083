// The legs of a ledger account: what each posting did to it, from the last one backwards.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'

/** What a posting did to an account, and what was there after it. */
export interface PlacedLeg {
  readonly ledgerAccountId: bigint
  readonly posting: bigint
  readonly delta: bigint
  readonly balance: bigint
  /** How many there are with this one. */
  readonly number: bigint
  /** The posting that moved the account before. */
  readonly previous: bigint | undefined
}

/**
 * The last leg of an account before a posting: at most 32 are looked at. Undefined when there is none.
 * @throws {SealwireError} `ledger_broken` where they do not follow from each other.
 */
export function legBefore(database: Database, id: bigint, before: bigint): PlacedLeg | undefined {
  const row = database
    .prepare(
      `select ${columns} from leg where ledger_account_id = :id and posting = coalesce(
         (select min(posting) from leg where ledger_account_id = :id and posting >= :before and number % 32 = 0),
         (select posting from leg_end where ledger_account_id = :id))`,
    )
    .row({ id, before })
  if (row === undefined) requireNone(database, id)
  let leg = row && legOf(row)
  while (leg !== undefined && leg.posting >= before) leg = previousLeg(database, leg)
  return leg
}

/** The one before on the same account. @throws {SealwireError} `ledger_broken` unless it leads to this one. */
export function previousLeg(database: Database, leg: PlacedLeg): PlacedLeg | undefined {
  const { ledgerAccountId: id, posting, previous, balance, delta, number } = leg
  const row =
    previous === undefined
      ? undefined
      : database.prepare(`select ${columns} from leg where posting = :previous and ledger_account_id = :id`).row({ previous, id })
  const before = row && legOf(row)
  const isAfter = before === undefined ? previous === undefined : before.posting < posting
  // The first one begins with nothing.
  if (isAfter && (before?.balance ?? 0n) === balance - delta && (before?.number ?? 0n) === number - 1n) return before
  throw broken()
}

function requireNone(database: Database, id: bigint): void {
  if (database.prepare('select 1 from leg_end where ledger_account_id = :id').row({ id }) !== undefined) throw broken()
}

function broken(): SealwireError {
  return new SealwireError('ledger_broken', 'what an account had does not follow from what it had before: the operator has to look')
}

function legOf(row: Row): PlacedLeg {
  return {
    ...{ ledgerAccountId: integer(row, 'ledger_account_id'), posting: integer(row, 'posting') },
    ...{ delta: integer(row, 'delta'), balance: integer(row, 'balance') },
    ...{ number: integer(row, 'number'), previous: optionalInteger(row, 'previous') },
  }
}

/** Joins the last leg of `ledger_account` as `last`. */
export const lastLeg = `left join leg_end on leg_end.ledger_account_id = ledger_account.id
  left join leg as last on last.posting = leg_end.posting and last.ledger_account_id = ledger_account.id` as const
const columns = 'ledger_account_id, posting, delta, balance, number, previous' as const

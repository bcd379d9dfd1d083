// The legs of a ledger account: what each posting did to it, from the last one backwards.

import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'

/** What a posting did to an account, and what was there after it. */
export interface PlacedLeg {
  readonly ledgerAccountId: bigint
  readonly posting: bigint
  readonly delta: bigint
  readonly balance: bigint
  /** The posting that moved the account before. */
  readonly previous: bigint | undefined
}

/** The last leg of an account before a posting: at most 32 are looked at. Undefined when there is none. */
export function legBefore(database: Database, id: bigint, before: bigint): PlacedLeg | undefined {
  const row = database
    .prepare(
      `select ${columns} from leg where ledger_account_id = :id and posting = coalesce(
         (select min(posting) from leg where ledger_account_id = :id and posting >= :before and number % 32 = 0),
         (select last_posting from ledger_account where id = :id))`,
    )
    .row({ id, before })
  let leg = row && legOf(row)
  while (leg !== undefined && leg.posting >= before) leg = previousLeg(database, leg)
  return leg
}

/** The one before on the same account. */
export function previousLeg(database: Database, { ledgerAccountId: id, posting, previous }: PlacedLeg): PlacedLeg | undefined {
  // Not after it, whatever is in the file: it would go on for ever.
  if (previous === undefined || previous >= posting) return undefined
  const row = database.prepare(`select ${columns} from leg where posting = :previous and ledger_account_id = :id`).row({ previous, id })
  return row && legOf(row)
}

function legOf(row: Row): PlacedLeg {
  return {
    ...{ ledgerAccountId: integer(row, 'ledger_account_id'), posting: integer(row, 'posting') },
    ...{ delta: integer(row, 'delta'), balance: integer(row, 'balance'), previous: optionalInteger(row, 'previous') },
  }
}

/** Joins the last leg of `ledger_account` as `last`. */
export const lastLeg = 'left join leg as last on last.posting = last_posting and last.ledger_account_id = ledger_account.id' as const
const columns = 'ledger_account_id, posting, delta, balance, previous' as const

// The one conversation of two accounts.

import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'

/** A direct conversation: whether they talk, since when, and who asked last. */
export interface Direct {
  readonly id: bigint
  readonly state: 'new' | 'requested' | 'accepted' | 'declined'
  readonly byId: bigint
  readonly stateAt: bigint
  readonly lastSeq: bigint
}

/** Two accounts; in either order they have the same conversation. */
export type Pair = readonly [bigint, bigint]

export function findDirect(database: Database, pair: Pair): Direct | undefined {
  const row = database
    .prepare('select id, state, by_id, state_at, last_seq from conversation where low = :low and high = :high')
    .row(ordered(pair))
  return row && directOf(row)
}

/** The number of the conversation of two accounts, which has another state from now on. It is made when there is none. */
export function setDirect(
  database: Database,
  pair: Pair,
  to: Pick<Direct, 'state' | 'byId' | 'stateAt'>,
  known: Direct | undefined,
): bigint {
  const { state, byId, stateAt } = to
  if (known === undefined) return makeDirect(database, pair, to)
  database
    .prepare('update conversation set state = :state, by_id = :byId, state_at = :stateAt where id = :id')
    .run({ id: known.id, state, byId, stateAt })
  return known.id
}

function makeDirect(database: Database, pair: Pair, { state, byId, stateAt }: Pick<Direct, 'state' | 'byId' | 'stateAt'>): bigint {
  const row = database
    .prepare(
      `insert into conversation (kind, low, high, state, by_id, state_at)
       values ('direct', :low, :high, :state, :byId, :stateAt) returning id`,
    )
    .row({ ...ordered(pair), state, byId, stateAt })
  const id = integer(row ?? {}, 'id')
  for (const accountId of pair) {
    database
      .prepare("insert into member (conversation_id, account_id, role, since) values (:id, :accountId, 'member', :stateAt)")
      .run({ id, accountId, stateAt })
  }
  return id
}

/** As `contact` and `conversation` keep two accounts. */
export function ordered([a, b]: Pair): { readonly low: bigint; readonly high: bigint } {
  return a < b ? { low: a, high: b } : { low: b, high: a }
}

function directOf(row: Row): Direct {
  return {
    id: integer(row, 'id'),
    // The column has a check of its own.
    state: text(row, 'state') as Direct['state'],
    byId: integer(row, 'by_id'),
    stateAt: integer(row, 'state_at'),
    lastSeq: integer(row, 'last_seq'),
  }
}

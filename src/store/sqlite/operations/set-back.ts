// What makes a copy of an earlier day fit to take the place of the store that went on. Clients know numbers that were given away in
// the time that is lost; given away again they would mean something else. So this store goes on behind them:
//
//   numbers of accounts, conversations and ledger accounts   a stretch is left out that no lost time fills
//   places in inboxes                                        a new life of 2^32 places begins, and what waits moves into it
//
// A device that names a place of an earlier life has not stored what has that place now: it is told (inboxes.ts), and begins anew
// where this store knows that it was. The ledger has no gaps, and numbers of entries in a conversation have none: those are
// given away again.

import type { Database } from '../database.ts'

export function setBack(database: Database): undefined {
  // An inbox that was made in the lost time began with its first place, and would again.
  database.prepare('insert or ignore into inbox (account_id) select id from account').run({})
  database.prepare('update inbox_entry set seq = seq + :life').run({ life })
  database.prepare('update inbox_device set acked_seq = acked_seq + :life').run({ life })
  database
    .prepare(
      `update inbox set last_seq = last_seq + :life, stored_seq = stored_seq + :life, lost_seq = lost_seq + :life,
         gone_seq = gone_seq + :life`,
    )
    .run({ life })
  for (const name of ['account', 'conversation', 'ledger_account']) skipNumbers(database, name)
  return undefined
}

/** The first place of the life that a place belongs to. */
export function beginOfLife(seq: bigint): bigint {
  return seq - (seq % life)
}

function skipNumbers(database: Database, name: string): void {
  database
    .prepare('insert into sqlite_sequence (name, seq) select :name, 0 where not exists (select 1 from sqlite_sequence where name = :name)')
    .run({ name })
  database.prepare('update sqlite_sequence set seq = seq + :skipped where name = :name').run({ name, skipped })
}

/** More than an inbox ever has, and few enough that two million lives are numbers of JavaScript. */
const life = 1n << 32n
/** More than anybody can make between a backup and the day on which it is needed. Conversations have 2^31 numbers. */
const skipped = 1_000_000n

// What makes a copy of an earlier day fit to take the place of the store that went on. Clients know numbers that were given away in
// the time that is lost; given away again they would mean something else. So this store goes on behind them:
//
//   numbers of accounts, conversations and ledger accounts   a stretch is left out that no lost time fills
//   places in inboxes                                        another life of 2^32 places begins, and what waits moves into it
//
// How long the stretch is and which life it is says chance: of two restores of one copy neither may go on where the other did.
//
// A device that names a place of an earlier life has not stored what has that place now: it is told (inboxes.ts), and begins anew
// where this store knows that it was. The ledger has no gaps, and numbers of entries in a conversation have none: those are
// given away again.

import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'

export function setBack(database: Database, { lives, skipped }: Input<'server.setBack'>): undefined {
  const further = lives * life
  // An inbox that was made in the lost time began with its first place, and would again.
  database.prepare('insert or ignore into inbox (account_id) select id from account').run({})
  database.prepare('update inbox_entry set seq = seq + :further').run({ further })
  database.prepare('update inbox_device set acked_seq = acked_seq + :further').run({ further })
  database
    .prepare(
      `update inbox set last_seq = last_seq + :further, stored_seq = stored_seq + :further, lost_seq = lost_seq + :further,
         gone_seq = gone_seq + :further`,
    )
    .run({ further })
  for (const name of ['account', 'conversation', 'ledger_account']) skipNumbers(database, name, skipped)
  return undefined
}

/** The first place of the life that a place belongs to. */
export function beginOfLife(seq: bigint): bigint {
  return seq - (seq % life)
}

function skipNumbers(database: Database, name: string, skipped: bigint): void {
  database
    .prepare('insert into sqlite_sequence (name, seq) select :name, 0 where not exists (select 1 from sqlite_sequence where name = :name)')
    .run({ name })
  database.prepare('update sqlite_sequence set seq = seq + :skipped where name = :name').run({ name, skipped })
}

/** More than an inbox ever has, and few enough that two million lives are numbers of JavaScript. */
const life = 1n << 32n

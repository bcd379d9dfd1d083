// How much was ordered from an account in a day, by each of its devices. Counted is what is ordered, not what becomes of it: a
// hold that was given back counts too. So no way of moving money is cheaper than another, and none opens the day again.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Database } from '../database.ts'
import { integer } from '../statement.ts'
import type { Book } from './ledger-books.ts'
import { LedgerMemo, spentCounted } from './ledger-memo.ts'

/** Counts what a device orders. @throws {SealwireError} `limit_exceeded`; nothing is counted then, because the step is undone. */
export function spend(database: Database, book: Book, device: Uint8Array, amount: bigint, at: bigint): void {
  const day = at / dayMs
  const { id, dayMax, deviceDayMax } = book
  const memo = LedgerMemo.of(database)
  if (memo !== undefined && dayMax === undefined && deviceDayMax === undefined) return memo.count(day, id, device, amount)
  memo?.write()
  const row = database
    .prepare(
      `insert into spent (day, ledger_account_id, device, amount) values (:day, :id, :device, :amount)
       on conflict (day, ledger_account_id, device) do update set amount = min(amount + excluded.amount, ${spentCounted}) returning amount`,
    )
    .row({ day, id, device, amount })
  if (deviceDayMax !== undefined && integer(row ?? {}, 'amount') > deviceDayMax) throw exceeded('device')
  if (dayMax !== undefined && spentOn(database, id, day) > dayMax) throw exceeded('account')
}

/** Days that are over are of no use. Those of a month are kept: a clock that was ahead goes back, and none of them is open again. */
export function forgetSpent(database: Database, at: bigint): void {
  database.prepare('delete from spent where day < :day').run({ day: at / dayMs - daysKept })
}

function spentOn(database: Database, id: bigint, day: bigint): bigint {
  const rows = database.prepare('select amount from spent where day = :day and ledger_account_id = :id').rows({ day, id })
  return rows.reduce((sum, row) => sum + integer(row, 'amount'), 0n)
}

function exceeded(whose: 'device' | 'account'): SealwireError {
  return new SealwireError('limit_exceeded', `it is more than the ${whose} may pay in a day`, { hint: 'pay less, or tomorrow' })
}

const dayMs = 86_400_000n
const daysKept = 31n

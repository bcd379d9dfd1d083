// Ledger accounts: what somebody has in a unit. One is made when it is first needed.

import { assert, SealwireError } from '../../../protocol/errors.ts'
import type { Leg } from '../../ledger.ts'
import type { Person } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row, text } from '../statement.ts'
import { lastLeg } from './ledger-legs.ts'
import { LedgerMemo } from './ledger-memo.ts'

/** What somebody has in a unit, as far as it decides whether they may pay. */
export interface Book {
  readonly id: bigint
  readonly holder: Person
  readonly unit: string
  readonly decimals: bigint
  readonly isFrozen: boolean
  /** In a day; undefined: no bound. */
  readonly dayMax: bigint | undefined
  readonly deviceDayMax: bigint | undefined
}

/** The ledger account of somebody, which is made if need be. @throws {SealwireError} `not_found` (account, unit). */
export function openBook(database: Database, holderId: bigint, unit: string): Book {
  const known = findBook(database, holderId, unit)
  if (known !== undefined) return known
  requireAccount(database, holderId)
  requireUnit(database, unit)
  // Who is frozen is so in every unit, those of later too.
  database
    .prepare(
      `insert into ledger_account (kind, holder_id, unit, frozen_at)
       values ('user', :holderId, :unit, (select max(frozen_at) from ledger_account where holder_id = :holderId and kind = 'user'))`,
    )
    .run({ holderId, unit })
  const made = findBook(database, holderId, unit)
  if (made === undefined) throw notFound('there is no such account')
  return made
}

/** Undefined when it was never needed. */
function findBook(database: Database, holderId: bigint, unit: string): Book | undefined {
  const memo = LedgerMemo.of(database)
  const key = `${holderId} ${unit}`
  const known = memo?.books.get(key)
  if (known !== undefined) return known
  const row = database.prepare(select).row({ holderId, unit })
  if (row === undefined) return undefined
  requireProved(row)
  const book = bookOf(row)
  memo?.books.set(key, book)
  memo?.ends.set(book.id, accountEndOf(row))
  return book
}

/** @throws {SealwireError} `frozen`. */
export function requireThawed(...books: readonly Book[]): void {
  const frozen = books.find(({ isFrozen }) => isFrozen)
  if (frozen !== undefined) throw new SealwireError('frozen', `the account of ${frozen.holder.name} is frozen`)
}

/** What an account has, for the leg that comes next. */
export interface AccountEnd {
  readonly balance: bigint
  /** How many legs there are. */
  readonly legs: bigint
  /** The posting of the last one. */
  readonly last: bigint | null
}

/** @throws {SealwireError} `ledger_broken`, as {@link requireProved}. */
export function findAccountEnd(database: Database, id: bigint): AccountEnd {
  const row = database
    .prepare(`select ${endColumns}, ${provedColumn} from ledger_account ${lastLeg} where ledger_account.id = :id`)
    .row({ id })
  assert(row, 'a posting on no account')
  requireProved(row)
  return accountEndOf(row)
}

function accountEndOf(row: Row): AccountEnd {
  return { balance: integer(row, 'balance'), legs: integer(row, 'legs'), last: optionalInteger(row, 'last_posting') ?? null }
}

/** What a posting does to the account of somebody. */
export function legOn({ id, holder }: Book, delta: bigint): Leg {
  return { ledgerAccountId: id, holderId: holder.id, delta }
}

/** The same to an account of the operator, of which each unit has one of each kind. */
export function ownLeg(database: Database, kind: 'issuance' | 'held', unit: string, delta: bigint): Leg {
  const row = database.prepare('select id from ledger_account where holder_id = 0 and unit = :unit and kind = :kind').row({ unit, kind })
  return { ledgerAccountId: integer(row ?? {}, 'id'), holderId: 0n, delta }
}

/** @throws {SealwireError} `not_found`. */
export function requireAccount(database: Database, id: bigint): void {
  if (database.prepare('select 1 from account where id = :id').row({ id }) === undefined) throw notFound('there is no such account')
}

/** @throws {SealwireError} `not_found`. */
export function requireUnit(database: Database, code: string): void {
  if (database.prepare('select 1 from unit where code = :code').row({ code }) === undefined) throw notFound('there is no such unit')
}

/**
 * A balance is kept where it is quick to find; where it comes from is the ledger.
 * @throws {SealwireError} `ledger_broken` unless both say the same of a row with `balance` and {@link provedColumn}, of {@link lastLeg}.
 */
export function requireProved(row: Row): void {
  if (integer(row, 'balance') === row['proved']) return
  throw new SealwireError('ledger_broken', 'a balance is not what the ledger says: nothing is paid from it until the operator has looked')
}

function bookOf(row: Row): Book {
  return {
    id: integer(row, 'id'),
    holder: { id: integer(row, 'holder_id'), key: text(row, 'key'), name: text(row, 'name') },
    unit: text(row, 'unit'),
    decimals: integer(row, 'decimals'),
    isFrozen: row['frozen_at'] !== null,
    dayMax: optionalInteger(row, 'day_max'),
    deviceDayMax: optionalInteger(row, 'device_day_max'),
  }
}

function notFound(sentence: string): SealwireError {
  return new SealwireError('not_found', sentence)
}

/** What the last posting on a ledger account has left there. */
export const provedColumn = 'iif(leg_end.posting is null, 0, last.balance) as proved'
const endColumns = 'ledger_account.balance, leg_end.posting as last_posting, iif(leg_end.posting is null, 0, last.number) as legs'
/** A bound of the account itself goes before that of the unit. */
const select =
  `select ledger_account.id, holder_id, account.key, account.name, ledger_account.unit, decimals, ${endColumns}, ${provedColumn}, frozen_at,
    coalesce(ledger_account.day_max, unit.day_max) as day_max,
    coalesce(ledger_account.device_day_max, unit.device_day_max) as device_day_max
  from ledger_account join unit on unit.code = ledger_account.unit join account on account.id = holder_id ${lastLeg}
  where holder_id = :holderId and ledger_account.unit = :unit and kind = 'user'` as const

// What is read of money: balances, statements, transfers; and for the operator the ledger and its accounts, page by page.

import { assert } from '../../../protocol/errors.ts'
import type { Balance, ChainedPosting, LedgerAccount, StatementLine } from '../../ledger.ts'
import type { Input, Output } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalInteger, type Row, text } from '../statement.ts'
import { provedColumn, requireProved, requireUnit } from './ledger-books.ts'
import { lastLeg, legBefore, type PlacedLeg, previousLeg } from './ledger-legs.ts'
import { requireUnbroken } from './ledger-post.ts'
import { decodePosting, firstHash } from './ledger-row.ts'
import { balanceAfter, findTransfer } from './ledger-transfer.ts'
import type { Steps } from './step.ts'

export const ledgerStatementSteps: Pick<
  Steps,
  'ledger.balance' | 'ledger.statement' | 'ledger.transfer' | 'ledger.export' | 'ledger.accounts'
> = {
  'ledger.balance': { kind: 'read', run: balancesOf },
  'ledger.statement': { kind: 'read', run: statement },
  'ledger.transfer': { kind: 'read', run: transferFor },
  'ledger.export': { kind: 'read', run: exportPage },
  'ledger.accounts': { kind: 'read', run: accountPage },
}

export function balancesOf(database: Database, { accountId, unit }: Input<'ledger.balance'>): readonly Balance[] {
  if (unit !== undefined) requireUnit(database, unit)
  requireUnbroken(database)
  const rows = database
    .prepare(
      `select code, decimals, coalesce(ledger_account.balance, 0) as balance, ${provedColumn}, coalesce(floor, 0) as floor, frozen_at,
         (select coalesce(sum(amount), 0) from transfer
          where payer_id = :accountId and status = 'pending' and transfer.unit = code) as held
       from unit left join ledger_account on holder_id = :accountId and ledger_account.unit = code and kind = 'user' ${lastLeg}
       where coalesce(:unit, code) = code order by standard desc, code`,
    )
    .rows({ accountId, unit: unit ?? null })
  return rows.map(balanceOf)
}

function balanceOf(row: Row): Balance {
  requireProved(row)
  return {
    ...{ unit: text(row, 'code'), decimals: integer(row, 'decimals'), balance: integer(row, 'balance') },
    ...{ held: integer(row, 'held'), floor: integer(row, 'floor') },
    frozen: typeof row['frozen_at'] === 'bigint',
  }
}

function statement(database: Database, input: Input<'ledger.statement'>): Output<'ledger.statement'> {
  const { accountId, unit = null, before = endOfLedger, max } = input
  const rows = database
    .prepare(`select id from ledger_account where holder_id = :accountId and kind = 'user' and coalesce(:unit, unit) = unit`)
    .rows({ accountId, unit })
  const newest = rows.map((row) => legBefore(database, integer(row, 'id'), before)).filter((leg) => leg !== undefined)
  const legs = backwards(database, newest, max + 1n)
  const more = BigInt(legs.length) > max
  return { lines: (more ? legs.slice(0, -1) : legs).map((leg) => lineOf(database, leg)), more }
}

/** Legs of several accounts, the last one first, from the last of each. */
function backwards(database: Database, newest: readonly PlacedLeg[], max: bigint): readonly PlacedLeg[] {
  const legs: PlacedLeg[] = []
  const next = new Set(newest)
  while (next.size > 0 && BigInt(legs.length) < max) {
    const leg = [...next].reduce((one, other) => (one.posting > other.posting ? one : other))
    const previous = previousLeg(database, leg)
    next.delete(leg)
    if (previous !== undefined) next.add(previous)
    legs.push(leg)
  }
  return legs
}

function lineOf(database: Database, { posting, delta, balance }: PlacedLeg): StatementLine {
  const row = database.prepare('select row from posting where seq = :posting').row({ posting })
  const { at, kind, unit, decimals, signerId, id } = decodePosting(blob(row ?? {}, 'row'))
  const transfer = findTransfer(database, signerId, id)
  assert(transfer, 'a posting without its transfer')
  return { posting, at, kind, unit, decimals, delta, balance, transfer }
}

/** For who is a party of it; for everybody else it is not there. */
function transferFor(database: Database, { accountId, signerId, id }: Input<'ledger.transfer'>): Output<'ledger.transfer'> {
  const transfer = findTransfer(database, signerId, id)
  if (transfer === undefined) return undefined
  const { payer, payee, parts, unit, posting } = transfer
  const parties = [signerId, payer?.id, payee?.id, ...parts.map((part) => part.payee.id)]
  return parties.includes(accountId) ? { transfer, balance: balanceAfter(database, accountId, unit, posting) } : undefined
}

function exportPage(database: Database, { after, max }: Input<'ledger.export'>): readonly ChainedPosting[] {
  const rows = database.prepare('select seq, row, hash from posting where seq > :after order by seq limit :max').rows({ after, max })
  let previous = after === 0n ? firstHash : hashOf(database, after)
  return rows.map((row) => {
    const posting = chained(row, previous)
    previous = posting.hash
    return posting
  })
}

/** A posting with what chains it; undefined when there is none. */
export function findPosting(database: Database, seq: bigint): ChainedPosting | undefined {
  const row = database.prepare('select seq, row, hash from posting where seq = :seq').row({ seq })
  return row && chained(row, seq === 1n ? firstHash : hashOf(database, seq - 1n))
}

function chained(row: Row, previous: Uint8Array): ChainedPosting {
  const bytes = blob(row, 'row')
  return { ...decodePosting(bytes), row: bytes, hash: blob(row, 'hash'), previous }
}

function hashOf(database: Database, seq: bigint): Uint8Array {
  const row = database.prepare('select hash from posting where seq = :seq').row({ seq })
  return row === undefined ? firstHash : blob(row, 'hash')
}

function accountPage(database: Database, { after, max }: Input<'ledger.accounts'>): readonly LedgerAccount[] {
  return database
    .prepare(
      `select ledger_account.id, kind, holder_id, key, account.name, unit, decimals, balance, floor, frozen_at,
         ledger_account.day_max, ledger_account.device_day_max
       from ledger_account join unit on code = unit left join account on account.id = holder_id
       where ledger_account.id > :after order by ledger_account.id limit :max`,
    )
    .rows({ after, max })
    .map(accountOf)
}

function accountOf(row: Row): LedgerAccount {
  const id = integer(row, 'holder_id')
  return {
    id: integer(row, 'id'),
    // The column has a check of its own.
    kind: text(row, 'kind') as LedgerAccount['kind'],
    holder: id === 0n ? undefined : { id, key: text(row, 'key'), name: text(row, 'name') },
    ...{ unit: text(row, 'unit'), decimals: integer(row, 'decimals'), balance: integer(row, 'balance'), floor: integer(row, 'floor') },
    frozenAt: optionalInteger(row, 'frozen_at'),
    ...{ dayMax: optionalInteger(row, 'day_max'), deviceDayMax: optionalInteger(row, 'device_day_max') },
  }
}

const endOfLedger = 1n << 62n

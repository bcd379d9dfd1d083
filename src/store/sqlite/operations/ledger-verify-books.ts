// Verifies the other way round: that no leg and no balance is there without its posting.

import type { VerifyPlace } from '../../ledger-verification.ts'
import type { Database } from '../database.ts'
import { blob, integer, type Row, text } from '../statement.ts'
import { lastLeg } from './ledger-legs.ts'
import { decodePosting } from './ledger-row.ts'
import { type Progress, requireThat } from './ledger-progress.ts'

export function verifyLegs(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const [posting = 0n, account = 0n] = place.after as readonly bigint[]
  const rows = database
    .prepare(
      `select ledger_account_id, posting, delta, row from leg left join posting on seq = posting
       where (posting, ledger_account_id) > (:posting, :account) order by posting, ledger_account_id limit :max`,
    )
    .rows({ posting, account, max })
  for (const row of rows) verifyLeg(row, progress)
  const last = rows.at(-1)
  const seq = place.seq + BigInt(rows.length)
  if (last === undefined) requireNoOthers(database, seq, progress)
  return last && { ...place, seq, after: [integer(last, 'posting'), integer(last, 'ledger_account_id')] }
}

/** Each leg has one before it with the number before, down to the first: so there are as many as the last ones say, or some beside them. */
function requireNoOthers(database: Database, count: bigint, progress: Progress): void {
  progress.row = 'legs'
  const row = database.prepare('select coalesce(sum(number), 0) as count from leg_end join leg using (ledger_account_id, posting)').row({})
  requireThat(row?.['count'] === count, 'there are others than lead to what the accounts have')
}

function verifyLeg(row: Row, progress: Progress): void {
  const [id, posting, delta] = [integer(row, 'ledger_account_id'), integer(row, 'posting'), integer(row, 'delta')]
  progress.begin(`leg of posting ${posting} on account ${id}`)
  requireThat(row['row'] !== null, 'its posting is missing')
  const { legs } = decodePosting(blob(row, 'row'))
  requireThat(
    legs.some((leg) => leg.ledgerAccountId === id && leg.delta === delta),
    'its posting does not know of it',
  )
}

export function verifyAccounts(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const [after = 0n] = place.after as readonly bigint[]
  const rows = database
    .prepare(
      `select id, kind, holder_id, unit, ledger_account.balance, floor, floor_min, exists (select 1 from unit where code = unit) as has_unit,
         last.balance as last, (leg_end.posting is null) = (last.posting is null) as has_last,
         (select same.id from ledger_account as same where same.holder_id = ledger_account.holder_id
          and same.unit = ledger_account.unit and same.kind = ledger_account.kind) as found
       from ledger_account ${lastLeg} where id > :after order by id limit :max`,
    )
    .rows({ after, max })
  for (const row of rows) verifyAccount(row, progress)
  const last = rows.at(-1)
  return last && { ...place, after: [integer(last, 'id')] }
}

function verifyAccount(row: Row, progress: Progress): void {
  progress.begin(`account ${integer(row, 'id')}`)
  const kind = text(row, 'kind')
  requireThat(row['has_last'] === 1n && (row['last'] ?? 0n) === integer(row, 'balance'), 'its balance is not what its postings make')
  requireThat(row['found'] === row['id'] && row['has_unit'] === 1n, 'it cannot be found by its holder and unit')
  requireThat((kind === 'user') === integer(row, 'holder_id') > 0n && kinds.has(kind), 'it is of no kind')
  requireThat(integer(row, 'floor_min') <= integer(row, 'floor') && integer(row, 'floor') <= 0n, 'its floor is none')
}

const kinds: ReadonlySet<string> = new Set(['user', 'issuance', 'held'])

// Verifies the other way round: that no leg and no balance is there without its posting.

import type { VerifyPlace } from '../../ledger-verification.ts'
import type { Database } from '../database.ts'
import { blob, integer, type Row, text } from '../statement.ts'
import { legBefore } from './ledger-legs.ts'
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
  for (const row of rows) verifyLeg(database, row, progress)
  const last = rows.at(-1)
  return last && { ...place, after: [integer(last, 'posting'), integer(last, 'ledger_account_id')] }
}

function verifyLeg(database: Database, row: Row, progress: Progress): void {
  const [id, posting, delta] = [integer(row, 'ledger_account_id'), integer(row, 'posting'), integer(row, 'delta')]
  progress.begin(`leg of posting ${posting} on account ${id}`)
  requireThat(row['row'] !== null, 'its posting is missing')
  const { legs } = decodePosting(blob(row, 'row'))
  requireThat(
    legs.some((leg) => leg.ledgerAccountId === id && leg.delta === delta),
    'its posting does not know of it',
  )
  // From the last one backwards every leg is met: there is none beside those that lead to the balance.
  requireThat(legBefore(database, id, posting + 1n)?.posting === posting, 'it cannot be found from the one after it')
}

export function verifyAccounts(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const [after = 0n] = place.after as readonly bigint[]
  const rows = database
    .prepare(
      `select id, kind, holder_id, unit, balance, floor, floor_min, exists (select 1 from unit where code = unit) as has_unit,
         (select leg.balance from leg where posting = last_posting and ledger_account_id = ledger_account.id) as last,
         (select same.id from ledger_account as same where same.holder_id = ledger_account.holder_id
          and same.unit = ledger_account.unit and same.kind = ledger_account.kind) as found
       from ledger_account where id > :after order by id limit :max`,
    )
    .rows({ after, max })
  for (const row of rows) verifyAccount(row, progress)
  const last = rows.at(-1)
  return last && { ...place, after: [integer(last, 'id')] }
}

function verifyAccount(row: Row, progress: Progress): void {
  progress.begin(`account ${integer(row, 'id')}`)
  const kind = text(row, 'kind')
  requireThat((row['last'] ?? 0n) === integer(row, 'balance'), 'its balance is not what its postings make')
  requireThat(row['found'] === row['id'] && row['has_unit'] === 1n, 'it cannot be found by its holder and unit')
  requireThat((kind === 'user') === integer(row, 'holder_id') > 0n && kinds.has(kind), 'it is of no kind')
  requireThat(integer(row, 'floor_min') <= integer(row, 'floor') && integer(row, 'floor') <= 0n, 'its floor is none')
}

const kinds: ReadonlySet<string> = new Set(['user', 'issuance', 'held'])

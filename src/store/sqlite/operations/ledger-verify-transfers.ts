// Verifies what has become of transfers: each has its posting, a hold ended as the posting that ended it says, and what counts as
// refunded or paid is the sum of the refunds and payments.

import type { VerifyPlace } from '../../ledger-verification.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalInteger, type Row, text } from '../statement.ts'
import { decodePosting } from './ledger-row.ts'
import { type Progress, requireThat } from './ledger-progress.ts'

export function verifyTransfers(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const rows = database
    .prepare(
      `select signer_id, id, kind, amount, status, captured, refunded, posting, payer_id, closed_by, ${refundsColumn} as refunds, ${endsColumn} as ends,
         (select same.posting from transfer as same where same.signer_id = transfer.signer_id and same.id = transfer.id) as found
       from transfer where posting > :after order by posting limit :max`,
    )
    .rows({ after: place.seq, max })
  for (const row of rows) verifyTransfer(database, row, progress)
  const last = rows.at(-1)
  return last && { ...place, seq: integer(last, 'posting') }
}

function verifyTransfer(database: Database, row: Row, progress: Progress): void {
  const [signerId, id, kind] = [integer(row, 'signer_id'), blob(row, 'id'), text(row, 'kind')]
  progress.begin(`transfer ${Buffer.from(id).toString('hex')} of account ${signerId}`)
  const posting = postingAt(database, integer(row, 'posting'))
  const isOwn = posting.kind === kind && posting.signerId === signerId && Buffer.compare(posting.id, id) === 0
  requireThat(isOwn, 'its posting is of another one')
  requireThat(row['found'] === row['posting'], 'it cannot be found by who signed it and its id')
  requireThat(integer(row, 'refunded') === integer(row, 'refunds'), 'what counts as refunded is not what was refunded')
  if (kind === 'hold') verifyHold(database, row)
  else requireThat(text(row, 'status') === 'posted' && integer(row, 'captured') === 0n, 'only a hold changes')
  if (kind === 'split') verifyParts(database, signerId, id, row)
}

/** How it ended, and whether it did. */
function verifyHold(database: Database, row: Row): void {
  const [status, closedBy] = [text(row, 'status'), optionalInteger(row, 'closed_by')]
  requireThat((status === 'pending') === (closedBy === undefined), 'it has ended and not ended')
  if (closedBy === undefined) {
    requireThat(integer(row, 'captured') === 0n && integer(row, 'ends') === 0n, 'it is pending and has ended')
    requireThat(isAmongHeld(database, integer(row, 'payer_id'), integer(row, 'posting')), 'it cannot be found by whose money it holds')
    return
  }
  const end = postingAt(database, closedBy)
  requireThat(end.kind === endings.get(status) && end.ref === integer(row, 'posting'), 'it did not end so')
  const toPayee = end.legs.find(({ holderId }) => holderId === end.signerId)?.delta ?? 0n
  requireThat(integer(row, 'captured') === (end.kind === 'capture' ? toPayee : 0n), 'what counts as captured was not captured')
}

/** As what is on hold is added up. */
function isAmongHeld(database: Database, payerId: bigint, posting: bigint): boolean {
  const statement = database.prepare(
    "select 1 from transfer indexed by transfer_held where payer_id = :payerId and status = 'pending' and posting = :posting",
  )
  return statement.row({ payerId, posting }) !== undefined
}

function verifyParts(database: Database, signerId: bigint, id: Uint8Array, row: Row): void {
  const parts = database
    .prepare(
      `select amount, refunded, (select coalesce(sum(refund.amount), 0) from transfer as refund where refund.of_signer_id = :signerId
         and refund.of_id = :id and refund.signer_id = split_part.payee_id and refund.kind = 'refund') as refunds
       from split_part where signer_id = :signerId and id = :id`,
    )
    .rows({ signerId, id })
  const sums = parts.every((part) => integer(part, 'refunded') === integer(part, 'refunds'))
  const total = parts.reduce((sum, part) => sum + integer(part, 'amount'), 0n)
  requireThat(sums && total === integer(row, 'amount'), 'its parts are not what was paid and refunded')
}

export function verifyRequests(database: Database, place: VerifyPlace, max: bigint, progress: Progress): VerifyPlace | undefined {
  const [after = new Uint8Array()] = place.after as readonly Uint8Array[]
  const rows = database
    .prepare(
      `select id, amount, paid, status, (select coalesce(sum(transfer.amount), 0) from transfer where request = payment_request.id) as sum
       from payment_request where id > :after order by id limit :max`,
    )
    .rows({ after, max })
  for (const row of rows) {
    progress.begin(`request ${Buffer.from(blob(row, 'id')).toString('hex')}`)
    requireThat(integer(row, 'paid') === integer(row, 'sum'), 'what counts as paid was not paid')
    requireThat((text(row, 'status') === 'paid') === (integer(row, 'paid') === integer(row, 'amount')), 'it is paid and not paid')
  }
  const last = rows.at(-1)
  return last && { ...place, after: [blob(last, 'id')] }
}

function postingAt(database: Database, seq: bigint) {
  const row = database.prepare('select row from posting where seq = :seq').row({ seq })
  requireThat(row !== undefined, 'its posting is missing')
  return decodePosting(blob(row, 'row'))
}

const refundsColumn = `(select coalesce(sum(refund.amount), 0) from transfer as refund
  where refund.of_signer_id = transfer.signer_id and refund.of_id = transfer.id and refund.kind = 'refund')`
const endsColumn = `exists (select 1 from transfer as ending
  where ending.of_signer_id = transfer.signer_id and ending.of_id = transfer.id and ending.kind in ('capture', 'void'))`
const endings: ReadonlyMap<string, string> = new Map([
  ['posted', 'capture'],
  ['voided', 'void'],
  ['expired', 'expire'],
])

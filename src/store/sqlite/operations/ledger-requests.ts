// Requests to pay. They move nothing; a payment that names one is counted there, and never more than was asked for. Words of
// strangers, and anything of who is blocked, are kept from who is asked: how much of a request they may see comes with it.

import { requireAmount } from '../../../domain/money.ts'
import type { Order } from '../../../protocol/contract/order.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import { limitTable } from '../../../protocol/limits.ts'
import type { PaymentRequest } from '../../ledger.ts'
import { requestSeenBy } from '../../request-view.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, optionalText, type Row, text } from '../statement.ts'
import { findDirect } from './direct.ts'
import { requireAccount, requireUnit } from './ledger-books.ts'
import { postMessages } from './ledger-messages.ts'
import type { Steps } from './step.ts'

export const ledgerRequestSteps: Pick<Steps, 'ledger.request' | 'ledger.settle' | 'ledger.requests'> = {
  'ledger.request': { kind: 'write', run: ask },
  'ledger.settle': { kind: 'write', run: settle },
  'ledger.requests': { kind: 'read', run: listRequests },
}

function ask(database: Database, input: Input<'ledger.request'>, limits: StoreLimits): Output<'ledger.request'> {
  const { id, fromId, toId, unit, memo = null, message, device, at, expiresAt = at + requestMs } = input
  const known = findRequest(database, id)
  if (known !== undefined) return { request: requireSame(known, input), repeated: true, posted: [] }
  const amount = requireAmount(input.amount)
  if (fromId === toId) throw new SealwireError('is_self', 'an account cannot ask itself')
  if (at >= expiresAt) throw new SealwireError('expired', 'the request is over already')
  if (expiresAt - at > requestMsMax) throw new SealwireError('limit_exceeded', 'a request to pay lasts 365 days at most')
  requireAccount(database, fromId)
  requireAccount(database, toId)
  requireUnit(database, unit)
  requireFewOpen(database, fromId, limits)
  requireFewToStranger(database, fromId, toId, limits)
  database
    .prepare(
      `insert into payment_request (id, from_id, to_id, unit, amount, status, memo, at, expires_at)
       values (:id, :fromId, :toId, :unit, :amount, 'open', :memo, :at, :expiresAt)`,
    )
    .run({ id, fromId, toId, unit, amount, memo, at, expiresAt })
  const posted = message === undefined ? [] : postMessages(database, { authorId: fromId, device, at }, [message], limits)
  return { request: readAgain(database, id), repeated: false, posted }
}

/** What is asked again; `conflict` when it was something else, or somebody else. Whoever names no end takes that of the first time. */
function requireSame(known: PaymentRequest, input: Input<'ledger.request'>): PaymentRequest {
  const { fromId, toId, unit, amount, memo, expiresAt } = input
  const isSame =
    known.from.id === fromId &&
    known.to.id === toId &&
    known.unit === unit &&
    known.amount === amount &&
    known.memo === memo &&
    (expiresAt === undefined || known.expiresAt === expiresAt)
  if (isSame) return known
  throw new SealwireError('conflict', 'the id stands for something else', { hint: 'make a new id for a new request' })
}

function requireFewOpen(database: Database, fromId: bigint, { paymentRequestsMax }: StoreLimits): void {
  const row = database.prepare("select count(*) as number from payment_request where from_id = :fromId and status = 'open'").row({ fromId })
  if (integer(row ?? {}, 'number') < BigInt(paymentRequestsMax)) return
  throw new SealwireError('busy', 'too many requests to pay are open', { hint: 'cancel some first' })
}

/** Says nothing of a block: whoever is blocked is counted as before. */
function requireFewToStranger(database: Database, fromId: bigint, toId: bigint, { paymentRequestsStrangerMax }: StoreLimits): void {
  if (findDirect(database, [fromId, toId])?.state === 'accepted') return
  const row = database
    .prepare("select count(*) as number from payment_request where from_id = :fromId and to_id = :toId and status = 'open'")
    .row({ fromId, toId })
  if (integer(row ?? {}, 'number') < BigInt(paymentRequestsStrangerMax)) return
  throw new SealwireError('busy', 'too many requests to pay to them are open', { hint: 'cancel some, or agree to talk first' })
}

function settle(database: Database, { id, accountId, at }: Input<'ledger.settle'>): Output<'ledger.settle'> {
  const request = findRequest(database, id)
  const isParty = request?.from.id === accountId || request?.to.id === accountId
  if (request === undefined || !isParty || requestSeenBy(request, accountId) === undefined) throw notFound()
  const status = request.from.id === accountId ? 'cancelled' : 'declined'
  if (request.status === status) return { request, changed: false }
  if (request.status !== 'open') throw notOpen()
  database.prepare('update payment_request set status = :status, ended_at = :at where id = :id').run({ id, status, at })
  return { request: { ...request, status }, changed: true }
}

function listRequests(database: Database, input: Input<'ledger.requests'>): Output<'ledger.requests'> {
  const { accountId, before = endOfTime, beforeId = null, open = false, max } = input
  const rows = database
    .prepare(
      `${select} where (from_id = :accountId or to_id = :accountId and not ${isBlocked}) and payment_request.at <= :before
         and (payment_request.at < :before or payment_request.id > :beforeId) and (:open = 0 or status = 'open')
       order by payment_request.at desc, payment_request.id limit :more`,
    )
    .rows({ accountId, before, beforeId, open: open ? 1n : 0n, more: max + 1n })
  const more = BigInt(rows.length) > max
  const shown = (more ? rows.slice(0, -1) : rows).map((row) => requestSeenBy(requestOf(row), accountId))
  return { requests: shown.filter((request) => request !== undefined), more }
}

/**
 * Counts a payment of a request. Answers the request as it is then.
 * @throws {SealwireError} `not_found` (also when it is not from the payee to the payer in this unit), `gone`, `expired`, `amount_invalid`.
 */
export function payRequest(
  database: Database,
  { payer, payee, unit, amount }: Pick<Extract<Order, { kind: 'pay' | 'hold' }>, 'payer' | 'payee' | 'unit' | 'amount'>,
  id: Uint8Array,
  at: bigint,
): PaymentRequest {
  const request = findRequest(database, id)
  if (request?.from.id !== payee || request.to.id !== payer || request.unit !== unit) throw notFound()
  if (request.status !== 'open') throw notOpen()
  if (at >= request.expiresAt) throw new SealwireError('expired', 'the request is over')
  const counted = database
    .prepare(
      `update payment_request set paid = paid + :amount, status = iif(paid + :amount = amount, 'paid', 'open'),
         ended_at = iif(paid + :amount = amount, :at, null)
       where id = :id and status = 'open' and paid + :amount <= amount`,
    )
    .run({ id, amount, at })
  if (counted !== 1n) throw new SealwireError('amount_invalid', 'it is more than is still asked for')
  return readAgain(database, id)
}

/** Ends at most `max` requests whose time is over, and forgets at most as many that ended long ago and unpaid. */
export function expireRequests(database: Database, at: bigint, max: bigint, memoryMs: bigint): readonly PaymentRequest[] {
  const rows = database.prepare(`${select} where status = 'open' and expires_at <= :at order by expires_at limit :max`).rows({ at, max })
  const ended = rows.map(requestOf)
  for (const { id } of ended) {
    database.prepare("update payment_request set status = 'expired', ended_at = :at where id = :id").run({ id, at })
  }
  database
    .prepare(
      `delete from payment_request where id in
       (select id from payment_request where ended_at < :before and ended_at is not null and paid = 0 order by ended_at limit :max)`,
    )
    .run({ before: at - memoryMs, max })
  return ended.map((request) => ({ ...request, status: 'expired' }))
}

function findRequest(database: Database, id: Uint8Array): PaymentRequest | undefined {
  const row = database.prepare(`${select} where payment_request.id = :id`).row({ id })
  return row && requestOf(row)
}

function readAgain(database: Database, id: Uint8Array): PaymentRequest {
  const request = findRequest(database, id)
  if (request === undefined) throw notFound()
  return request
}

function requestOf(row: Row): PaymentRequest {
  return {
    id: blob(row, 'id'),
    from: { id: integer(row, 'from_id'), key: text(row, 'from_key'), name: text(row, 'from_name') },
    to: { id: integer(row, 'to_id'), key: text(row, 'to_key'), name: text(row, 'to_name') },
    ...{ unit: text(row, 'unit'), decimals: integer(row, 'decimals'), amount: integer(row, 'amount'), paid: integer(row, 'paid') },
    // The column has a check of its own.
    status: text(row, 'status') as PaymentRequest['status'],
    ...{ memo: optionalText(row, 'memo'), at: integer(row, 'at'), expiresAt: integer(row, 'expires_at') },
    // One of the words of `shown` below.
    shown: text(row, 'shown') as PaymentRequest['shown'],
  }
}

function notFound(): SealwireError {
  return new SealwireError('not_found', 'there is no such request to pay')
}

function notOpen(): SealwireError {
  return new SealwireError('gone', 'the request is not open any more')
}

const isBlocked = 'exists (select 1 from block where block.account_id = to_id and blocked_id = from_id)' as const
const shown = `case when ${isBlocked} then 'nothing'
    when exists (select 1 from conversation where low = min(from_id, to_id) and high = max(from_id, to_id) and state = 'accepted') then 'all'
    else 'numbers' end` as const
const select = `select payment_request.id, from_id, asker.key as from_key, asker.name as from_name, to_id, asked.key as to_key,
    asked.name as to_name, payment_request.unit, decimals, amount, paid, status, memo, payment_request.at, expires_at, ${shown} as shown
  from payment_request join unit on unit.code = payment_request.unit
  join account as asker on asker.id = from_id join account as asked on asked.id = to_id` as const
const endOfTime = 1n << 62n
const requestMs = BigInt(limitTable.paymentRequestMs.value)
const requestMsMax = BigInt(limitTable.paymentRequestMsMax.value)

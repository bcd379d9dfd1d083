// What the devices of an account have still to store. Its places have no gaps: an acknowledgement of one covers all before it.

import { SealwireError } from '../../../protocol/errors.ts'
import { limitTable } from '../../../protocol/limits.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { entryColumns, entryOf, entryTables } from './entry-row.ts'
import { type ConversationPlace, dropUpTo, settleUpTo } from './inbox-fill.ts'
import { readPage } from './page.ts'
import { beginOfLife } from './set-back.ts'
import type { StepsOf } from './step.ts'

export const inboxSteps: StepsOf<'inbox'> = {
  'inbox.open': { kind: 'write', run: openInbox, runWithoutRoom: readPlace },
  'inbox.read': { kind: 'read', run: readInbox },
  'inbox.ack': { kind: 'write', run: acknowledge },
  'inbox.expire': { kind: 'write', run: expireInboxes },
}

function openInbox(database: Database, { accountId, device, after, at }: Input<'inbox.open'>, limits: StoreLimits): Output<'inbox.open'> {
  const { lastSeq, lostSeq, goneSeq } = findInbox(database, accountId)
  if (after !== undefined) requireOfThisLife(after, lastSeq)
  const known = placeOf(database, accountId, device)
  const ackedSeq = known ?? addDevice(database, accountId, device, { lastSeq, lostSeq, goneSeq })
  const lost = lostBehind(lostSeq, ackedSeq, after)
  if (after !== undefined) acknowledge(database, { accountId, device, seq: after, at }, limits)
  releaseInbox(database, accountId, limits)
  return { lastSeq, ackedSeq: placeOf(database, accountId, device) ?? ackedSeq, lostSeq: lost }
}

/** A device that has a place reads what is stored; nothing is acknowledged. */
function readPlace(database: Database, { accountId, device, after }: Input<'inbox.open'>): Output<'inbox.open'> {
  const { lastSeq, lostSeq } = findInbox(database, accountId)
  if (after !== undefined) requireOfThisLife(after, lastSeq)
  const ackedSeq = placeOf(database, accountId, device)
  if (ackedSeq === undefined) throw new SealwireError('storage_full', 'there is no room for the place of another device')
  return { lastSeq, ackedSeq, lostSeq: lostBehind(lostSeq, ackedSeq, after) }
}

/** Below what was lost there is something to be told, whatever the device says it has. */
function lostBehind(lostSeq: bigint, ackedSeq: bigint, after: bigint | undefined): bigint | undefined {
  return lostSeq > ackedSeq && lostSeq > (after ?? 0n) ? lostSeq : undefined
}

/**
 * The first device of an account gets what has waited for one; a further one begins at the end, before that is history. A session that
 * is being ended may still ask: what it logged in with is looked at in this step.
 */
function addDevice(database: Database, accountId: bigint, device: string, inbox: Omit<Inbox, 'storedSeq'>): bigint {
  const other = database.prepare('select 1 from inbox_device where account_id = :accountId limit 1').row({ accountId })
  const seq = other === undefined ? firstPlace(inbox) : inbox.lastSeq
  const added = database
    .prepare(
      `insert into inbox_device (device, account_id, acked_seq) select :device, :accountId, :seq
       where not exists (select 1 from device where id = :device and revoked_at is not null) and (:device not like 't-%'
         or exists (select 1 from token where account_id = :accountId and :device = 't-' || lower(hex(substr(hash, 1, 10)))))`,
    )
    .run({ device, accountId, seq })
  if (added === 0n) throw new SealwireError('device_required', 'the device was revoked, or its token is gone')
  return seq
}

/** Behind what has left. Where that waited for a first device and was lost, before the last of it, so that this one is told. */
function firstPlace({ lastSeq, lostSeq, goneSeq }: Omit<Inbox, 'storedSeq'>): bigint {
  return lostSeq === goneSeq && goneSeq > beginOfLife(lastSeq) ? goneSeq - 1n : goneSeq
}

function readInbox(database: Database, input: Input<'inbox.read'>): Output<'inbox.read'> {
  const { accountId, after } = input
  const statement = database.prepare(
    `select inbox_entry.seq, ${entryColumns}, ${wordlessColumn} from inbox_entry join ${entryTables}
     left join member on member.conversation_id = entry.key >> 32 and member.account_id = :accountId and member.invited = 0
     where inbox_entry.account_id = :accountId and inbox_entry.seq > :after and entry.key = inbox_entry.key order by inbox_entry.seq`,
  )
  const { rows } = readPage(statement, { accountId, after }, input)
  const entries = rows.map((row) => ({ inboxSeq: integer(row, 'seq'), entry: entryOf(row) }))
  return { entries, lastSeq: findInbox(database, accountId).lastSeq }
}

/** A part of it at a time: so many entries leave, and so many are counted as stored. */
function acknowledge(database: Database, { accountId, device, seq }: Input<'inbox.ack'>, limits: StoreLimits): Output<'inbox.ack'> {
  const { lastSeq, storedSeq, goneSeq } = findInbox(database, accountId)
  requireNotAhead(seq, lastSeq)
  const acked = placeOf(database, accountId, device)
  if (acked === undefined || seq <= acked) return { delivered: [], more: false }
  const max = BigInt(limits.inboxStepEntriesMax)
  const stored = larger(storedSeq, smaller(seq, storedSeq + max))
  const delivered = stored > storedSeq ? deliver(database, accountId, stored) : []
  const to = smaller(seq, smaller(stored, larger(acked, goneSeq) + max))
  if (to > acked) database.prepare('update inbox_device set acked_seq = :to where device = :device').run({ device, to })
  releaseStored(database, accountId, { goneSeq, storedSeq: stored }, limits)
  return { delivered, more: to < seq }
}

/** A device has more than there is only when this store is a copy of an earlier day: it must hear of that. */
function requireNotAhead(seq: bigint, lastSeq: bigint): void {
  if (seq <= lastSeq) return
  throw new SealwireError('conflict', 'the device is ahead of its inbox', { hint: 'open the inbox without a place, and begin anew' })
}

/** The same of a place that was given away before this store became one of an earlier day: see set-back.ts. */
function requireOfThisLife(seq: bigint, lastSeq: bigint): void {
  requireNotAhead(seq >= beginOfLife(lastSeq) ? seq : lastSeq + 1n, lastSeq)
}

/** The account has it from now on, on one of its devices. */
function deliver(database: Database, accountId: bigint, seq: bigint): Output<'inbox.ack'>['delivered'] {
  return settleUpTo(database, accountId, seq).flatMap((place) =>
    moveDelivered(database, accountId, place) ? [{ conversationId: place.conversationId, seq: place.seq }] : [],
  )
}

/** Whether that is further than before. To whom the account blocks it shows nothing, so there it stands still. */
function moveDelivered(database: Database, accountId: bigint, { conversationId, seq }: Omit<ConversationPlace, 'others'>): boolean {
  const moved = database
    .prepare(
      `update member set delivered_seq = :seq
       where conversation_id = :conversationId and account_id = :accountId and delivered_seq < :seq
         and not exists (select 1 from conversation join block on block.account_id = :accountId and blocked_id = low + high - :accountId
           where conversation.id = :conversationId)`,
    )
    .run({ conversationId, accountId, seq })
  return moved === 1n
}

/** What waits counts as stored though no device has it, a part of it at a time, and one conversation as delivered up to a place. */
export function settleInbox(
  database: Database,
  accountId: bigint,
  { conversationId, seq }: Omit<ConversationPlace, 'others'>,
  { inboxStepEntriesMax }: StoreLimits,
): void {
  const { lastSeq, storedSeq } = findInbox(database, accountId)
  if (lastSeq > storedSeq) settleUpTo(database, accountId, smaller(lastSeq, storedSeq + BigInt(inboxStepEntriesMax)))
  moveDelivered(database, accountId, { conversationId, seq })
}

/**
 * Lets go of what every device has, or does not want; of what is more than a part of it the next time. Without any device everything
 * waits for one.
 */
function releaseStored(
  database: Database,
  accountId: bigint,
  { goneSeq, storedSeq }: Pick<Inbox, 'goneSeq' | 'storedSeq'>,
  { inboxStepEntriesMax }: StoreLimits,
): void {
  const row = database.prepare('select min(acked_seq) as seq from inbox_device where account_id = :accountId').row({ accountId })
  const acked = optionalInteger(row ?? {}, 'seq')
  if (acked === undefined) return
  const seq = smaller(acked, goneSeq + BigInt(inboxStepEntriesMax))
  // What waited for a device that is gone, and is before the first place of the others, waits for nobody.
  if (seq > storedSeq) settleUpTo(database, accountId, seq)
  const moved = database
    .prepare('update inbox set gone_seq = :seq where account_id = :accountId and gone_seq < :seq')
    .run({ accountId, seq })
  if (moved === 1n) {
    database.prepare('delete from inbox_entry where account_id = :accountId and seq <= :seq').run({ accountId, seq })
  }
}

/** What waited for nobody but installations that went with their tokens waits no more. */
export function releaseInbox(database: Database, accountId: bigint, limits: StoreLimits): void {
  releaseStored(database, accountId, findInbox(database, accountId), limits)
}

/** A device that does not come again keeps nothing waiting. */
export function forgetInboxDevice(database: Database, accountId: bigint, device: string, limits: StoreLimits): void {
  database.prepare('delete from inbox_device where device = :device').run({ device })
  releaseInbox(database, accountId, limits)
}

/** Inboxes that have had something for so long are looked at, and those of which nothing is so old any more are so no longer. */
function expireInboxes(database: Database, { before, max }: Input<'inbox.expire'>): Output<'inbox.expire'> {
  // To look takes time also where nothing is old: as many rows of each as may be removed are read.
  const looked = smaller(max, lookedAtOnceMax)
  const rows = database
    .prepare('select account_id from inbox where waiting_since < :before order by waiting_since limit :looked')
    .rows({ before, looked })
  let entries = 0n
  for (const row of rows) {
    if (entries < max) entries += expireInbox(database, integer(row, 'account_id'), before, max - entries)
  }
  return { entries, more: entries >= max || BigInt(rows.length) >= looked }
}

/** Of at most `max` entries those that are too old; answers how many. */
function expireInbox(database: Database, accountId: bigint, before: bigint, max: bigint): bigint {
  const { seq, since } = lookInto(database, accountId, before, max)
  const entries = seq === undefined ? 0n : dropUpTo(database, accountId, seq)
  const left = seq === undefined ? since : lookInto(database, accountId, before, max).since
  database.prepare('update inbox set waiting_since = :left where account_id = :accountId').run({ accountId, left: left ?? null })
  return entries
}

/** The last of its first `max` entries that is too old, and since when what is first there waits. */
function lookInto(database: Database, accountId: bigint, before: bigint, max: bigint): Record<'seq' | 'since', bigint | undefined> {
  const row = database
    .prepare(
      `select max(iif(at < :before, seq, null)) as seq, min(at) as since
       from (select seq, at from inbox_entry where account_id = :accountId order by seq limit :max)`,
    )
    .row({ accountId, max, before })
  return { seq: optionalInteger(row ?? {}, 'seq'), since: optionalInteger(row ?? {}, 'since') }
}

interface Inbox {
  readonly lastSeq: bigint
  readonly storedSeq: bigint
  readonly lostSeq: bigint
  readonly goneSeq: bigint
}

function findInbox(database: Database, accountId: bigint): Inbox {
  const row = database
    .prepare('select last_seq, stored_seq, lost_seq, gone_seq from inbox where account_id = :accountId')
    .row({ accountId })
  return row === undefined ? emptyInbox : inboxOf(row)
}

function inboxOf(row: Row): Inbox {
  return {
    lastSeq: integer(row, 'last_seq'),
    storedSeq: integer(row, 'stored_seq'),
    lostSeq: integer(row, 'lost_seq'),
    goneSeq: integer(row, 'gone_seq'),
  }
}

function placeOf(database: Database, accountId: bigint, device: string): bigint | undefined {
  const row = database.prepare('select account_id, acked_seq from inbox_device where device = :device').row({ device })
  if (row === undefined) return undefined
  if (integer(row, 'account_id') !== accountId)
    throw new SealwireError('internal', 'internal error', { cause: 'a device of another account' })
  return integer(row, 'acked_seq')
}

function smaller(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

/**
 * To whom is not in the room, or came later, an entry says nothing of what its message was changed to since, and to who came later an edit
 * nothing of what was before.
 */
const wordlessColumn = `coalesce(member.first_seq > (coalesce(entry.target, entry.key) & 4294967295), true) and (
  entry.kind = 'edit' and member.first_seq is not null or exists (select 1 from entry as later
    where later.target = coalesce(about.key, entry.key) and later.kind = 'edit' and later.key > entry.key)) as wordless`

const lookedAtOnceMax = BigInt(limitTable.housekeepingInboxesMax.value)
const emptyInbox: Inbox = { lastSeq: 0n, storedSeq: 0n, lostSeq: 0n, goneSeq: 0n }

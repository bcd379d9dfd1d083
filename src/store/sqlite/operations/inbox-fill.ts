// Puts entries into inboxes and takes them out before every device has them. An inbox counts what was ever put in, and how
// far it is stored and gone; so whether it is full is seen in the row that is written anyway.
//
//   lost_seq ≤ gone_seq ≤ what waits for some device ≤ last_seq,  stored_seq ≥ gone_seq

import type { Delivery } from '../../delivery.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { seqOf } from './entry-key.ts'

/** An entry that has its place. */
export interface Filling {
  readonly key: bigint
  readonly at: bigint
  /** Bytes of body and data. */
  readonly size: bigint
}

/** Fills the inbox of every member who has joined `but` one, however many they are, with the same two statements. */
export function fillInboxes(
  database: Database,
  conversationId: bigint,
  { key, at, size }: Filling,
  but: bigint | undefined,
  limits: StoreLimits,
): readonly Delivery[] {
  const recipients = { conversationId, but: but ?? null }
  const rows = database
    .prepare(
      `insert into inbox (account_id, last_seq, bytes)
       select account_id, 1, :size from member where ${isRecipient}
       on conflict (account_id) do update set last_seq = last_seq + 1, bytes = bytes + excluded.bytes
       returning account_id, ${inboxColumns}`,
    )
    .rows({ size, ...recipients })
  if (rows.length > 0) {
    database
      .prepare(
        `insert into inbox_entry (account_id, seq, key, at, bytes)
         select inbox.account_id, last_seq, :key, :at, bytes from member join inbox on inbox.account_id = member.account_id
         where ${isRecipient}`,
      )
      .run({ key, at, ...recipients })
  }
  if (rows.some((row) => isYounger(optionalInteger(row, 'waiting_since'), at))) {
    database
      .prepare(
        `update inbox set waiting_since = :at
         where (waiting_since is null or waiting_since > :at) and account_id in (select account_id from member where ${isRecipient})`,
      )
      .run({ at, ...recipients })
  }
  return rows.map((row) => delivered(database, integer(row, 'account_id'), inboxOf(row), limits))
}

/** Fills one inbox, whoever its owner is. Reading and writing it is quicker than having it answer what it has become. */
export function fillInbox(database: Database, accountId: bigint, filling: Filling, limits: StoreLimits): Delivery {
  const inbox = putIn(database, accountId, findFullness(database, accountId), filling)
  setFullness(database, accountId, inbox)
  return delivered(database, accountId, inbox, limits)
}

/** How full the inbox of an account is; it is made when there is none. */
export function findFullness(database: Database, accountId: bigint): Fullness {
  const row = database.prepare(`select ${inboxColumns} from inbox where account_id = :accountId`).row({ accountId })
  if (row === undefined) database.prepare('insert into inbox (account_id) values (:accountId)').run({ accountId })
  return row === undefined ? emptyInbox : inboxOf(row)
}

/** Puts an entry into an inbox, and answers how full that is with it: {@link setFullness} is still to be told. */
export function putIn(database: Database, accountId: bigint, inbox: Fullness, { key, at, size }: Filling): Fullness {
  const [seq, bytes] = [inbox.lastSeq + 1n, inbox.bytes + size]
  database
    .prepare('insert into inbox_entry (account_id, seq, key, at, bytes) values (:accountId, :seq, :key, :at, :bytes)')
    .runWith(accountId, seq, key, at, bytes)
  if (isYounger(inbox.since, at))
    database.prepare('update inbox set waiting_since = :at where account_id = :accountId').run({ accountId, at })
  return {
    lastSeq: seq,
    bytes,
    storedBytes: inbox.storedBytes,
    goneSeq: inbox.goneSeq,
    since: isYounger(inbox.since, at) ? at : inbox.since,
  }
}

export function setFullness(database: Database, accountId: bigint, { lastSeq, bytes }: Fullness): void {
  database.prepare('update inbox set last_seq = :lastSeq, bytes = :bytes where account_id = :accountId').run({ lastSeq, bytes, accountId })
}

/** Whether so many bytes more would be within what may wait for an account. */
export function hasSpace(database: Database, accountId: bigint, size: bigint, { inboxEntriesMax, inboxBytesMax }: StoreLimits): boolean {
  const row = database
    .prepare('select last_seq - stored_seq as waiting, bytes - stored_bytes as bytes from inbox where account_id = :accountId')
    .row({ accountId })
  if (row === undefined) return true
  return integer(row, 'waiting') < BigInt(inboxEntriesMax) && integer(row, 'bytes') + size <= BigInt(inboxBytesMax)
}

/**
 * Takes entries up to a place out of an inbox although a device may lack them, and counts them as stored: they wait no more.
 * Answers how many.
 */
export function dropUpTo(database: Database, accountId: bigint, seq: bigint): bigint {
  settleUpTo(database, accountId, seq)
  database
    .prepare('update inbox set gone_seq = :seq, lost_seq = :seq where account_id = :accountId and gone_seq < :seq')
    .run({ accountId, seq })
  return database.prepare('delete from inbox_entry where account_id = :accountId and seq <= :seq').run({ accountId, seq })
}

/** Counts entries up to a place as stored; answers of which conversations, with how far. */
export function settleUpTo(database: Database, accountId: bigint, seq: bigint): readonly ConversationPlace[] {
  const places = unsettled(database, accountId, seq)
  for (const { conversationId, others } of places) {
    if (others === 0n) continue
    database
      .prepare(
        `update member set waiting = max(0, waiting - :others)
         where conversation_id = :conversationId and account_id = :accountId and waiting > 0`,
      )
      .run({ conversationId, accountId, others })
  }
  database
    .prepare(
      `update inbox set stored_seq = :seq,
         stored_bytes = (select bytes from inbox_entry where inbox_entry.account_id = :accountId and inbox_entry.seq = :seq)
       where account_id = :accountId and stored_seq < :seq`,
    )
    .run({ accountId, seq })
  return places
}

/** How far a conversation is, and how much of that is of others. */
export interface ConversationPlace {
  readonly conversationId: bigint
  readonly seq: bigint
  readonly others: bigint
}

function unsettled(database: Database, accountId: bigint, seq: bigint): readonly ConversationPlace[] {
  const statement = database.prepare(
    `select entry.key >> 32 as conversation_id, max(entry.key) as key, count(*) filter (where author_id <> :accountId) as others
     from inbox join inbox_entry on inbox_entry.account_id = inbox.account_id and inbox_entry.seq > inbox.stored_seq
     join entry on entry.key = inbox_entry.key
     where inbox.account_id = :accountId and inbox_entry.seq <= :seq group by 1`,
  )
  return statement.rows({ accountId, seq }).map((row) => ({
    conversationId: integer(row, 'conversation_id'),
    seq: seqOf(integer(row, 'key')),
    others: integer(row, 'others'),
  }))
}

/** How full an inbox is. */
export interface Fullness {
  readonly lastSeq: bigint
  readonly bytes: bigint
  readonly storedBytes: bigint
  readonly goneSeq: bigint
  /** Nothing that waits came before; undefined when nothing is known to wait. */
  readonly since: bigint | undefined
}

/** Also where a clock that was ahead has been put right: what comes then is older than what waits. */
function isYounger(since: bigint | undefined, at: bigint): boolean {
  return since === undefined || at < since
}

/** Of a row with {@link inboxColumns}. */
function inboxOf(row: Row): Fullness {
  return {
    lastSeq: integer(row, 'last_seq'),
    bytes: integer(row, 'bytes'),
    storedBytes: integer(row, 'stored_bytes'),
    goneSeq: integer(row, 'gone_seq'),
    since: optionalInteger(row, 'waiting_since'),
  }
}

function delivered(database: Database, accountId: bigint, inbox: Fullness, limits: StoreLimits): Delivery {
  const seq = surplus(database, accountId, inbox, limits)
  if (seq > inbox.goneSeq) dropUpTo(database, accountId, seq)
  return { accountId, inboxSeq: inbox.lastSeq }
}

/** The place up to which an inbox is more than an account may have; at most `goneSeq` when it is not. */
export function surplus(database: Database, accountId: bigint, inbox: Fullness, { inboxEntriesMax, inboxBytesMax }: StoreLimits): bigint {
  const { lastSeq } = inbox
  const byNumber = lastSeq - BigInt(inboxEntriesMax)
  const floor = inbox.bytes - BigInt(inboxBytesMax)
  if (inbox.storedBytes >= floor) return byNumber
  const kept = database
    .prepare('select seq from inbox_entry where account_id = :accountId and bytes > :floor order by seq limit 1')
    .row({ accountId, floor })
  const byBytes = kept === undefined ? lastSeq - 1n : integer(kept, 'seq') - 1n
  return byBytes > byNumber ? byBytes : byNumber
}

const isRecipient = 'member.conversation_id = :conversationId and member.invited = 0 and member.account_id is not :but'
const inboxColumns = 'last_seq, bytes, stored_bytes, gone_seq, waiting_since'
const emptyInbox: Fullness = { lastSeq: 0n, bytes: 0n, storedBytes: 0n, goneSeq: 0n, since: undefined }

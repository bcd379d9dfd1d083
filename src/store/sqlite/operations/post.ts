// Gives an entry its place in a conversation and puts it into inboxes. Who may do so was decided before.

import { assert, SealwireError } from '../../../protocol/errors.ts'
import type { Delivery, EntryKind, Posted } from '../../delivery.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalBlob, optionalInteger, optionalText, type Row, text } from '../statement.ts'
import { conversationOf, keyOf, seqEnd, seqOf } from './entry-key.ts'
import { type Filling, fillInbox, fillInboxes, hasSpace } from './inbox-fill.ts'
import { countSaid } from './said-bytes.ts'

/** What gets a place. */
export interface PostedEntry {
  readonly conversationId: bigint
  readonly authorId: bigint
  readonly id: Uint8Array
  readonly kind: EntryKind
  readonly device?: string | undefined
  readonly at: bigint
  readonly type?: string | undefined
  readonly body?: Uint8Array | undefined
  /** The place of the entry it is about. */
  readonly target?: bigint | undefined
  readonly data?: Uint8Array | undefined
  readonly file?: Uint8Array | undefined
  /** What counts against quotas; default: bytes of body and data. */
  readonly size?: bigint | undefined
  /** A member in whose inbox and history it is not. */
  readonly hiddenFrom?: bigint | undefined
  /** Accounts that get it without being members who have joined, where it throws out nothing that waits for them. */
  readonly alsoTo?: readonly bigint[] | undefined
}

/** What a conversation is before an entry gets its place there. */
export interface Place {
  readonly lastSeq: bigint
  readonly kind: 'direct' | 'room'
  /** Direct: the other one. */
  readonly peerId: bigint | undefined
  /** Whether the author has other devices, which lack what is said on this one. */
  readonly hasOthers: boolean
}

/** What an author has posted under an id. */
export interface Repetition {
  /** The answer as it was, without deliveries. */
  readonly posted: Posted
  readonly key: bigint
  readonly kind: string
  readonly target: bigint | undefined
  readonly type: string | undefined
  readonly body: Uint8Array | undefined
  readonly data: Uint8Array | undefined
  readonly file: Uint8Array | undefined
  /** The content is not what was posted any more, or there is none. */
  readonly isChanged: boolean
  readonly isDeleted: boolean
}

/**
 * Stores an entry as the newest of its conversation, for every member who has joined and `alsoTo`; nothing is hidden from a member of a room. Its id must be new: ask
 * {@link repeatedPost} first. Quotas are not asked; of an inbox that is too full the oldest entries leave.
 */
export function post(database: Database, entry: PostedEntry, limits: StoreLimits, place = findPlace(database, entry)): Posted {
  const { conversationId, at, alsoTo = [] } = entry
  const seq = takePlace(database, entry, place)
  const key = keyOf(conversationId, seq)
  assert(insertEntry(database, key, entry), 'the id is taken')
  countSaid(database, entry.authorId, sizeOf(entry))
  const { size = sizeOf(entry) } = entry
  const filling = { key, at, size }
  const deliveries =
    place.kind === 'direct' ? tellBoth(database, entry, place, filling, limits) : tellMembers(database, entry, place, filling, limits)
  const others = alsoTo.filter((id) => id !== entry.hiddenFrom && deliveries.every(({ accountId }) => accountId !== id))
  const more = others
    .filter((id) => hasSpace(database, id, size, limits))
    .map((accountId) => fillInbox(database, accountId, filling, limits))
  return { conversationId, seq, at, repeated: false, deliveries: more.length === 0 ? deliveries : [...deliveries, ...more] }
}

/** What this author has posted under this id, ever; undefined when nothing. */
export function repeatedPost(database: Database, authorId: bigint, id: Uint8Array): Repetition | undefined {
  const row = database
    .prepare(
      `select key, at, kind, type, body, target, data, file, edited_at, deleted_at from entry
       where author_id = :authorId and id = :id`,
    )
    .row({ authorId, id })
  return row && repetitionOf(row)
}

/** What counts against quotas. */
export function sizeOf({ body, data }: Pick<PostedEntry, 'body' | 'data'>): bigint {
  return BigInt((body?.length ?? 0) + (data?.length ?? 0))
}

function findPlace(database: Database, { conversationId, authorId, device }: PostedEntry): Place {
  const row = database
    .prepare(`select last_seq, kind, ${peerColumn}, ${othersColumn} from conversation where id = :conversationId`)
    .row({ conversationId, accountId: authorId, device: device ?? null })
  return placeOf(row ?? {})
}

function takePlace(database: Database, { conversationId, at }: PostedEntry, { lastSeq }: Place): bigint {
  const seq = nextPlace(lastSeq)
  setLastSeq(database, conversationId, seq, at)
  return seq
}

/** @throws {SealwireError} `quota_exceeded` when a conversation has no further place. */
export function nextPlace(lastSeq: bigint): bigint {
  if (lastSeq + 1n >= seqEnd) throw new SealwireError('quota_exceeded', 'the conversation is full')
  return lastSeq + 1n
}

/** A conversation goes up to here; `at`: of the first entry that is new. */
export function setLastSeq(database: Database, conversationId: bigint, seq: bigint, at: bigint): void {
  database
    .prepare('update conversation set last_seq = :seq, expire_at = coalesce(expire_at, :at + retention_ms) where id = :conversationId')
    .run({ conversationId, seq, at })
}

/** So many more entries wait for the other one of a direct conversation. */
export function addWaiting(database: Database, conversationId: bigint, peerId: bigint, count: bigint): void {
  database
    .prepare('update member set waiting = waiting + :count where conversation_id = :conversationId and account_id = :peerId')
    .run({ conversationId, peerId, count })
}

/** The two of a direct conversation, with fewer and simpler statements than for a room. */
function tellBoth(database: Database, entry: PostedEntry, place: Place, filling: Filling, limits: StoreLimits): readonly Delivery[] {
  const { conversationId, authorId, hiddenFrom } = entry
  const { peerId, hasOthers } = place
  const deliveries: Delivery[] = []
  if (peerId !== undefined && peerId !== hiddenFrom) {
    deliveries.push(fillInbox(database, peerId, filling, limits))
    addWaiting(database, conversationId, peerId, 1n)
  }
  if (hasOthers) deliveries.push(fillInbox(database, authorId, filling, limits))
  return deliveries
}

function tellMembers(database: Database, entry: PostedEntry, place: Place, filling: Filling, limits: StoreLimits): readonly Delivery[] {
  return fillInboxes(database, entry.conversationId, filling, place.hasOthers ? undefined : entry.authorId, limits)
}

/** False, and nothing has happened, when the author has posted something under this id. */
export function insertEntry(database: Database, key: bigint, entry: PostedEntry): boolean {
  const { authorId, id, kind, device = null, at, type = null, body = null, target, data = null, file = null, hiddenFrom = null } = entry
  const isPlain = kind === 'message' && target === undefined && data === null && file === null && hiddenFrom === null
  if (isPlain) return database.prepare(insertPlain).runWith(key, authorId, id, device, at, type, body) === 1n
  const targetKey = target === undefined ? null : keyOf(entry.conversationId, target)
  return database.prepare(insert).run({ key, authorId, id, kind, device, at, type, body, targetKey, data, file, hiddenFrom }) === 1n
}

const unlessKnown = 'on conflict (id, author_id) do nothing'
const insert = `insert into entry (key, author_id, id, kind, device, at, type, body, target, data, file, hidden_from)
  values (:key, :authorId, :id, :kind, :device, :at, :type, :body, :targetKey, :data, :file, :hiddenFrom) ${unlessKnown}` as const
/** Nearly every entry: what says nothing more of itself costs less. */
const insertPlain = `insert into entry (key, author_id, id, kind, device, at, type, body)
  values (:key, :authorId, :id, 'message', :device, :at, :type, :body) ${unlessKnown}` as const

/** Of a row with `last_seq`, `kind`, {@link peerColumn} and {@link othersColumn}. */
export function placeOf(row: Row): Place {
  return {
    lastSeq: integer(row, 'last_seq'),
    kind: row['kind'] === 'room' ? 'room' : 'direct',
    peerId: optionalInteger(row, 'peer_id'),
    hasOthers: integer(row, 'has_others') === 1n,
  }
}

function repetitionOf(row: Row): Repetition {
  const key = integer(row, 'key')
  const target = optionalInteger(row, 'target')
  assert(target === undefined || conversationOf(target) === conversationOf(key), 'an entry is about another conversation')
  return {
    posted: { conversationId: conversationOf(key), seq: seqOf(key), at: integer(row, 'at'), repeated: true, deliveries: [] },
    key,
    kind: text(row, 'kind'),
    target: target === undefined ? undefined : seqOf(target),
    type: optionalText(row, 'type'),
    body: optionalBlob(row, 'body'),
    data: optionalBlob(row, 'data'),
    file: optionalBlob(row, 'file'),
    isChanged: row['edited_at'] !== null || row['deleted_at'] !== null,
    isDeleted: row['deleted_at'] !== null,
  }
}

/** Of `conversation`, as `:accountId` sees it; and whether that has other devices than `:device`. */
export const peerColumn = 'low + high - :accountId as peer_id'
export const othersColumn =
  'exists (select 1 from inbox_device where inbox_device.account_id = :accountId and device is not :device) as has_others'

// Rooms: what they are called, and how one gets into them. Who is in them is in room-members.ts.

import { mayManage } from '../../../domain/index.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Posted } from '../../delivery.ts'
import type { Input, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row } from '../statement.ts'
import { postChange, repeatedChange, requireMayChange, says, sizeIn, unchanged } from './change.ts'
import { requireJoined, requirePermission } from './room-standing.ts'
import type { Steps } from './step.ts'

export const roomSteps: Pick<Steps, 'room.create' | 'room.update' | 'room.link'> = {
  'room.create': { kind: 'write', run: createRoom },
  'room.update': { kind: 'write', run: updateRoom },
  'room.link': { kind: 'write', run: linkRoom },
}

/**
 * Takes one use of a link.
 * @throws {SealwireError} `invitation_expired`, `invitation_used`.
 */
export function takeLink(database: Database, row: Row, at: bigint): void {
  if (at >= integer(row, 'link_expires_at')) throw new SealwireError('invitation_expired', 'the link has expired', { hint })
  const taken = database
    .prepare('update conversation set link_uses = link_uses - 1 where id = :id and link_uses > 0')
    .run({ id: integer(row, 'id') })
  if (taken === 0n) throw new SealwireError('invitation_used', 'the link has been used', { hint })
}

/** @throws {SealwireError} `invitation_invalid`. */
export function findLink(database: Database, hash: Uint8Array): Row {
  const row = database.prepare('select id, link_expires_at from conversation where link_hash = :hash').row({ hash })
  if (row === undefined) throw new SealwireError('invitation_invalid', 'this server knows no such link', { hint })
  return row
}

/** Whoever is out, or has a say no more, may know the link, and made it perhaps. */
export function voidLink(database: Database, conversationId: bigint): void {
  database.prepare('update conversation set link_hash = null where id = :conversationId').run({ conversationId })
}

function createRoom(database: Database, input: Input<'room.create'>, limits: StoreLimits): Posted {
  const { accountId, id, at, title, topic, announcement, history } = input
  const said = { title, topic, announcement }
  // The entry stays when the room is gone, so that not even then a late repetition makes another one.
  const repeated = repeatedChange(database, input, (before) => before.kind === 'room' && says(before, said))
  if (repeated !== undefined) return repeated
  requireMayOwn(database, accountId, limits)
  requireMayChange(database, accountId, said, limits)
  const row = database
    .prepare(
      `insert into conversation (kind, state, by_id, create_id, state_at, title, topic, announcement, history)
       values ('room', 'accepted', :accountId, :id, :at, :title, :topic, :announcement, :history) returning id`,
    )
    .row({ accountId, id, at, title, topic, announcement: announcement ? 1n : 0n, history })
  const conversationId = integer(row ?? {}, 'id')
  database
    .prepare("insert into member (conversation_id, account_id, role, since) values (:conversationId, :accountId, 'owner', :at)")
    .run({ conversationId, accountId, at })
  return postChange(database, { ...input, conversationId }, { kind: 'room', said }, limits)
}

/** @throws {SealwireError} `busy`. */
export function requireMayOwn(database: Database, accountId: bigint, { roomsPerAccountMax }: StoreLimits): void {
  const owned = database.prepare("select count(*) as size from member where account_id = :accountId and role = 'owner'")
  if (sizeIn(owned.row({ accountId })) < BigInt(roomsPerAccountMax)) return
  throw new SealwireError('busy', 'the account owns too many rooms', { hint: 'leave some first' })
}

function updateRoom(database: Database, input: Input<'room.update'>, limits: StoreLimits): Posted {
  const { accountId, conversationId, title, topic, announcement, history } = input
  const { role, lastSeq, since } = requireJoined(database, conversationId, accountId)
  const said = { title, topic, announcement }
  const repeated = repeatedChange(
    database,
    input,
    (before) => before.kind === 'room' && before.posted.conversationId === conversationId && says(before, said),
  )
  if (repeated !== undefined) return repeated
  const traits = {
    ...{ conversationId, title: title ?? null, topic: topic ?? null, history: history ?? null },
    announcement: announcement === undefined ? null : announcement ? 1n : 0n,
  }
  if (isSo(database, traits)) return unchanged(conversationId, lastSeq, since)
  requirePermission(mayManage(role))
  requireMayChange(database, accountId, said, limits)
  database
    .prepare(
      `update conversation set title = coalesce(:title, title), topic = coalesce(:topic, topic),
         announcement = coalesce(:announcement, announcement), history = coalesce(:history, history)
       where id = :conversationId`,
    )
    .run(traits)
  return postChange(database, input, { kind: 'room', said }, limits)
}

/** A room as somebody wants it; null: as it is. */
type Traits = Readonly<Record<'title' | 'topic' | 'history', string | null>> & {
  readonly conversationId: bigint
  readonly announcement: bigint | null
}

/** Whether a room is like that: the answer to the first try may have been lost. */
function isSo(database: Database, traits: Traits): boolean {
  const statement = database.prepare(
    `select 1 from conversation where id = :conversationId
       and title = coalesce(:title, title) and topic = coalesce(:topic, topic)
       and announcement = coalesce(:announcement, announcement) and history = coalesce(:history, history)`,
  )
  return statement.row(traits) !== undefined
}

function linkRoom(database: Database, { accountId, conversationId, hash, uses, expiresAt }: Input<'room.link'>): undefined {
  requirePermission(mayManage(requireJoined(database, conversationId, accountId).role))
  database
    .prepare('update conversation set link_hash = :hash, link_uses = :uses, link_expires_at = :expiresAt where id = :conversationId')
    .run({ conversationId, hash, uses, expiresAt })
}

const hint = 'ask for a new link'

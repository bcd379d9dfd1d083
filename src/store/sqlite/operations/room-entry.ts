// Getting into a room. Invited ones count as members when it comes to how many there may be, and for nothing else.

import { mayManage } from '../../../domain/index.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Posted } from '../../delivery.ts'
import type { Input, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, text } from '../statement.ts'
import { isBlocked, postChange, repeatedChange, requireMayChange, says, sizeIn, unchanged } from './change.ts'
import { ordered } from './direct.ts'
import { takeInvitedBefore } from './invited-before.ts'
import { findLink, takeLink } from './rooms.ts'
import { requireJoined, requirePermission, standingOf } from './room-standing.ts'
import type { Steps } from './step.ts'

export const roomEntrySteps: Pick<Steps, 'room.invite' | 'room.join'> = {
  'room.invite': { kind: 'write', run: inviteToRoom },
  'room.join': { kind: 'write', run: joinRoom },
}

function inviteToRoom(database: Database, input: Input<'room.invite'>, limits: StoreLimits): Posted {
  const { accountId, conversationId, peerId, at } = input
  const { role, lastSeq } = requireJoined(database, conversationId, accountId)
  requirePermission(mayManage(role))
  const about = contactName(database, accountId, peerId)
  const said = { what: 'invited', about }
  const repeated = repeatedChange(
    database,
    input,
    (before) => before.kind === 'member' && before.posted.conversationId === conversationId && says(before, said),
  )
  if (repeated !== undefined) return repeated
  const unseen = isBlocked(database, { by: peerId, accountId })
  const there = standingOf(database, conversationId, peerId)
  if (there !== undefined && (there.state !== 'unseen' || unseen)) return unchanged(conversationId, lastSeq, there.since)
  requireMayChange(database, accountId, said, limits)
  if (there === undefined) requireSpace(database, conversationId, limits)
  const before = takeInvitedBefore(database, input)
  addInvited(database, { conversationId, peerId, since: before ?? at, firstSeq: lastSeq + 1n }, unseen)
  // They see it in their list of conversations; that they are told more than once a day is not up to who invites.
  if (before !== undefined) return unchanged(conversationId, lastSeq, before)
  return postChange(database, input, { kind: 'member', said, alsoTo: unseen ? [] : [peerId] }, limits)
}

interface Invited {
  readonly conversationId: bigint
  readonly peerId: bigint
  readonly since: bigint
  readonly firstSeq: bigint
}

function addInvited(database: Database, { conversationId, peerId, since, firstSeq }: Invited, unseen: boolean): void {
  forgetUnseen(database, conversationId, peerId)
  if (unseen) {
    database
      .prepare('insert into unseen_invitation (conversation_id, account_id, since) values (:conversationId, :peerId, :since)')
      .run({ conversationId, peerId, since })
    return
  }
  database
    .prepare(
      `insert into member (conversation_id, account_id, role, invited, first_seq, since)
       values (:conversationId, :peerId, 'member', 1, :firstSeq, :since)`,
    )
    .run({ conversationId, peerId, firstSeq, since })
}

function contactName(database: Database, accountId: bigint, peerId: bigint): string {
  const row = database
    .prepare('select name from account where id = :peerId and exists (select 1 from contact where low = :low and high = :high)')
    .row({ peerId, ...ordered([accountId, peerId]) })
  if (row === undefined) throw new SealwireError('not_contact', 'only contacts can be invited', { hint: 'ask them first' })
  return text(row, 'name')
}

function joinRoom(database: Database, input: Input<'room.join'>, limits: StoreLimits): Posted {
  const { accountId, hash, at } = input
  const link = hash === undefined ? undefined : findLink(database, hash)
  const conversationId = link === undefined ? input.conversationId : integer(link, 'id')
  if (conversationId === undefined) throw new SealwireError('not_found', 'there is no such room')
  const said = { what: 'joined' }
  const repeated = repeatedChange(
    database,
    input,
    (before) => before.kind === 'member' && before.posted.conversationId === conversationId && says(before, said),
  )
  if (repeated !== undefined) return repeated
  const there = standingOf(database, conversationId, accountId)
  // Also when the link is used up by now: they used it.
  if (there?.state === 'joined') return unchanged(conversationId, there.lastSeq, there.since)
  if (link === undefined && there?.state !== 'invited') throw new SealwireError('not_found', 'there is no such room')
  requireMayChange(database, accountId, said, limits)
  if (link !== undefined) takeLink(database, link, at)
  if (there === undefined) requireSpace(database, conversationId, limits)
  addMember(database, conversationId, accountId, at)
  return postChange(database, { ...input, conversationId }, { kind: 'member', said }, limits)
}

/** Before the entry that says so: by the room's policy that is the first one they see. What was before counts as read. */
function addMember(database: Database, conversationId: bigint, accountId: bigint, at: bigint): void {
  forgetUnseen(database, conversationId, accountId)
  database
    .prepare(
      `insert into member (conversation_id, account_id, role, first_seq, since, delivered_seq, read_seq)
       select id, :accountId, 'member', iif(history = 'all', 1, last_seq + 1), :at, last_seq, last_seq
       from conversation where id = :conversationId
       on conflict (conversation_id, account_id) do update set invited = 0, first_seq = excluded.first_seq,
         since = excluded.since, delivered_seq = excluded.delivered_seq, read_seq = excluded.read_seq`,
    )
    .run({ conversationId, accountId, at })
}

export function forgetUnseen(database: Database, conversationId: bigint, accountId: bigint): void {
  database
    .prepare('delete from unseen_invitation where conversation_id = :conversationId and account_id = :accountId')
    .run({ conversationId, accountId })
}

function requireSpace(database: Database, conversationId: bigint, { roomMembersMax }: StoreLimits): void {
  const count = database.prepare(
    `select (select count(*) from member where conversation_id = :conversationId)
       + (select count(*) from unseen_invitation where conversation_id = :conversationId and since >= 0) as size`,
  )
  if (sizeIn(count.row({ conversationId })) < BigInt(roomMembersMax)) return
  throw new SealwireError('room_full', 'the room is full', { hint: 'somebody has to leave first' })
}

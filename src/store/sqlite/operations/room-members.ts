// Who is in a room, and getting out of it. A room that somebody is in has exactly one owner. What is so already is done, for
// whoever may see that it is: the answer to the first try may have been lost.

import { mayGiveRole, mayManage, mayRemove } from '../../../domain/index.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { MemberRow, Posted } from '../../delivery.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'
import { hasOtherDevice, postChange, repeatedChange, requireMayChange, says, unchanged } from './change.ts'
import { eraseRoom, forgetRoom } from './erase-room.ts'
import { rememberInvited } from './invited-before.ts'
import { forgetUnseen } from './room-entry.ts'
import { requireJoined, requirePermission, type RoomStanding, standingOf } from './room-standing.ts'
import { requireMayOwn, voidLink } from './rooms.ts'
import type { Steps } from './step.ts'

export const roomMemberSteps: Pick<Steps, 'room.leave' | 'room.remove' | 'room.role' | 'room.members'> = {
  'room.leave': { kind: 'write', run: leaveRoom },
  'room.remove': { kind: 'write', run: removeMember },
  'room.role': { kind: 'write', run: giveRole },
  'room.members': { kind: 'read', run: readMembers },
}

function leaveRoom(database: Database, input: Input<'room.leave'>, limits: StoreLimits): Output<'room.leave'> {
  const { accountId, conversationId } = input
  const repeated = repeatedChange(database, input, (before) => before.kind === 'member' && before.posted.conversationId === conversationId)
  if (repeated !== undefined) return { ...repeated, files: [] }
  const standing = standingOf(database, conversationId, accountId)
  if (standing === undefined) requireNoDirect(database, conversationId, accountId)
  if (standing === undefined || standing.state === 'unseen') return undefined
  if (standing.state === 'invited') return { ...turnDown(database, input, standing, limits), files: [] }
  const successor = successorOf(database, conversationId, accountId)
  const files = successor === undefined ? eraseRoom(database, conversationId, input.at) : []
  const heir = standing.role === 'owner' ? successor : undefined
  const said = { what: 'left', ...(heir === undefined ? {} : { about: text(heir, 'name'), role: 'owner' }) }
  const posted = postChange(database, input, { kind: 'member', said }, limits)
  deleteMember(database, conversationId, accountId)
  if (mayManage(standing.role)) voidLink(database, conversationId)
  if (heir !== undefined) setRole(database, conversationId, integer(heir, 'id'), 'owner')
  if (successor === undefined) forgetRoom(database, conversationId)
  return { ...posted, files }
}

/** That somebody is not in a room says nothing of it; a direct conversation of theirs is no room, and stays. */
function requireNoDirect(database: Database, conversationId: bigint, accountId: bigint): void {
  const row = database
    .prepare('select 1 from member where conversation_id = :conversationId and account_id = :accountId')
    .row({ conversationId, accountId })
  if (row !== undefined) throw new SealwireError('not_found', 'there is no such room')
}

/** An invitation. Only the other devices of the account hear of it besides the members. */
function turnDown(database: Database, input: Input<'room.leave'>, { since }: RoomStanding, limits: StoreLimits): Posted {
  const { accountId: peerId, conversationId, at } = input
  deleteMember(database, conversationId, peerId)
  rememberInvited(database, { conversationId, peerId, since, at })
  const alsoTo = hasOtherDevice(database, input) ? [input.accountId] : []
  return postChange(database, input, { kind: 'member', said: { what: 'declined' }, alsoTo }, limits)
}

/** The moderator, else the member, who has been there longest; undefined when nobody would be left. */
function successorOf(database: Database, conversationId: bigint, accountId: bigint): Row | undefined {
  return database
    .prepare(
      `select id, name from member join account on account.id = account_id
       where conversation_id = :conversationId and account_id <> :accountId and invited = 0
       order by role = 'owner' desc, role = 'moderator' desc, since, id limit 1`,
    )
    .row({ conversationId, accountId })
}

/** Who has not joined hears nothing of it: there they are told of an invitation once a day, and that was it. */
function removeMember(database: Database, input: Input<'room.remove'>, limits: StoreLimits): Posted {
  const { accountId, conversationId, peerId } = input
  const { role, lastSeq } = requireJoined(database, conversationId, accountId)
  const repeated = repeatedChange(database, input, (before) => before.kind === 'member' && before.posted.conversationId === conversationId)
  if (repeated !== undefined) return repeated
  const peer = standingOf(database, conversationId, peerId)
  if (peer === undefined) return unchanged(conversationId, lastSeq, input.at)
  requirePermission(mayRemove(role, peer.role))
  const posted = postChange(database, input, { kind: 'member', said: { what: 'removed', about: peer.account.name } }, limits)
  deleteMember(database, conversationId, peerId)
  forgetUnseen(database, conversationId, peerId)
  if (peer.state === 'joined') voidLink(database, conversationId)
  else rememberInvited(database, { conversationId, peerId, since: peer.since, at: input.at })
  return posted
}

function giveRole(database: Database, input: Input<'room.role'>, limits: StoreLimits): Posted {
  const { accountId, conversationId, peerId, role } = input
  const own = requireJoined(database, conversationId, accountId)
  const peer = standingOf(database, conversationId, peerId)
  if (peer === undefined) throw noMember()
  const said = { what: 'role', about: peer.account.name, role }
  const repeated = repeatedChange(
    database,
    input,
    (before) => before.kind === 'member' && before.posted.conversationId === conversationId && says(before, said),
  )
  if (repeated !== undefined) return repeated
  if (peer.state === 'joined' && peer.role === role) return unchanged(conversationId, own.lastSeq, peer.since)
  // An owner makes another one owner; a room without one there is not.
  requirePermission(mayGiveRole(own.role) && peerId !== accountId)
  if (peer.state !== 'joined') throw noMember()
  requireMayChange(database, accountId, said, limits)
  if (role === 'owner') {
    requireMayOwn(database, peerId, limits)
    setRole(database, conversationId, accountId, 'moderator')
  }
  if (!mayManage(role)) voidLink(database, conversationId)
  setRole(database, conversationId, peerId, role)
  return postChange(database, input, { kind: 'member', said }, limits)
}

function readMembers(
  database: Database,
  { accountId, conversationId, after, max }: Input<'room.members'>,
): readonly MemberRow[] | undefined {
  if (standingOf(database, conversationId, accountId)?.state !== 'joined') return undefined
  const statement = database.prepare(
    `select account.id, key, name, role, since, invited
     from (select account_id, role, since, invited from member where conversation_id = :conversationId
           union all select account_id, 'member', since, 1 from unseen_invitation where conversation_id = :conversationId and since >= 0) as there
     join account on account.id = there.account_id
     where key > :after order by key limit :max`,
  )
  return statement.rows({ conversationId, after, max }).map(memberOf)
}

function memberOf(row: Row): MemberRow {
  return {
    account: { id: integer(row, 'id'), key: text(row, 'key'), name: text(row, 'name') },
    role: text(row, 'role') as MemberRow['role'],
    since: integer(row, 'since'),
    invited: integer(row, 'invited') === 1n,
  }
}

function noMember(): SealwireError {
  return new SealwireError('not_found', 'there is no such member')
}

function deleteMember(database: Database, conversationId: bigint, accountId: bigint): void {
  database
    .prepare('delete from member where conversation_id = :conversationId and account_id = :accountId')
    .run({ conversationId, accountId })
}

function setRole(database: Database, conversationId: bigint, accountId: bigint, role: MemberRow['role']): void {
  database
    .prepare('update member set role = :role where conversation_id = :conversationId and account_id = :accountId')
    .run({ conversationId, accountId, role })
}

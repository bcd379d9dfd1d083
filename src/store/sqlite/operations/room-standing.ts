// Where somebody stands in a room.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Role } from '../../delivery.ts'
import type { Person } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'

/** A room, and what an account is in it. */
export interface RoomStanding {
  readonly id: bigint
  readonly lastSeq: bigint
  readonly account: Person
  readonly role: Role
  readonly since: bigint
  /** `unseen`: by somebody whom they block. */
  readonly state: 'joined' | 'invited' | 'unseen'
}

/** Somebody in a room, invited ones too; undefined when they have nothing to do with it. */
export function standingOf(database: Database, conversationId: bigint, accountId: bigint): RoomStanding | undefined {
  const row = database
    .prepare(
      `select conversation.id as room_id, last_seq, account.id, key, name, role, since, iif(invited, 'invited', 'joined') as standing
       from conversation join member on member.conversation_id = conversation.id join account on account.id = member.account_id
       where conversation.id = :conversationId and kind = 'room' and member.account_id = :accountId
       union all
       select conversation.id, last_seq, account.id, key, name, 'member', since, 'unseen'
       from conversation join unseen_invitation as unseen on unseen.conversation_id = conversation.id
       join account on account.id = unseen.account_id
       where conversation.id = :conversationId and unseen.account_id = :accountId and unseen.since >= 0`,
    )
    .row({ conversationId, accountId })
  return row && roomStandingOf(row)
}

/**
 * The same of somebody who is in it.
 * @throws {SealwireError} `not_found` when they are not: what is not theirs is not there for them.
 */
export function requireJoined(database: Database, conversationId: bigint, accountId: bigint): RoomStanding {
  const standing = standingOf(database, conversationId, accountId)
  if (standing?.state !== 'joined') throw new SealwireError('not_found', 'there is no such room')
  return standing
}

/** @throws {SealwireError} `not_permitted`. */
export function requirePermission(isPermitted: boolean): void {
  if (!isPermitted) throw new SealwireError('not_permitted', 'the account may not do that there')
}

function roomStandingOf(row: Row): RoomStanding {
  return {
    id: integer(row, 'room_id'),
    lastSeq: integer(row, 'last_seq'),
    account: { id: integer(row, 'id'), key: text(row, 'key'), name: text(row, 'name') },
    // The columns have checks of their own.
    role: text(row, 'role') as Role,
    since: integer(row, 'since'),
    state: text(row, 'standing') as RoomStanding['state'],
  }
}

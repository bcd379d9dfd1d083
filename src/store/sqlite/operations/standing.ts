// What an account is in a conversation, and in a direct one how much waits for the other one: all that decides about a new
// entry, read with one statement.

import type { Standing as Permissions } from '../../../domain/permissions.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Role } from '../../delivery.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'
import { othersColumn, type Place, peerColumn, placeOf } from './post.ts'

/** An account that is in a conversation. */
export interface Standing extends Permissions, Place {
  readonly kind: Place['kind']
  readonly conversationId: bigint
  /** The first entry it may see. */
  readonly firstSeq: bigint
  /** Direct: whether they talk. */
  readonly isAccepted: boolean
  /** Direct: the other one, when they block the account. */
  readonly blockerId: bigint | undefined
  /** Direct: what no device of the other one has stored; of this conversation, and of all. */
  readonly waiting: bigint
  readonly waitingInAll: bigint
  readonly bytesInAll: bigint
  /** Bytes of what the account said, here and elsewhere, that are kept. */
  readonly saidBytes: bigint
}

/** Which conversation, and from which device. */
export interface Whereabouts {
  readonly conversationId?: bigint | undefined
  readonly peerId?: bigint | undefined
  readonly device?: string | undefined
}

/** By the number of the conversation, or by the other account. Undefined when the account is not in it. */
export function findStanding(database: Database, accountId: bigint, { conversationId, peerId, device }: Whereabouts): Standing | undefined {
  const of = { accountId, device: device ?? null }
  const row =
    conversationId === undefined
      ? database.prepare(byPeer).row({ ...of, peerId: peerId ?? accountId })
      : database.prepare(byNumber).row({ ...of, conversationId })
  return row && standingOf(row)
}

/** @throws {SealwireError} `not_contact` where not both have agreed to talk. */
export function requireAccepted({ isAccepted }: Pick<Standing, 'isAccepted'>): void {
  if (!isAccepted) throw new SealwireError('not_contact', 'they have not agreed to talk', { hint: 'ask them first' })
}

/** How much waits for the other one of a direct conversation. */
export type Waiting = Pick<Standing, 'waiting' | 'waitingInAll' | 'bytesInAll'>

/** @throws {SealwireError} `quota_exceeded` when so many bytes more are too many for the other one of a direct conversation. */
export function requireRoomFor(size: bigint, standing: Standing, limits: StoreLimits): void {
  if (standing.kind === 'room' || hasRoomFor(size, standing, limits)) return
  throw new SealwireError('quota_exceeded', 'too much waits for the other one', { hint: 'try again when they were here' })
}

export function hasRoomFor(size: bigint, { waiting, waitingInAll, bytesInAll }: Waiting, limits: StoreLimits): boolean {
  return (
    waiting < BigInt(limits.inboxEntriesPerSenderMax) &&
    waitingInAll < BigInt(limits.inboxEntriesMax) &&
    bytesInAll + size <= BigInt(limits.inboxBytesMax)
  )
}

function standingOf(row: Row): Standing {
  const blockerId = row['blocker_id']
  return {
    ...placeOf(row),
    conversationId: integer(row, 'id'),
    announcement: integer(row, 'announcement') === 1n,
    // The column has a check of its own.
    role: text(row, 'role') as Role,
    firstSeq: integer(row, 'first_seq'),
    isAccepted: row['state'] === 'accepted',
    blockerId: typeof blockerId === 'bigint' ? blockerId : undefined,
    waiting: integer(row, 'waiting'),
    waitingInAll: integer(row, 'waiting_in_all'),
    bytesInAll: integer(row, 'bytes_in_all'),
    saidBytes: integer(row, 'said_bytes'),
  }
}

const select =
  `select conversation.id, conversation.kind, state, announcement, conversation.last_seq, ${peerColumn}, ${othersColumn}, self.role, self.first_seq, block.account_id as blocker_id,
    coalesce(other.waiting, 0) as waiting, coalesce(inbox.last_seq - inbox.stored_seq, 0) as waiting_in_all,
    coalesce(inbox.bytes - inbox.stored_bytes, 0) as bytes_in_all, coalesce(own.said_bytes, 0) as said_bytes
  from conversation
  join member as self on self.conversation_id = conversation.id and self.account_id = :accountId and self.invited = 0
  left join member as other on other.conversation_id = conversation.id and other.account_id = low + high - :accountId
  left join inbox on inbox.account_id = other.account_id
  left join inbox as own on own.account_id = :accountId
  left join block on block.account_id = other.account_id and block.blocked_id = :accountId` as const
const byNumber = `${select} where conversation.id = :conversationId` as const
const byPeer = `${select} where low = min(:accountId, :peerId) and high = max(:accountId, :peerId)` as const

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
  /** The account has posted something under this id, here or elsewhere. */
  readonly isRepeated: boolean
}

/** Which conversation, from which device, and under which id. */
export interface Whereabouts {
  readonly id?: Uint8Array | undefined
  readonly conversationId?: bigint | undefined
  readonly peerId?: bigint | undefined
  readonly device?: string | undefined
}

/** By the number of the conversation, or by the other account. Undefined when the account is not in it. */
export function findStanding(
  database: Database,
  accountId: bigint,
  { conversationId, peerId, device, id }: Whereabouts,
): Standing | undefined {
  const of = { accountId, device: device ?? null, id: id ?? null }
  const row =
    conversationId === undefined
      ? database.prepare(byPeer).row({ ...of, peerId: peerId ?? accountId })
      : database.prepare(byNumber).row({ ...of, conversationId })
  return row && standingOf(row)
}

/** @throws {SealwireError} `quota_exceeded` when so many bytes more are too many for the other one of a direct conversation. */
export function requireRoomFor(size: bigint, standing: Standing, limits: StoreLimits): void {
  if (standing.kind === 'room') return
  const isFull =
    standing.waiting >= BigInt(limits.inboxEntriesPerSenderMax) ||
    standing.waitingInAll >= BigInt(limits.inboxEntriesMax) ||
    standing.bytesInAll + size > BigInt(limits.inboxBytesMax)
  if (isFull) throw new SealwireError('quota_exceeded', 'too much waits for the other one', { hint: 'try again when they were here' })
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
    isRepeated: row['known_key'] !== null,
  }
}

const select =
  `select conversation.id, conversation.kind, state, announcement, conversation.last_seq, ${peerColumn}, ${othersColumn}, self.role, self.first_seq, block.account_id as blocker_id,
    coalesce(other.waiting, 0) as waiting, coalesce(inbox.last_seq - stored_seq, 0) as waiting_in_all,
    coalesce(bytes - stored_bytes, 0) as bytes_in_all, known.key as known_key
  from conversation
  join member as self on self.conversation_id = conversation.id and self.account_id = :accountId and self.invited = 0
  left join member as other on other.conversation_id = conversation.id and other.account_id = low + high - :accountId
  left join inbox on inbox.account_id = other.account_id
  left join block on block.account_id = other.account_id and block.blocked_id = :accountId
  left join entry as known on known.author_id = :accountId and known.id = :id` as const
const byNumber = `${select} where conversation.id = :conversationId` as const
const byPeer = `${select} where low = min(:accountId, :peerId) and high = max(:accountId, :peerId)` as const

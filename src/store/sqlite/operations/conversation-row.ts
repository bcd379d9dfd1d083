// A conversation as one account sees it.

import type { ConversationRow, HistoryPolicy, Role } from '../../delivery.ts'
import { integer, optionalInteger, optionalText, type Row, text } from '../statement.ts'

/**
 * `self.account_id = :accountId` must follow. Who blocks somebody does not see what they ask, and shows them nothing of what they
 * read since: at most what was delivered before, see `moveDelivered`.
 */
export const conversationSelect = `select conversation.id, kind, state, by_id, title, topic, announcement, history, last_seq, retention_ms,
    self.role, self.invited, self.first_seq, self.read_seq, account.id as peer_id, account.key as peer_key, account.name as peer_name,
    other.delivered_seq as peer_delivered_seq,
    iif(exists (select 1 from block where block.account_id = other.account_id and block.blocked_id = :accountId),
      min(other.read_seq, other.delivered_seq), other.read_seq) as peer_read_seq,
    (select count(*) from member as each where each.conversation_id = conversation.id and each.invited = 0) as members
  from member as self
  join conversation on conversation.id = self.conversation_id and state <> 'new' and (state = 'accepted' or by_id = :accountId
    or not exists (select 1 from block where block.account_id = :accountId and block.blocked_id = by_id))
  left join member as other on other.conversation_id = conversation.id and other.account_id = low + high - :accountId
  left join account on account.id = other.account_id`

export function conversationRowOf(row: Row, accountId: bigint): ConversationRow {
  const kind = text(row, 'kind') === 'room' ? 'room' : 'direct'
  return {
    id: integer(row, 'id'),
    kind,
    peer: kind === 'room' ? undefined : { id: integer(row, 'peer_id'), key: text(row, 'peer_key'), name: text(row, 'peer_name') },
    title: optionalText(row, 'title'),
    topic: optionalText(row, 'topic'),
    announcement: integer(row, 'announcement') === 1n,
    // These columns have checks of their own.
    history: text(row, 'history') as HistoryPolicy,
    role: text(row, 'role') as Role,
    state: stateOf(row, accountId),
    members: integer(row, 'members'),
    lastSeq: integer(row, 'last_seq'),
    firstSeq: integer(row, 'first_seq'),
    readSeq: integer(row, 'read_seq'),
    peerDeliveredSeq: optionalInteger(row, 'peer_delivered_seq') ?? 0n,
    peerReadSeq: optionalInteger(row, 'peer_read_seq') ?? 0n,
    retentionMs: optionalInteger(row, 'retention_ms'),
  }
}

function stateOf(row: Row, accountId: bigint): ConversationRow['state'] {
  if (integer(row, 'invited') === 1n) return 'invited'
  const state = text(row, 'state')
  if (state === 'requested') return integer(row, 'by_id') === accountId ? 'asked' : 'asking'
  return state === 'declined' ? 'declined' : 'accepted'
}

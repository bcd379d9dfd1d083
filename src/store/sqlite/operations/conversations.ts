// Conversations as one account sees them, how far it has read, and how long what is said there stays.

import { mayRetain } from '../../../domain/permissions.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { ConversationRow, Expired } from '../../delivery.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer } from '../statement.ts'
import { conversationRowOf, conversationSelect } from './conversation-row.ts'
import { eraseOlder } from './retention.ts'
import { settleInbox } from './inboxes.ts'
import { findStanding, requireAccepted } from './standing.ts'
import type { StepsOf } from './step.ts'
import { nothingFreed, sumOf } from './erase.ts'

export const conversationSteps: StepsOf<'conversation' | 'mark'> = {
  'conversation.list': { kind: 'read', run: listConversations },
  'conversation.find': { kind: 'read', run: findConversation },
  'conversation.members': { kind: 'read', run: listMembers },
  'conversation.retain': { kind: 'write', run: retain },
  'conversation.expire': { kind: 'write', run: expire },
  'mark.read': { kind: 'write', run: markRead },
}

function listConversations(database: Database, { accountId, after, max }: Input<'conversation.list'>): readonly ConversationRow[] {
  const statement = database.prepare(
    `${conversationSelect} where self.account_id = :accountId and self.conversation_id > :after order by self.conversation_id`,
  )
  return statement.rowsWhile({ accountId, after }, (_, index) => index < Number(max)).map((row) => conversationRowOf(row, accountId))
}

function findConversation(database: Database, { accountId, id, peerId }: Input<'conversation.find'>): ConversationRow | undefined {
  const row =
    id === undefined
      ? database
          .prepare(
            `${conversationSelect} where self.account_id = :accountId
             and conversation.low = min(:accountId, :peerId) and conversation.high = max(:accountId, :peerId)`,
          )
          .row({ accountId, peerId: peerId ?? null })
      : database.prepare(`${conversationSelect} where self.account_id = :accountId and self.conversation_id = :id`).row({ accountId, id })
  return row && conversationRowOf(row, accountId)
}

function listMembers(database: Database, { accountId, id }: Input<'conversation.members'>): readonly bigint[] | undefined {
  const rows = database.prepare('select account_id from member where conversation_id = :id and invited = 0').rows({ id })
  const ids = rows.map((row) => integer(row, 'account_id'))
  return ids.includes(accountId) ? ids : undefined
}

function retain(database: Database, { accountId, id, retentionMs, at, max }: Input<'conversation.retain'>): Expired {
  const standing = findStanding(database, accountId, { conversationId: id })
  if (standing === undefined) throw new SealwireError('not_found', 'there is no such conversation')
  requireAccepted(standing)
  if (!mayRetain(standing)) throw new SealwireError('not_permitted', 'the account may not do this here')
  // What who blocks the account has there stays theirs, and so does how long.
  if (standing.blockerId !== undefined) return { ...nothingFreed, more: false }
  database.prepare('update conversation set retention_ms = :retentionMs where id = :id').run({ id, retentionMs: retentionMs ?? null })
  return eraseOlder(database, id, at, max)
}

function expire(database: Database, { at, max }: Input<'conversation.expire'>): Expired {
  const rows = database.prepare('select id from conversation where expire_at <= :at order by expire_at limit :max').rows({ at, max })
  let freed: Expired = { ...nothingFreed, more: BigInt(rows.length) >= max }
  for (const row of rows) {
    if (freed.entries >= max) return { ...freed, more: true }
    const expired = eraseOlder(database, integer(row, 'id'), at, max - freed.entries)
    freed = { ...sumOf([freed, expired]), more: freed.more || expired.more }
  }
  return freed
}

function markRead(
  database: Database,
  { accountId, conversationId, seq, settles = false }: Input<'mark.read'>,
  limits: StoreLimits,
): Output<'mark.read'> {
  const row = database
    .prepare(
      `select read_seq, last_seq from member join conversation on conversation.id = member.conversation_id
       where conversation_id = :conversationId and account_id = :accountId and invited = 0`,
    )
    .row({ conversationId, accountId })
  if (row === undefined) return undefined
  const [before, last] = [integer(row, 'read_seq'), integer(row, 'last_seq')]
  const readSeq = seq < last ? seq : last
  if (settles) settleInbox(database, accountId, { conversationId, seq: readSeq }, limits)
  if (readSeq <= before) return { readSeq: before, changed: false }
  database
    .prepare('update member set read_seq = :readSeq where conversation_id = :conversationId and account_id = :accountId')
    .run({ readSeq, conversationId, accountId })
  return { readSeq, changed: true }
}

// Who was invited to a room and is not any more, without having joined. They hear of an invitation once a day: taking it back and
// inviting again tells them nothing. It is kept with the unseen invitations, under the complement of its time, which is negative.

import { limitTable } from '../../../protocol/limits.ts'
import type { Database } from '../database.ts'
import { integer } from '../statement.ts'

const dayMs = BigInt(limitTable.roomInvitedAgainMs.value)

/** An invitation of `since` is taken back or turned down. What is older than a day is forgotten. */
export function rememberInvited(
  database: Database,
  {
    conversationId,
    peerId,
    since,
    at,
  }: { readonly conversationId: bigint; readonly peerId: bigint; readonly since: bigint; readonly at: bigint },
): void {
  database
    .prepare('delete from unseen_invitation where conversation_id = :conversationId and since < 0 and ~since <= :before')
    .run({ conversationId, before: at - dayMs })
  database
    .prepare('insert into unseen_invitation (conversation_id, account_id, since) values (:conversationId, :peerId, ~:since)')
    .run({ conversationId, peerId, since })
}

/** When they were told of an invitation, if that is less than a day ago; it is not remembered any more. */
export function takeInvitedBefore(
  database: Database,
  { conversationId, peerId, at }: { readonly conversationId: bigint; readonly peerId: bigint; readonly at: bigint },
): bigint | undefined {
  const row = database
    .prepare(
      `delete from unseen_invitation where conversation_id = :conversationId and account_id = :peerId and since < 0
       returning ~since as since`,
    )
    .row({ conversationId, peerId })
  const since = row && integer(row, 'since')
  return since !== undefined && since > at - dayMs ? since : undefined
}

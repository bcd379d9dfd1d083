// Deletes a room whose last member is about to leave. Its entries stay as places without content: inboxes have no gaps, and what
// comes once more under an old id repeats nothing. Words leave the index one message at a time, so a long conversation goes in
// pieces: what is left of it expires like what is older than it is kept (`conversation.expire`), and nobody can see it meanwhile.

import { limitTable } from '../../../protocol/limits.ts'
import type { Database } from '../database.ts'
import { blob } from '../statement.ts'
import { eraseOlder } from './retention.ts'

/** What is deleted of a room at once, in entries: about 0.1 s. */
const eraseAtOnceMax = BigInt(limitTable.roomErasedAtOnceMax.value)

/** Before the entry that says who left. Answers the files that are gone with it. */
export function eraseRoom(database: Database, conversationId: bigint, at: bigint): readonly Uint8Array[] {
  const room = { conversationId }
  database
    .prepare("update conversation set title = '', topic = '', link_hash = null, retention_ms = 1 where id = :conversationId")
    .run(room)
  // Everything up to now is old.
  eraseOlder(database, conversationId, at + 1n, eraseAtOnceMax)
  database.prepare('delete from member where conversation_id = :conversationId and invited = 1').run(room)
  database.prepare('delete from unseen_invitation where conversation_id = :conversationId').run(room)
  const statement = database.prepare('delete from file where conversation_id = :conversationId returning id')
  return statement.rows(room).map((row) => blob(row, 'id'))
}

/** After that entry: forgets the room if nothing of it is left. */
export function forgetRoom(database: Database, conversationId: bigint): void {
  database.prepare('delete from conversation where id = :conversationId and expired_seq = last_seq - 1').run({ conversationId })
}

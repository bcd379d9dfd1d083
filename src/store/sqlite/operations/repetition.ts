// Whether what comes with an id that is known is what came first. Compared is what is still there: a body that was edited or
// deleted since cannot be, and what was repeated then is the original.

import { SealwireError } from '../../../protocol/errors.ts'
import type { NewEntry } from '../../delivery.ts'
import type { Database } from '../database.ts'
import { optionalBlob, optionalText } from '../statement.ts'
import { keyOf } from './entry-key.ts'
import type { Repetition } from './post.ts'
import { sameBytes } from '../../../protocol/same-bytes.ts'

/**
 * `place`: the conversation that the new one names; undefined when there is none that the account is in. Who has left a room
 * since is still told what became of their message there.
 * @throws {SealwireError} `conflict` when it is something else.
 */
export function requireSame(
  database: Database,
  entry: NewEntry,
  known: Repetition,
  place: { readonly conversationId: bigint } | undefined,
): void {
  const conversationId = place?.conversationId ?? entry.conversationId
  const isSame =
    (conversationId === undefined || conversationId === known.posted.conversationId) &&
    entry.kind === known.kind &&
    entry.target === known.target &&
    hasSameContent(database, entry, known)
  if (!isSame) throw new SealwireError('conflict', 'the id stands for something else', { hint: 'make a new id for a new message' })
}

function hasSameContent(database: Database, entry: NewEntry, known: Repetition): boolean {
  if (known.isDeleted) return true
  if (!sameBytes(entry.data, known.data) || !sameBytes(entry.file, known.file)) return false
  const content = contentOf(database, known)
  return content === undefined || (entry.type === content.type && sameBytes(entry.body, content.body))
}

/** What was said, if it is still there; undefined when something else took its place. */
function contentOf(database: Database, known: Repetition): Pick<NewEntry, 'type' | 'body'> | undefined {
  if (known.kind === 'edit') return editOf(database, known)
  return known.isChanged ? undefined : known
}

/** What an edit made of its target, if it was the last one and touched it: see `change` for what one who is blocked edits. */
function editOf(database: Database, { key, target = 0n, posted }: Repetition): Pick<NewEntry, 'type' | 'body'> | undefined {
  const row = database
    .prepare(
      `select type, body from entry where key = :target and deleted_at is null
       and hidden_from is (select hidden_from from entry as edit where edit.key = :key)
       and not exists (select 1 from entry as later where later.target = :target and later.kind = 'edit' and later.key > :key)`,
    )
    .row({ target: keyOf(posted.conversationId, target), key })
  return row && { type: optionalText(row, 'type'), body: optionalBlob(row, 'body') }
}

// An entry as SQLite keeps it. An edit has no body: what it made of its target is the target's.

import { entryKinds } from '../../../protocol/contract/entry.ts'
import { assert } from '../../../protocol/errors.ts'
import type { EntryKind, StoredEntry } from '../../delivery.ts'
import { blob, integer, optionalBlob, optionalInteger, optionalText, type Row, text } from '../statement.ts'
import { conversationOf, seqOf } from './entry-key.ts'

/** What {@link entryOf} wants of a row of {@link entryTables}. */
export const entryColumns = `entry.key, entry.kind, entry.id, entry.author_id, account.name as author, entry.device, entry.at,
  iif(entry.kind = 'edit', about.type, entry.type) as type, iif(entry.kind = 'edit', about.body, entry.body) as body,
  entry.target, entry.data, entry.edited_at, coalesce(entry.deleted_at, iif(entry.kind = 'edit', about.deleted_at, null)) as deleted_at`

/** What an entry is put together from; stands behind `from` or `join`. */
export const entryTables = `entry join account on account.id = entry.author_id
  left join entry as about on about.key = iif(entry.kind = 'edit', entry.target, null)`

/** A row may say with `wordless` that its reader may not see what it says. */
export function entryOf(row: Row): StoredEntry {
  const key = integer(row, 'key')
  const isWordless = row['wordless'] === 1n
  const target = optionalInteger(row, 'target')
  return {
    conversationId: conversationOf(key),
    seq: seqOf(key),
    kind: kindOf(text(row, 'kind')),
    id: blob(row, 'id'),
    authorId: integer(row, 'author_id'),
    author: text(row, 'author'),
    device: optionalText(row, 'device'),
    at: integer(row, 'at'),
    type: isWordless ? undefined : optionalText(row, 'type'),
    body: isWordless ? undefined : optionalBlob(row, 'body'),
    target: target === undefined ? undefined : seqOf(target),
    data: optionalBlob(row, 'data'),
    editedAt: optionalInteger(row, 'edited_at'),
    deletedAt: optionalInteger(row, 'deleted_at'),
  }
}

/** About how many bytes it is on the wire, without its envelope. */
export function bytesOf(row: Row): bigint {
  const lengths = ['body', 'data'].map((column) => optionalBlob(row, column)?.length ?? 0)
  return BigInt(lengths.reduce((sum, length) => sum + length, 0))
}

function kindOf(value: string): EntryKind {
  assert(kinds.has(value), 'an entry of no kind')
  return value as EntryKind
}

const kinds: ReadonlySet<string> = new Set(entryKinds)

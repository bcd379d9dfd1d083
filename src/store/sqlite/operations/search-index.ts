// What is in the index of words, and how it gets out of it. A message is in the index when its place is at most its
// conversation's `indexed_seq` and it has text. The index keeps no text of its own: to forget a message it must be told exactly
// what it was given, so `unindex` comes before a body is changed or deleted, and never after.

import type { Database } from '../database.ts'

/** Takes a message out of the index, if it is there. Call it while the entry still has its old type and body. */
export function unindex(database: Database, key: bigint): void {
  database
    .prepare(
      `insert into search (search, rowid, text)
       select 'delete', key, cast(body as text) from entry join conversation on conversation.id = key >> 32
       where key = :key and key & 4294967295 <= indexed_seq and ${isText}`,
    )
    .run({ key })
}

/** Puts a message whose body was changed into the index again; one whose turn has not come yet waits for it. */
export function reindex(database: Database, key: bigint): void {
  database
    .prepare(
      `insert into search (rowid, text)
       select key, cast(body as text) from entry join conversation on conversation.id = key >> 32
       where key = :key and key & 4294967295 <= indexed_seq and ${isText}`,
    )
    .run({ key })
}

/** Puts the messages with these keys into the index. */
export function indexKeys(database: Database, first: bigint, last: bigint): void {
  database
    .prepare(`insert into search (rowid, text) select key, cast(body as text) from entry where key between :first and :last and ${isText}`)
    .run({ first, last })
}

/** What has words. Bytes that are no UTF-8 are in none of them. */
const isText = "entry.kind = 'message' and body is not null and type like 'text/%'"

// What is in the index of words, and how it gets out of it. A message is in the index when its place is at most its
// conversation's `indexed_seq` and it has text. The index keeps no text of its own: to forget a message it must be told exactly
// what it was given, so `unindex` comes before a body is changed or deleted, and never after.

import type { Database } from '../database.ts'
import { blob, optionalText, type Row } from '../statement.ts'

/** Takes a message out of the index, if it is there. Call it while the entry still has its old type and body. */
export function unindex(database: Database, key: bigint): void {
  const text = indexedText(database, key)
  if (text === undefined) return
  database.prepare("insert into search (search, rowid, text) values ('delete', :key, :text)").run({ key, text })
}

/** Puts a message whose body was changed into the index again; one whose turn has not come yet waits for it. */
export function reindex(database: Database, key: bigint): void {
  const text = indexedText(database, key)
  if (text !== undefined) addText(database, key, text)
}

export function addText(database: Database, key: bigint, text: string): void {
  database.prepare('insert into search (rowid, text) values (:key, :text)').run({ key, text })
}

/** The text of a message with `kind`, `type` and `body`; undefined when there is none, or none that is text. */
export function textOf(row: Row): string | undefined {
  const type = optionalText(row, 'type')
  if (row['kind'] !== 'message' || row['body'] === null || type === undefined || !/^text\//i.test(type)) return undefined
  try {
    return utf8.decode(blob(row, 'body'))
  } catch {
    return undefined
  }
}

/** Undefined also when its place has not been indexed yet. */
function indexedText(database: Database, key: bigint): string | undefined {
  const row = database
    .prepare(
      `select entry.kind, entry.type, entry.body from entry join conversation on conversation.id = entry.key >> 32
       where entry.key = :key and entry.key & 4294967295 <= indexed_seq`,
    )
    .row({ key })
  return row && textOf(row)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

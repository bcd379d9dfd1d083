// Deletes what was said: of an entry only who, on which device, when and where stay. Also its words in the index, its pin, the
// reactions to it and its file go. The pages that it was on are overwritten (secure_delete), and after the commit the log too.

import type { Freed } from '../../delivery.ts'
import type { Database } from '../database.ts'
import { integer, optionalBlob, type Row } from '../statement.ts'
import { countSaid } from './said-bytes.ts'
import { unindex } from './search-index.ts'

/** Nothing was deleted. */
export const nothingFreed: Freed = { entries: 0n, bytes: 0n, files: [] }

/** What the deletion of one entry has freed, with how many reactions went along: they are the work of it. */
export interface Erased extends Freed {
  readonly reactions: number
}

/** Deletes one entry that is not deleted yet. */
export function eraseEntry(database: Database, key: bigint, at: bigint): Erased {
  database.eraseAfterCommit()
  unindex(database, key)
  const row = database.prepare(`select author_id, ${sizeColumn}, file from entry where key = :key`).row({ key }) ?? {}
  const reactions = database
    .prepare(
      `select author_id, count(*) as entries, sum(coalesce(length(data), 0)) as size from entry
       where target = :key and kind = 'reaction' and deleted_at is null group by author_id`,
    )
    .rows({ key })
  const file = eraseFile(database, optionalBlob(row, 'file'))
  database
    .prepare('update entry set type = null, body = null, data = null, file = null, deleted_at = :at where key = :key')
    .run({ key, at })
  if (reactions.length > 0) {
    database
      .prepare("update entry set data = null, deleted_at = :at where target = :key and kind = 'reaction' and deleted_at is null")
      .run({ key, at })
  }
  database.prepare('delete from pin where key = :key').run({ key })
  for (const each of [row, ...reactions]) countSaid(database, integer(each, 'author_id'), -integer(each, 'size'))
  const bytes = [row, ...reactions].reduce((sum, each) => sum + integer(each, 'size'), 0n)
  const count = reactions.reduce((sum, each) => sum + Number(integer(each, 'entries')), 0)
  return { ...sumOf([{ entries: 1n, bytes, files: [] }, file]), reactions: count }
}

/** Adds up. */
export function sumOf(freed: readonly Freed[]): Freed {
  return freed.reduce(
    (sum, { entries, bytes, files }) => ({
      entries: sum.entries + entries,
      bytes: sum.bytes + bytes,
      files: files.length === 0 ? sum.files : [...sum.files, ...files],
    }),
    nothingFreed,
  )
}

/** Forgets a file, which was sent with one message only. */
function eraseFile(database: Database, id: Uint8Array | undefined): Freed {
  if (id === undefined) return nothingFreed
  const row: Row | undefined = database.prepare('delete from file where id = :id returning size').row({ id })
  return row === undefined ? nothingFreed : { entries: 0n, bytes: integer(row, 'size'), files: [id] }
}

const sizeColumn = 'coalesce(length(body), 0) + coalesce(length(data), 0) as size'

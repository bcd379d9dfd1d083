// How long what is said stays. A conversation that keeps it for a while knows when the next of it is to be deleted, so that
// looking for what is due reads nothing else.

import type { Expired, Freed } from '../../delivery.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { keyOf, seqEnd, seqOf } from './entry-key.ts'
import { type Erased, eraseEntry, nothingFreed, sumOf } from './erase.ts'

/** Deletes what is older than its conversation keeps it: at most `max` entries, and says when there is more to be deleted. */
export function eraseOlder(database: Database, id: bigint, at: bigint, max: bigint): Expired {
  const row = database.prepare('select retention_ms, expired_seq from conversation where id = :id').row({ id }) ?? {}
  const retentionMs = optionalInteger(row, 'retention_ms')
  if (retentionMs === undefined) return neverExpire(database, id)
  const before = at - retentionMs
  const { freed, last, more } = expireEntries(database, olderThan(database, id, integer(row, 'expired_seq'), before, max), at, max)
  const expiredSeq = last === undefined ? integer(row, 'expired_seq') : seqOf(integer(last, 'key'))
  database
    .prepare(
      `update conversation set expired_seq = :expiredSeq,
         expire_at = (select entry.at + retention_ms from entry where entry.key > :from and entry.key < :to order by entry.key limit 1)
       where id = :id`,
    )
    .run({ id, expiredSeq, from: keyOf(id, expiredSeq), to: keyOf(id, seqEnd) })
  return { ...freed, more }
}

/** One after the other, until that is as much work as `max` entries are: reactions go with their message. */
function expireEntries(
  database: Database,
  entries: readonly Row[],
  at: bigint,
  max: bigint,
): { readonly freed: Freed; readonly last: Row | undefined; readonly more: boolean } {
  const freed: Freed[] = []
  let work = 0
  for (const [index, entry] of entries.entries()) {
    const erased = expireEntry(database, entry, at)
    freed.push(erased)
    work += 1 + erased.reactions
    if (work >= Number(max)) return { freed: sumOf(freed), last: entry, more: index + 1 < entries.length || BigInt(entries.length) >= max }
  }
  return { freed: sumOf(freed), last: entries.at(-1), more: false }
}

/** What is deleted already is not counted. */
function expireEntry(database: Database, entry: Row, at: bigint): Erased {
  return entry['deleted_at'] === null ? eraseEntry(database, integer(entry, 'key'), at) : { ...nothingFreed, reactions: 0 }
}

/** In their order, up to the first that is not older. */
function olderThan(database: Database, id: bigint, expiredSeq: bigint, before: bigint, max: bigint): readonly Row[] {
  return database
    .prepare('select key, at, deleted_at from entry where key > :from and key < :to order by key')
    .rowsWhile({ from: keyOf(id, expiredSeq), to: keyOf(id, seqEnd) }, (row, index) => index < Number(max) && integer(row, 'at') <= before)
}

function neverExpire(database: Database, id: bigint): Expired {
  database.prepare('update conversation set expire_at = null where id = :id').run({ id })
  return { ...nothingFreed, more: false }
}

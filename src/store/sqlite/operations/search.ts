// Finding messages by their words. The index is filled after messages were acknowledged, each conversation in its order, so that
// what is in it is everything up to some place. What nobody says often is asked for at once. What many say is asked for in one
// conversation of the account after the other, the liveliest first, until the rest can only be older: so what it costs depends
// on what the account may see, not on what everybody else says.

import type { StoredEntry } from '../../delivery.ts'
import type { Input, Output } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { sizeIn } from './change.ts'
import { keyOf, seqEnd, seqOf } from './entry-key.ts'
import { bytesOf, entryColumns, entryOf, entryTables } from './entry-row.ts'
import { addText, textOf } from './search-index.ts'
import { searchQuery } from './search-query.ts'
import type { StepsOf } from './step.ts'

export const searchSteps: StepsOf<'search'> = {
  'search.index': { kind: 'write', run: fillIndex },
  'search.find': { kind: 'read', run: findWords },
}

function fillIndex(database: Database, { max }: Input<'search.index'>): boolean {
  const statement = database.prepare('select id, indexed_seq from conversation where indexed_seq < last_seq order by id limit :max')
  let left = max
  for (const row of statement.rows({ max })) {
    if (left <= 0n) return true
    left -= indexConversation(database, integer(row, 'id'), integer(row, 'indexed_seq'), left)
  }
  return left <= 0n
}

/** Answers how many entries were looked at. */
function indexConversation(database: Database, id: bigint, indexedSeq: bigint, max: bigint): bigint {
  const rows = database
    .prepare('select key, kind, type, body from entry where key > :after and key < :end order by key limit :max')
    .rows({ after: keyOf(id, indexedSeq), end: keyOf(id, seqEnd), max })
  for (const row of rows) {
    const text = textOf(row)
    if (text !== undefined) addText(database, integer(row, 'key'), text)
  }
  const last = rows.at(-1)
  if (last !== undefined) {
    const seq = seqOf(integer(last, 'key'))
    database.prepare('update conversation set indexed_seq = :seq where id = :id').run({ id, seq })
  }
  return BigInt(rows.length)
}

function findWords(database: Database, input: Input<'search.find'>): Output<'search.find'> {
  const { accountId, text, conversationId = null, at } = input
  const query = searchQuery(text)
  const places = database
    .prepare(
      `select conversation.id, first_seq, last_seq,
         (select entry.at from entry where entry.key = (conversation.id << 32) + last_seq) as last_at,
         (select entry.at from entry where entry.key = (conversation.id << 32) + indexed_seq + 1 and indexed_seq < last_seq) as behind_at
       from member join conversation on conversation.id = member.conversation_id
       where member.account_id = :accountId and invited = 0 and (:conversationId is null or conversation.id = :conversationId)`,
    )
    .rows({ accountId, conversationId })
  const upTo = places.reduce((least, place) => earlier(least, optionalInteger(place, 'behind_at')), at)
  const hits = query === undefined ? [] : findHits(database, places, query, input)
  return { ...pageOf(database, hits, input), upTo }
}

interface Hit {
  readonly key: bigint
  readonly at: bigint
}

/** The newest first; one more than fits a page tells that there are more. */
function findHits(database: Database, places: readonly Row[], query: string, input: Input<'search.find'>): readonly Hit[] {
  if (places.length > 1 && isRare(database, query)) return newestOf(findRare(database, query, input))
  const lively = places.filter((place) => place['last_at'] !== null).toSorted((one, other) => Number(lastAt(other) - lastAt(one)))
  let hits: readonly Hit[] = []
  for (const place of lively) {
    const last = hits[Number(input.max)]
    if (last !== undefined && last.at > lastAt(place)) break
    hits = newestOf([...hits, ...findIn(database, place, query, input)]).slice(0, Number(input.max) + 1)
  }
  return hits
}

function newestOf(hits: readonly Hit[]): readonly Hit[] {
  return hits.toSorted((one, other) => Number(other.at - one.at) || Number(other.key - one.key))
}

function lastAt(place: Row): bigint {
  return integer(place, 'last_at')
}

/** Whether few messages of the server have it. */
function isRare(database: Database, query: string): boolean {
  const row = database
    .prepare('select count(*) as size from (select 1 from search where search match :query limit :max)')
    .row({ query, max: rareMax + 1n })
  return sizeIn(row) <= rareMax
}

function findRare(database: Database, query: string, { accountId, before }: Input<'search.find'>): readonly Hit[] {
  const rows = database
    .prepare(
      `select entry.key, entry.at from search join entry on entry.key = search.rowid
       join member on member.conversation_id = entry.key >> 32 and member.account_id = :accountId
       where search match :query and invited = 0 and entry.key & 4294967295 >= first_seq
         and hidden_from is not :accountId and deleted_at is null and (:before is null or at < :before)`,
    )
    .rows({ query, accountId, before: before ?? null })
  return rows.map(hitOf)
}

/** The newest of one conversation. */
function findIn(database: Database, place: Row, query: string, { accountId, before, max }: Input<'search.find'>): readonly Hit[] {
  const id = integer(place, 'id')
  const [from, to] = [keyOf(id, integer(place, 'first_seq')), keyOf(id, integer(place, 'last_seq'))]
  const rows = database
    .prepare(
      `select entry.key, entry.at from search join entry on entry.key = search.rowid
       where search match :query and search.rowid between :from and :to
         and hidden_from is not :accountId and deleted_at is null and (:before is null or at < :before)
       order by search.rowid desc limit :many`,
    )
    .rows({ query, from, to, accountId, before: before ?? null, many: max + 1n })
  return rows.map(hitOf)
}

function hitOf(row: Row): Hit {
  return { key: integer(row, 'key'), at: integer(row, 'at') }
}

/** Whoever goes on with the moment of the last one must not miss others of the same moment: they are on one page or the next. */
function pageOf(
  database: Database,
  hits: readonly Hit[],
  { max, bytesMax }: Input<'search.find'>,
): { entries: StoredEntry[]; more: boolean } {
  const statement = database.prepare(`select ${entryColumns} from ${entryTables} where entry.key = :key`)
  const entries: StoredEntry[] = []
  let bytes = 0n
  for (const { key } of hits.slice(0, Number(max))) {
    const row = statement.row({ key }) ?? {}
    bytes += bytesOf(row)
    if (entries.length > 0 && bytes > bytesMax) break
    entries.push(entryOf(row))
  }
  const next = hits[entries.length]
  if (next === undefined) return { entries, more: false }
  const whole = entries.filter(({ at }) => at > next.at)
  return { entries: whole.length > 0 ? whole : entries, more: true }
}

function earlier(one: bigint, other: bigint | undefined): bigint {
  return other !== undefined && other < one ? other : one
}

/** What this many messages of the server have at most is looked at as a whole. */
const rareMax = 2_000n

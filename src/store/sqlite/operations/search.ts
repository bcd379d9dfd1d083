// Finding messages by their words. The index is filled after messages were acknowledged, each conversation in its order, so that
// what is in it is everything up to some place. What is not said often is asked for at once: that may look at as much as the whole
// server has said with the words. What many say is asked for in one conversation of the account after the other, the liveliest
// first, until the rest can only be older. FTS5 bounds by place only what has one word; of more it first looks for all of them
// together, wherever that is. So places that have all words are put together here, from those of each word, few at a time:
// most searches end there, and who has no page after `workMax` looks at everything once. How many words there are is bounded by
// the query, how many searches at once by the server.

import { limitTable } from '../../../protocol/limits.ts'
import type { StoredEntry } from '../../delivery.ts'
import { entryBytesOf } from '../../entry-bytes.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { sizeIn } from './change.ts'
import { keyOf, seqOf } from './entry-key.ts'
import { entryColumns, entryOf, entryTables } from './entry-row.ts'
import { indexKeys } from './search-index.ts'
import { searchWords } from './search-query.ts'
import type { StepsOf } from './step.ts'

export const searchSteps: StepsOf<'search'> = {
  'search.index': { kind: 'write', run: fillIndex },
  'search.find': { kind: 'read', run: findWords },
}

function fillIndex(database: Database, { max }: Input<'search.index'>): boolean {
  const statement = database.prepare(
    'select id, indexed_seq, last_seq from conversation where indexed_seq < last_seq order by id limit :max',
  )
  let [left, bytesLeft] = [max, groupBytesMax]
  for (const row of statement.rows({ max })) {
    if (left <= 0n || bytesLeft <= 0n) return true
    const [id, indexedSeq, lastSeq] = [integer(row, 'id'), integer(row, 'indexed_seq'), integer(row, 'last_seq')]
    const first = keyOf(id, indexedSeq + 1n)
    const seq = lastSeq - indexedSeq > left ? indexedSeq + left : lastSeq
    const { last, bytes } = fittingKeys(database, first, keyOf(id, seq), bytesLeft)
    indexKeys(database, first, last)
    database.prepare('update conversation set indexed_seq = :seq where id = :id').run({ id, seq: seqOf(last) })
    left -= last - first + 1n
    bytesLeft -= bytes
    if (seqOf(last) < lastSeq) return true
  }
  return left <= 0n
}

/** From `first` on: halved until the bodies fit, or only one is left. */
function fittingKeys(database: Database, first: bigint, last: bigint, bytesMax: bigint): { readonly last: bigint; readonly bytes: bigint } {
  const row = database
    .prepare('select coalesce(sum(length(body)), 0) as bytes from entry where key between :first and :last')
    .row({ first, last })
  const bytes = integer(row ?? {}, 'bytes')
  return bytes <= bytesMax || first === last ? { last, bytes } : fittingKeys(database, first, (first + last) / 2n, bytesMax)
}

function findWords(database: Database, input: Input<'search.find'>, { searchWordsMax }: StoreLimits): Output<'search.find'> {
  const { accountId, text, conversationId = null, at } = input
  const words = searchWords(text, searchWordsMax)
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
  const hits = words.length === 0 ? [] : findHits(database, places, words, input)
  return { ...pageOf(database, hits, input), upTo }
}

interface Hit {
  readonly key: bigint
  readonly at: bigint
}

/** The newest first; one more than fits a page tells that there are more. */
function findHits(database: Database, places: readonly Row[], words: readonly string[], input: Input<'search.find'>): readonly Hit[] {
  const query = words.join(' ')
  const said = places.length === 0 ? 0n : timesSaid(database, query)
  if (said === 0n) return []
  const newest = said > rareMax ? findNewest(database, places, words, input) : undefined
  return newest ?? newestOf(findAll(database, query, input))
}

/** Undefined when a page is not full after {@link workMax}. */
function findNewest(
  database: Database,
  places: readonly Row[],
  words: readonly string[],
  input: Input<'search.find'>,
): readonly Hit[] | undefined {
  const lively = places.filter((place) => place['last_at'] !== null).toSorted((one, other) => Number(lastAt(other) - lastAt(one)))
  const work = { left: workMax }
  let hits: readonly Hit[] = []
  for (const place of lively) {
    const last = hits[Number(input.max)]
    if (last !== undefined && last.at > lastAt(place)) break
    const found = findIn(database, place, words, input, work)
    if (found === undefined) return undefined
    hits = newestOf([...hits, ...found]).slice(0, Number(input.max) + 1)
  }
  return hits
}

function newestOf(hits: readonly Hit[]): readonly Hit[] {
  return hits.toSorted((one, other) => Number(other.at - one.at) || Number(other.key - one.key))
}

function lastAt(place: Row): bigint {
  return integer(place, 'last_at')
}

/** How many messages of the server have it; `rareMax + 1` for more. */
function timesSaid(database: Database, query: string): bigint {
  const row = database
    .prepare('select count(*) as size from (select 1 from search where search match :query limit :max)')
    .row({ query, max: rareMax + 1n })
  return sizeIn(row)
}

/** Wherever the account may see it; of more than a page the newest. */
function findAll(database: Database, query: string, { accountId, conversationId, max, ...begin }: Input<'search.find'>): readonly Hit[] {
  const rows = database
    .prepare(
      `select entry.key, entry.at from search
       cross join member on member.conversation_id = search.rowid >> 32 and member.account_id = :accountId
       cross join entry on entry.key = search.rowid
       where search match :query and invited = 0 and entry.key & 4294967295 >= first_seq
         and (:conversationId is null or conversation_id = :conversationId)
         and hidden_from is not :accountId and deleted_at is null and (:before is null or at < :before or at = :before and entry.key < :placeKey)
       order by entry.at desc, entry.key desc limit :many`,
    )
    .rows({ query, accountId, conversationId: conversationId ?? null, ...beginOf(begin), many: max + 1n })
  return rows.map(hitOf)
}

/** The newest of one conversation; undefined when too few are left of what may be looked at. */
function findIn(
  database: Database,
  place: Row,
  words: readonly string[],
  input: Input<'search.find'>,
  work: { left: bigint },
): readonly Hit[] | undefined {
  const id = integer(place, 'id')
  const first = keyOf(id, integer(place, 'first_seq'))
  const many = Number(input.max) + 1
  const hits: Hit[] = []
  for (let to = keyOf(id, integer(place, 'last_seq')); to >= first && hits.length < many; to -= windowPlaces) {
    if (work.left <= 0n) return undefined
    const from = to - windowPlaces < first ? first : to - windowPlaces + 1n
    work.left -= (to - from + windowCost) * BigInt(words.length - 1)
    hits.push(...findBetween(database, from, to, words, input))
  }
  return hits.slice(0, many)
}

/** The newest of a few places that have every word. */
function findBetween(
  database: Database,
  from: bigint,
  to: bigint,
  words: readonly string[],
  { accountId, max, ...begin }: Input<'search.find'>,
): readonly Hit[] {
  const all = { words: JSON.stringify(words), count: BigInt(words.length) }
  const rows = database
    .prepare(
      `with found as (
         select search.rowid as key from json_each(:words) as word cross join search
         where search match word.value and search.rowid between :from and :to
         group by search.rowid having count(*) = :count )
       select entry.key, entry.at from found join entry on entry.key = found.key
       where hidden_from is not :accountId and deleted_at is null and (:before is null or at < :before or at = :before and entry.key < :placeKey)
       order by entry.key desc limit :many`,
    )
    .rows({ ...all, from, to, accountId, ...beginOf(begin), many: max + 1n })
  return rows.map(hitOf)
}

/** Where a page begins. */
function beginOf({ before, place }: Pick<Input<'search.find'>, 'before' | 'place'>): { before: bigint | null; placeKey: bigint } {
  return { before: before ?? null, placeKey: place === undefined ? 0n : keyOf(place.conversationId, place.seq) }
}

function hitOf(row: Row): Hit {
  return { key: integer(row, 'key'), at: integer(row, 'at') }
}

/**
 * Whoever goes on with the moment of the last one alone must not miss others of the same moment: they are on one page or the next, unless
 * they are more than a page.
 */
function pageOf(
  database: Database,
  hits: readonly Hit[],
  { max, bytesMax }: Input<'search.find'>,
): { entries: StoredEntry[]; more: boolean } {
  const statement = database.prepare(`select ${entryColumns} from ${entryTables} where entry.key = :key`)
  const entries: StoredEntry[] = []
  let bytes = 0
  for (const { key } of hits.slice(0, Number(max))) {
    const entry = entryOf(statement.row({ key }) ?? {})
    bytes += entryBytesOf(entry)
    if (entries.length > 0 && bytes > bytesMax) break
    entries.push(entry)
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
const rareMax = BigInt(limitTable.searchRareMax.value)
const groupBytesMax = BigInt(limitTable.searchGroupBytesMax.value)
/** Places of a conversation that are looked at together. */
const windowPlaces = 4_096n
/** What it costs to begin with that, in places. */
const windowCost = 256n
/** Places times words beyond the first that one search looks at so, before it looks at everything at once. */
const workMax = BigInt(limitTable.searchWorkMax.value)

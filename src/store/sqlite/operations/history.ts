// A page of a conversation.

import { SealwireError } from '../../../protocol/errors.ts'
import type { EntryPage } from '../../delivery.ts'
import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'
import type { Row } from '../statement.ts'
import { keyOf, seqEnd } from './entry-key.ts'
import { entryColumns, entryOf, entryTables } from './entry-row.ts'
import { readPage } from './page.ts'
import { findStanding } from './standing.ts'

/** Entries that the account may see, oldest first. */
export function history(database: Database, input: Input<'entry.history'>): EntryPage {
  const standing = findStanding(database, input.accountId, { conversationId: input.conversationId })
  if (standing === undefined) throw new SealwireError('not_found', 'there is no such conversation')
  const { rows, more } = input.after === undefined ? newest(database, input, standing.firstSeq) : oldest(database, input, standing.firstSeq)
  return { entries: rows.map(entryOf), more }
}

interface Rows {
  readonly rows: readonly Row[]
  readonly more: boolean
}

function newest(database: Database, input: Input<'entry.history'>, firstSeq: bigint): Rows {
  const { accountId, conversationId, before = seqEnd, pinned = false } = input
  const [from, to] = [keyOf(conversationId, firstSeq), keyOf(conversationId, bounded(before))]
  const statement = database.prepare(pinned ? `${pinnedSelect} order by pin.key desc` : `${select} order by entry.key desc`)
  const { rows, more } = readPage(statement, { accountId, first: from, from, to }, input)
  return { rows: rows.toReversed(), more }
}

function oldest(database: Database, input: Input<'entry.history'>, firstSeq: bigint): Rows {
  const { accountId, conversationId, after = 0n, pinned = false } = input
  const next = after < firstSeq ? firstSeq : after + 1n
  const [first, from, to] = [keyOf(conversationId, firstSeq), keyOf(conversationId, bounded(next)), keyOf(conversationId, seqEnd)]
  const statement = database.prepare(pinned ? `${pinnedSelect} order by pin.key` : `${select} order by entry.key`)
  return readPage(statement, { accountId, first, from, to }, input)
}

/** What a client gives as a place may be any number; the next conversation begins at the end of this one. */
function bounded(seq: bigint): bigint {
  return seq < seqEnd ? seq : seqEnd
}

const isVisible = 'entry.hidden_from is not :accountId'
/** What an edit made of a message of before the account may see. */
const columns = `${entryColumns}, entry.kind = 'edit' and entry.target < :first as wordless`
const select = `select ${columns} from ${entryTables} where entry.key >= :from and entry.key < :to and ${isVisible}`
const pinnedSelect = `select ${columns} from pin join ${entryTables}
  where pin.key >= :from and pin.key < :to and entry.key = pin.key and ${isVisible}`

// What is said, and what is done to what was said. The same id again is answered as the first time, whatever has changed
// since: it is asked before anything else is refused.

import { mayPost } from '../../../domain/permissions.ts'
import { decodeCbor } from '../../../protocol/contract/cbor.ts'
import { paymentType } from '../../../protocol/contract/entry.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { NewEntry, Posted } from '../../delivery.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, optionalInteger, type Row } from '../statement.ts'
import { sizeIn } from './change.ts'
import { keyOf } from './entry-key.ts'
import { eraseEntry } from './erase.ts'
import { history } from './history.ts'
import { post, repeatedPost, sizeOf } from './post.ts'
import { requireSame } from './repetition.ts'
import { countSaid, requireMaySay } from './said-bytes.ts'
import { reindex, unindex } from './search-index.ts'
import { findStanding, requireAccepted, requireRoomFor, type Standing } from './standing.ts'
import type { StepsOf } from './step.ts'
import { Stretch } from './stretch.ts'

export const entrySteps: StepsOf<'entry'> = {
  'entry.post': { kind: 'write', run: postEntry },
  'entry.history': { kind: 'read', run: history },
}

function postEntry(database: Database, input: NewEntry, limits: StoreLimits): Posted {
  requireOwnWords(input.type)
  const { deferred } = database
  if (deferred instanceof Stretch) return deferred.say(input)
  const standing = findStanding(database, input.accountId, input)
  if (standing !== undefined && Stretch.fits(standing, input)) return Stretch.begin(database, input, standing, limits)
  const repeated = repeatedPost(database, input.accountId, input.id)
  if (repeated !== undefined) {
    requireSame(database, input, repeated, standing)
    return repeated.posted
  }
  if (standing === undefined) throw new SealwireError('not_found', 'there is no such conversation')
  // What somebody has said stays theirs to delete when they are contacts no more.
  if (input.kind !== 'delete') requireAccepted(standing)
  return input.kind === 'message' ? say(database, input, standing, limits) : change(database, input, standing, limits)
}

function say(database: Database, input: NewEntry, standing: Standing, limits: StoreLimits): Posted {
  requirePermission(standing, 'message', true)
  requireRoomFor(sizeOf(input), standing, limits)
  requireMaySay(standing.saidBytes, sizeOf(input), limits)
  if (input.file !== undefined) takeFile(database, input, standing, input.file)
  const { accountId: authorId, id, kind, device, at, type, body, data, file } = input
  const { conversationId, blockerId: hiddenFrom } = standing
  return post(database, { conversationId, authorId, id, kind, device, at, type, body, data, file, hiddenFrom }, limits, standing)
}

/** An entry about another one. */
function change(database: Database, input: NewEntry, standing: Standing, limits: StoreLimits): Posted {
  const { accountId: authorId, id, kind, device, at, target, data } = input
  const found = findTarget(database, input, standing)
  requirePermission(standing, kind, integer(found, 'author_id') === authorId)
  if (found['deleted_at'] !== null) throw new SealwireError('gone', 'the message is deleted')
  if (kind === 'edit') requireOwnWords(found['type'])
  const size = sizeOf(input)
  // Nobody is kept from deleting: there are no more deletions than there were messages.
  if (kind !== 'delete') {
    requireRoomFor(size, standing, limits)
    if (kind === 'reaction') requireFewReactions(database, integer(found, 'key'), isOn(data), limits)
    requireMaySay(standing.saidBytes, kind === 'edit' ? size - integer(found, 'body_bytes') : size, limits)
  }
  const { conversationId, blockerId } = standing
  const targetHiddenFrom = optionalInteger(found, 'hidden_from')
  const hiddenFrom = blockerId ?? targetHiddenFrom
  const posted = post(database, { conversationId, authorId, id, kind, device, at, target, data, size, hiddenFrom }, limits, standing)
  // What who blocks the author can see stays for them as it is; the author is answered as ever.
  if (blockerId !== undefined && targetHiddenFrom !== blockerId) return posted
  const files = apply(database, input, found)
  const wordless = kind === 'edit' && standing.kind === 'room' ? membersWhoCameLater(database, conversationId, target ?? 0n) : []
  return { ...posted, ...(files.length > 0 && { files }), ...(wordless.length > 0 && { wordless }) }
}

function membersWhoCameLater(database: Database, conversationId: bigint, seq: bigint): readonly bigint[] {
  const statement = database.prepare('select account_id from member where conversation_id = :conversationId and first_seq > :seq')
  return statement.rows({ conversationId, seq }).map((row) => integer(row, 'account_id'))
}

/** What an entry does to its target; answers files that are gone. */
function apply(database: Database, input: NewEntry, target: Row): readonly Uint8Array[] {
  const key = integer(target, 'key')
  if (input.kind === 'delete') return eraseEntry(database, key, input.at).files
  if (input.kind === 'edit') replaceBody(database, input, key, integer(target, 'body_bytes'))
  if (input.kind === 'pin') setPin(database, key, isOn(input.data))
  return []
}

function replaceBody(database: Database, input: NewEntry, key: bigint, bodyBytes: bigint): void {
  const { accountId, type, body, at } = input
  database.eraseAfterCommit()
  unindex(database, key)
  // Only its author edits a message.
  countSaid(database, accountId, BigInt(body?.length ?? 0) - bodyBytes)
  // At the end of the table: a row that grows where it is moves others, and leaves copies of what they say in unused bytes.
  database
    .prepare('update entry set rowid = (select max(rowid) + 1 from entry), type = :type, body = :body, edited_at = :at where key = :key')
    .run({ key, type: type ?? null, body: body ?? null, at })
  reindex(database, key)
}

function setPin(database: Database, key: bigint, on: boolean): void {
  if (on) database.prepare('insert into pin (key) values (:key) on conflict do nothing').run({ key })
  else database.prepare('delete from pin where key = :key').run({ key })
}

/** A message of this conversation that the account may see. */
function findTarget(database: Database, { accountId, target = 0n }: NewEntry, { conversationId, firstSeq }: Standing): Row {
  const row = database
    .prepare(
      `select key, author_id, type, deleted_at, hidden_from, coalesce(length(body), 0) as body_bytes from entry
       where key = :key and kind = 'message' and hidden_from is not :accountId`,
    )
    .row({ key: keyOf(conversationId, target), accountId })
  if (row === undefined || target < firstSeq) throw new SealwireError('not_found', 'there is no such message')
  return row
}

/** They are deleted with their message, in one step. Once there are too many, what is there can still be taken back. */
function requireFewReactions(database: Database, key: bigint, on: boolean, { reactionsPerMessageMax }: StoreLimits): void {
  const max = BigInt(on ? reactionsPerMessageMax : 2 * reactionsPerMessageMax)
  const row = database
    .prepare("select count(*) as size from (select 1 from entry where target = :key and kind = 'reaction' limit :max)")
    .row({ key, max })
  if (sizeIn(row) >= max) throw new SealwireError('quota_exceeded', 'the message has too many reactions')
}

/** A file of this conversation that its owner has put there whole. With one message only, so that it goes with it. */
function takeFile(database: Database, { accountId }: NewEntry, { conversationId }: Standing, id: Uint8Array): void {
  const row = database
    .prepare('select sent from file where id = :id and owner_id = :accountId and conversation_id = :conversationId and whole = 1')
    .row({ id, accountId, conversationId })
  if (row === undefined) throw new SealwireError('not_found', 'there is no such file')
  if (integer(row, 'sent') === 1n) throw new SealwireError('conflict', 'the file was sent with another message')
  database.prepare('update file set sent = 1 where id = :id').run({ id })
}

/** That money has moved is said by the ledger, in the step in which it moves; nobody else says it, or says anything else in its place. */
function requireOwnWords(type: unknown): void {
  // A media type is the same in capitals, and with parameters (RFC 2045 §5.1).
  const isOfMoney =
    typeof type === 'string' && type.length >= paymentType.length && type.split(';', 1)[0]?.trim().toLowerCase() === paymentType
  if (isOfMoney) throw new SealwireError('not_permitted', 'what is said of money is said by the server alone')
}

function requirePermission(standing: Standing, kind: NewEntry['kind'], isOwn: boolean): void {
  if (!mayPost(standing, kind, isOwn)) throw new SealwireError('not_permitted', 'the account may not do this here')
}

function isOn(data: Uint8Array | undefined): boolean {
  const value = data && decodeCbor(data)
  return typeof value === 'object' && value !== null && 'on' in value && value.on === true
}

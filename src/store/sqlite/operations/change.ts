// Entries that say that something about a conversation has changed: who talks, who is in it, what it is called.

import { type CborValue, encodeCbor } from '../../../protocol/contract/cbor.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { Act, Posted } from '../../delivery.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row } from '../statement.ts'
import { post, type PostedEntry, repeatedPost, type Repetition } from './post.ts'
import { requireMaySay, saidBytes } from './said-bytes.ts'
import { sameBytes } from '../../../protocol/same-bytes.ts'

/** Who changes a conversation, under which id. */
export type Change = Act & { readonly conversationId: bigint; readonly id: Uint8Array }

/** What an entry says besides who made it: fields of the contract's entry. */
export type Said = { readonly [key: string]: CborValue | undefined }

/** Stores the entry that says so. */
export function postChange(
  database: Database,
  { accountId: authorId, device, at, conversationId, id }: Change,
  entry: Pick<PostedEntry, 'kind' | 'type' | 'body' | 'hiddenFrom' | 'alsoTo'> & { readonly said: Said },
  limits: StoreLimits,
): Posted {
  const { said, ...rest } = entry
  return post(database, { ...rest, conversationId, authorId, device, at, id, data: encodeCbor(said) }, limits)
}

/** @throws {SealwireError} `quota_exceeded`. Not asked of who leaves, removes somebody or answers: that is never refused. */
export function requireMayChange(database: Database, accountId: bigint, said: Said, limits: StoreLimits): void {
  requireMaySay(saidBytes(database, accountId), BigInt(encodeCbor(said).length), limits)
}

/**
 * What was answered when this account said this under this id; undefined when the id is new.
 * @throws {SealwireError} `conflict` when the id stands for something else.
 */
export function repeatedChange(
  database: Database,
  { accountId, id }: Pick<Change, 'accountId' | 'id'>,
  isSame: (repetition: Repetition) => boolean,
): Posted | undefined {
  const repetition = repeatedPost(database, accountId, id)
  if (repetition === undefined) return undefined
  if (!isSame(repetition)) throw new SealwireError('conflict', 'the id stands for something else')
  return repetition.posted
}

/** Whether it said this. What was deleted since cannot be compared any more. */
export function says({ data, body, isDeleted }: Repetition, said: Said, text?: Uint8Array): boolean {
  return isDeleted || (sameBytes(data, encodeCbor(said)) && sameBytes(body, text))
}

/** The answer to a request that found everything as it should be; `at` is since when. */
export function unchanged(conversationId: bigint, seq: bigint, at: bigint): Posted {
  return { conversationId, seq, at, repeated: true, deliveries: [] }
}

/** Whether one account wants to hear nothing of another. */
export function isBlocked(database: Database, { by, accountId }: { readonly by: bigint; readonly accountId: bigint }): boolean {
  return database.prepare('select 1 from block where account_id = :by and blocked_id = :accountId').row({ by, accountId }) !== undefined
}

/** Whether the account has a device besides the one on which something is done. */
export function hasOtherDevice(database: Database, input: Pick<Act, 'accountId' | 'device'>): boolean {
  const { accountId, device = null } = input
  const statement = database.prepare('select 1 from inbox_device where account_id = :accountId and device is not :device limit 1')
  return statement.row({ accountId, device }) !== undefined
}

/** A number that a statement counts as `size`. */
export function sizeIn(row: Row | undefined): bigint {
  return integer(row ?? {}, 'size')
}

// Session tokens. Using one is a lookup; the use is noted now and then only, because a note costs the group an fsync.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Account, Input, NewToken, SecretHash, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row } from '../statement.ts'
import { accountColumns, accountOf } from './account-row.ts'
import { releaseInbox } from './inboxes.ts'
import type { StepsOf } from './step.ts'

export const tokenSteps: StepsOf<'token'> = {
  'token.create': { kind: 'write', run: createToken },
  'token.use': { kind: 'write', run: useToken, runWithoutRoom: readToken },
  'token.delete': { kind: 'write', run: deleteToken },
}

/** Stores a token of an account that exists, and deletes the least recently used one when there are too many. */
export function addToken(database: Database, { hash, accountId, at }: NewToken, limits: StoreLimits): void {
  database
    .prepare(
      `insert into token (hash, account_id, created_at, last_used_at)
       values (:hash, :accountId, :at, :at) on conflict (hash) do nothing`,
    )
    .run({ hash, accountId, at })
  // Never the new one, whatever the clock did.
  const gone = database
    .prepare(
      `delete from token where hash in
       (select hash from token where account_id = :accountId and hash <> :hash order by last_used_at desc limit -1 offset :others)`,
    )
    .run({ accountId, hash, others: BigInt(limits.tokensPerAccountMax) - 1n })
  if (gone > 0n) releaseInbox(database, accountId, limits)
}

/** Deletes the tokens of an account, all but `keep`. */
export function deleteTokens(database: Database, accountId: bigint, keep: SecretHash | null, limits: StoreLimits): void {
  database.prepare('delete from token where account_id = :accountId and hash is not :keep').run({ accountId, keep })
  releaseInbox(database, accountId, limits)
}

/**
 * A session that is being ended may still ask for what would outlive it: its token is looked at in the same step.
 * @throws {SealwireError} `login_refused` when it is gone and is not that of a device, which outlives its token.
 */
export function requireToken(database: Database, accountId: bigint, hash: SecretHash): void {
  const good = database
    .prepare(
      `select 1 where exists (select 1 from token where hash = :hash and account_id = :accountId)
         or exists (select 1 from device where account_id = :accountId and token_hash = :hash and revoked_at is null)`,
    )
    .row({ hash, accountId })
  if (good === undefined) throw sessionEnded()
}

export function sessionEnded(): SealwireError {
  return new SealwireError('login_refused', 'what this session has logged in with is not good any more')
}

function createToken(database: Database, input: Input<'token.create'>, limits: StoreLimits): boolean {
  const { accountId, passwordHash = null } = input
  const allowed = database
    .prepare(
      `select 1 from account
       where id = :accountId and banned_at is null and (:passwordHash is null or password_hash = :passwordHash)`,
    )
    .row({ accountId, passwordHash })
  if (allowed === undefined) return false
  addToken(database, input, limits)
  return true
}

function useToken(database: Database, input: Input<'token.use'>, limits: StoreLimits): Account | undefined {
  const { hash, at } = input
  const row = tokenRow(database, hash)
  if (row === undefined) return undefined
  if (isIdle(row, input)) {
    deleteToken(database, input, limits)
    return undefined
  }
  if (at - integer(row, 'last_used_at') >= BigInt(limits.tokenUsePrecisionMs)) {
    database.prepare('update token set last_used_at = :at where hash = :hash').run({ at, hash })
  }
  return accountOf(row)
}

function readToken(database: Database, input: Input<'token.use'>): Account | undefined {
  const row = tokenRow(database, input.hash)
  return row === undefined || isIdle(row, input) ? undefined : accountOf(row)
}

function tokenRow(database: Database, hash: SecretHash): Row | undefined {
  return database
    .prepare(`select ${accountColumns}, last_used_at from token join account on account.id = token.account_id where hash = :hash`)
    .row({ hash })
}

function isIdle(row: Row, { at, idleMsMax }: Input<'token.use'>): boolean {
  return at - integer(row, 'last_used_at') > idleMsMax
}

function deleteToken(database: Database, { hash }: Input<'token.delete'>, limits: StoreLimits): boolean {
  const row = database.prepare('delete from token where hash = :hash returning account_id').row({ hash })
  if (row !== undefined) releaseInbox(database, integer(row, 'account_id'), limits)
  return row !== undefined
}

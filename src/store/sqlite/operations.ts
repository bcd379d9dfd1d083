// What SQLite does for each operation of the contract. Steps run inside a savepoint of their own: a SealwireError undoes
// what the step did and is its answer. They are synchronous; an `async` one does not compile, because its transaction
// would be committed at the first `await`.

import { SealwireError } from '../../protocol/errors.ts'
import type { Account, Input, OperationName, Output, StoreLimits, Throttle } from '../store.ts'
import type { Database } from './database.ts'
import { integer, type Row, text } from './statement.ts'

/** `read` steps are carried out even when there is no room on the disk. */
export interface Step<N extends OperationName> {
  readonly kind: 'read' | 'write'
  readonly run: (database: Database, input: Input<N>, limits: StoreLimits) => Output<N>
}

/** One step for every operation: a forgotten or misspelt one does not compile. */
export type Steps = { readonly [N in OperationName]: Step<N> }

export const steps: Steps = {
  'account.create': { kind: 'write', run: createAccount },
  'account.find': { kind: 'read', run: findAccount },
  'account.rehash': { kind: 'write', run: rehashAccount },
  'throttle.read': { kind: 'read', run: readThrottles },
  'throttle.fail': { kind: 'write', run: failThrottles },
  'throttle.clear': { kind: 'write', run: clearThrottles },
}

function createAccount(database: Database, account: Input<'account.create'>): Account {
  const { name, key, skeleton, passwordHash, createdAt } = account
  // Asked first, not left to the constraint: a refused insert would still use up an account number.
  const taken = database.prepare('select 1 from account where key = :key or skeleton = :skeleton').row({ key, skeleton })
  if (taken !== undefined) throw new SealwireError('name_taken', 'the name is taken')
  const row = database
    .prepare(
      `insert into account (name, key, skeleton, password_hash, created_at)
       values (:name, :key, :skeleton, :passwordHash, :createdAt) returning id`,
    )
    .row({ name, key, skeleton, passwordHash, createdAt })
  return { id: integer(row ?? {}, 'id'), name, key, passwordHash, createdAt }
}

function findAccount(database: Database, { key }: Input<'account.find'>): Account | undefined {
  const row = database.prepare('select id, name, key, password_hash, created_at from account where key = :key').row({ key })
  if (row === undefined) return undefined
  return {
    id: integer(row, 'id'),
    name: text(row, 'name'),
    key: text(row, 'key'),
    passwordHash: text(row, 'password_hash'),
    createdAt: integer(row, 'created_at'),
  }
}

function rehashAccount(database: Database, { id, from, to }: Input<'account.rehash'>): boolean {
  const statement = database.prepare('update account set password_hash = :to where id = :id and password_hash = :from')
  return statement.run({ id, from, to }) === 1n
}

function readThrottles(database: Database, { keys }: Input<'throttle.read'>): readonly Throttle[] {
  const statement = database.prepare('select key, failures, since, last_at from throttle where key = :key')
  return keys.flatMap((key) => statement.rows({ key }).map(throttleOf))
}

function failThrottles(database: Database, { keys, at, windowMs }: Input<'throttle.fail'>, limits: StoreLimits): readonly Throttle[] {
  const rows = keys.map((key) => failThrottle(database, key, at, windowMs))
  forgetThrottles(database, BigInt(limits.throttlesTrackedMax))
  return rows
}

function failThrottle(database: Database, key: string, at: bigint, windowMs: bigint): Throttle {
  // SQLite evaluates every right-hand side with the row as it was before the update.
  const fresh = key.startsWith('account:') ? 'last_at' : 'since'
  const row = database.prepare(failSql[fresh]).row({ key, at, oldest: at - windowMs })
  return throttleOf(row ?? {})
}

const failSql = {
  last_at: `
    insert into throttle (key, failures, since, last_at) values (:key, 1, :at, :at)
    on conflict (key) do update set
      failures = iif(last_at < :oldest, 1, failures + 1), since = iif(last_at < :oldest, :at, since), last_at = :at
    returning key, failures, since, last_at`,
  since: `
    insert into throttle (key, failures, since, last_at) values (:key, 1, :at, :at)
    on conflict (key) do update set
      failures = iif(since < :oldest, 1, failures + 1), since = iif(since < :oldest, :at, since), last_at = :at
    returning key, failures, since, last_at`,
} as const

/** Deletes what exceeds `max`; usually nothing, at most as many rows as were just added. */
function forgetThrottles(database: Database, max: bigint): void {
  const size = integer(database.prepare('select rows from throttle_size').row({}) ?? {}, 'rows')
  if (size <= max) return
  database
    .prepare('delete from throttle where key in (select key from throttle order by last_at limit :excess)')
    .run({ excess: size - max })
}

function clearThrottles(database: Database, { keys }: Input<'throttle.clear'>): undefined {
  for (const key of keys) database.prepare('delete from throttle where key = :key').run({ key })
}

function throttleOf(row: Row): Throttle {
  return {
    key: text(row, 'key'),
    failures: integer(row, 'failures'),
    since: integer(row, 'since'),
    lastAt: integer(row, 'last_at'),
  }
}

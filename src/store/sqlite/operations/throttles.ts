// Failed logins, remembered under keys.

import type { Input, StoreLimits, Throttle } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'
import type { StepsOf } from './step.ts'

export const throttleSteps: StepsOf<'throttle'> = {
  'throttle.read': { kind: 'read', run: readThrottles },
  'throttle.fail': { kind: 'write', run: failThrottles },
  'throttle.clear': { kind: 'write', run: clearThrottles },
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

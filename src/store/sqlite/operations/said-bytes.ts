// How much of what an account has said is kept, by whomever: bytes of bodies, and of what goes with them, of its entries that
// are not deleted. The count is kept beside its inbox, with each entry that comes and goes: adding up would read them all.

import { SealwireError } from '../../../protocol/errors.ts'
import type { StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer } from '../statement.ts'

/** Counts bytes that came, or, below zero, went. */
export function countSaid(database: Database, accountId: bigint, bytes: bigint): void {
  if (bytes === 0n) return
  const counted = database
    .prepare('update inbox set said_bytes = said_bytes + :bytes where account_id = :accountId')
    .run({ accountId, bytes })
  if (counted === 0n) database.prepare('insert into inbox (account_id, said_bytes) values (:accountId, :bytes)').run({ accountId, bytes })
}

/** Bytes of what the account said that are kept. */
export function saidBytes(database: Database, accountId: bigint): bigint {
  const row = database.prepare('select said_bytes from inbox where account_id = :accountId').row({ accountId })
  return row === undefined ? 0n : integer(row, 'said_bytes')
}

/** Whether so many bytes more are not too many beside the `said` ones. */
export function maySay(said: bigint, bytes: bigint, { storedBytesPerAccountMax }: StoreLimits): boolean {
  return said + bytes <= BigInt(storedBytesPerAccountMax)
}

/** @throws {SealwireError} `quota_exceeded` when so many bytes more are too many beside the `said` ones. */
export function requireMaySay(said: bigint, bytes: bigint, limits: StoreLimits): void {
  if (maySay(said, bytes, limits)) return
  throw new SealwireError('quota_exceeded', 'too much of what the account said is kept', {
    hint: 'delete messages, or have conversations keep them for a shorter time',
  })
}

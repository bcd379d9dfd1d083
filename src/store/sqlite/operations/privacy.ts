// What others learn of an account. Who never said anything has no row.

import type { Privacy } from '../../delivery.ts'
import type { Input } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row } from '../statement.ts'
import type { StepsOf } from './step.ts'

export const privacySteps: StepsOf<'privacy'> = {
  'privacy.read': { kind: 'read', run: readPrivacy },
  'privacy.set': { kind: 'write', run: setPrivacy },
}

export function readPrivacy(database: Database, { accountId }: Input<'privacy.read'>): Privacy {
  const row = database.prepare('select presence, typing, delivered, read from privacy where account_id = :accountId').row({ accountId })
  return row === undefined ? { presence: true, typing: true, delivered: true, read: true } : privacyOf(row)
}

function setPrivacy(database: Database, { accountId, ...changes }: Input<'privacy.set'>): Privacy {
  const before = readPrivacy(database, { accountId })
  const { presence = before.presence, typing = before.typing, delivered = before.delivered, read = before.read } = changes
  database
    .prepare(
      `insert into privacy (account_id, presence, typing, delivered, read)
       values (:accountId, :presence, :typing, :delivered, :read)
       on conflict (account_id) do update set
         presence = excluded.presence, typing = excluded.typing, delivered = excluded.delivered, read = excluded.read`,
    )
    .run({ accountId, presence: bit(presence), typing: bit(typing), delivered: bit(delivered), read: bit(read) })
  return { presence, typing, delivered, read }
}

function privacyOf(row: Row): Privacy {
  return {
    presence: integer(row, 'presence') === 1n,
    typing: integer(row, 'typing') === 1n,
    delivered: integer(row, 'delivered') === 1n,
    read: integer(row, 'read') === 1n,
  }
}

function bit(value: boolean): bigint {
  return value ? 1n : 0n
}

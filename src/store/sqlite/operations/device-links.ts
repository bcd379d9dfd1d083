// Links with which one more installation becomes a device of an account: one at a time, good once.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Input, Output, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, text } from '../statement.ts'
import type { Steps } from './step.ts'
import { addToken } from './tokens.ts'

export const deviceLinkSteps: Pick<Steps, 'device.link' | 'device.useLink'> = {
  'device.link': { kind: 'write', run: makeLink },
  'device.useLink': { kind: 'write', run: useLink },
}

function makeLink(database: Database, { accountId, hash, expiresAt }: Input<'device.link'>): undefined {
  database
    .prepare(
      `insert into device_link (account_id, hash, expires_at) values (:accountId, :hash, :expiresAt)
       on conflict (account_id) do update set hash = excluded.hash, expires_at = excluded.expires_at`,
    )
    .run({ accountId, hash, expiresAt })
}

function useLink(database: Database, { hash, at, token }: Input<'device.useLink'>, limits: StoreLimits): Output<'device.useLink'> {
  const row = database
    .prepare(
      `select account.id, key, name, banned_at, expires_at from device_link join account on account.id = device_link.account_id
       where hash = :hash`,
    )
    .row({ hash })
  if (row === undefined) throw new SealwireError('invitation_invalid', 'this server knows no such link', { hint })
  if (at >= integer(row, 'expires_at')) throw new SealwireError('invitation_expired', 'the link has expired', { hint })
  if (row['banned_at'] !== null) throw new SealwireError('account_banned', 'the account is banned')
  database.prepare('delete from device_link where hash = :hash').run({ hash })
  const id = integer(row, 'id')
  addToken(database, { hash: token, accountId: id, at }, limits)
  return { id, key: text(row, 'key'), name: text(row, 'name') }
}

const hint = 'make a new link on a device that is logged in'

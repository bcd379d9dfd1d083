// An account as SQLite keeps it.

import { assert } from '../../../protocol/errors.ts'
import type { Account, AccountSummary, Visibility } from '../../store.ts'
import { integer, optionalInteger, optionalText, type Row, text } from '../statement.ts'

/** What {@link accountOf} wants of a row; `token` or `device` may be joined. */
export const accountColumns = 'account.id, name, key, password_hash, account.created_at, banned_at, visibility'

export function accountOf(row: Row): Account {
  return {
    id: integer(row, 'id'),
    name: text(row, 'name'),
    key: text(row, 'key'),
    passwordHash: optionalText(row, 'password_hash'),
    createdAt: integer(row, 'created_at'),
    bannedAt: optionalInteger(row, 'banned_at'),
    visibility: visibilityOf(text(row, 'visibility')),
  }
}

export function summaryOf(row: Row): AccountSummary {
  const { passwordHash, ...rest } = accountOf(row)
  return { ...rest, hasPassword: passwordHash !== undefined }
}

function visibilityOf(value: string): Visibility {
  assert(value === 'everyone' || value === 'contacts' || value === 'nobody', 'an account without a visibility')
  return value
}

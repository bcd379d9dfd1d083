// Accounts.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Account, AccountSummary, Input, NewAccount, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { accountColumns, accountOf, summaryOf } from './account-row.ts'
import { deleteLink } from './device-links.ts'
import { takeInvitation } from './invitations.ts'
import type { StepsOf } from './step.ts'
import { addToken, deleteTokens } from './tokens.ts'

export const accountSteps: StepsOf<'account'> = {
  'account.create': { kind: 'write', run: createAccount },
  'account.find': { kind: 'read', run: findAccount },
  'account.findById': { kind: 'read', run: findAccountById },
  'account.list': { kind: 'read', run: listAccounts },
  'account.rehash': { kind: 'write', run: rehashAccount },
  'account.setPassword': { kind: 'write', run: setPassword },
  'account.ban': { kind: 'write', run: banAccount },
  'account.unban': { kind: 'write', run: unbanAccount },
  'account.setVisibility': { kind: 'write', run: setVisibility },
}

function createAccount(database: Database, input: Input<'account.create'>, limits: StoreLimits): Account {
  const { invitation, token } = input
  if (invitation !== undefined) takeInvitation(database, invitation)
  const account = insertAccount(database, input)
  if (token !== undefined) addToken(database, { ...token, accountId: account.id }, limits)
  return account
}

function insertAccount(database: Database, { name, key, skeleton, passwordHash, createdAt }: NewAccount): Account {
  // Asked first, not left to the constraint: a refused insert would still use up an account number.
  const taken = database.prepare('select 1 from account where key = :key or skeleton = :skeleton').row({ key, skeleton })
  if (taken !== undefined) throw new SealwireError('name_taken', 'the name is taken')
  const row = database
    .prepare(
      `insert into account (name, key, skeleton, password_hash, created_at)
       values (:name, :key, :skeleton, :passwordHash, :createdAt) returning ${accountColumns}`,
    )
    .row({ name, key, skeleton, passwordHash: passwordHash ?? null, createdAt })
  return accountOf(row ?? {})
}

function findAccount(database: Database, { key }: Input<'account.find'>): Account | undefined {
  const row = database.prepare(`select ${accountColumns} from account where key = :key`).row({ key })
  return row && accountOf(row)
}

function findAccountById(database: Database, { id }: Input<'account.findById'>): Account | undefined {
  const row = database.prepare(`select ${accountColumns} from account where id = :id`).row({ id })
  return row && accountOf(row)
}

function listAccounts(database: Database, { after, max }: Input<'account.list'>): readonly AccountSummary[] {
  const statement = database.prepare(`select ${accountColumns} from account where key > :after order by key limit :max`)
  return statement.rows({ after, max }).map(summaryOf)
}

function rehashAccount(database: Database, { id, from, to }: Input<'account.rehash'>): boolean {
  const statement = database.prepare('update account set password_hash = :to where id = :id and password_hash = :from')
  return statement.run({ id, from, to }) === 1n
}

function setPassword(database: Database, { id, passwordHash, keepToken }: Input<'account.setPassword'>, limits: StoreLimits): boolean {
  const changed = database.prepare('update account set password_hash = :passwordHash where id = :id').run({ id, passwordHash })
  deleteTokens(database, id, keepToken ?? null, limits)
  deleteLink(database, id)
  return changed === 1n
}

function banAccount(database: Database, { key, at }: Input<'account.ban'>): Account | undefined {
  const row = database
    .prepare(`update account set banned_at = coalesce(banned_at, :at) where key = :key returning ${accountColumns}`)
    .row({ key, at })
  if (row === undefined) return undefined
  const account = accountOf(row)
  // Tokens stay: they open nothing while the ban lasts, and everything again once it is taken back.
  deleteLink(database, account.id)
  return account
}

function unbanAccount(database: Database, { key }: Input<'account.unban'>): Account | undefined {
  const row = database.prepare(`update account set banned_at = null where key = :key returning ${accountColumns}`).row({ key })
  return row && accountOf(row)
}

function setVisibility(database: Database, { id, visibility }: Input<'account.setVisibility'>): boolean {
  return database.prepare('update account set visibility = :visibility where id = :id').run({ id, visibility }) === 1n
}

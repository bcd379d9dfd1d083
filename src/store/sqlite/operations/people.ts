// Who knows whom, and who wants to hear nothing of whom.

import { SealwireError } from '../../../protocol/errors.ts'
import type { Input, Person, Relations, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { integer, type Row, text } from '../statement.ts'
import { findDirect, ordered, type Pair, setDirect } from './direct.ts'
import { readPrivacy } from './privacy.ts'
import type { Steps, StepsOf } from './step.ts'

export const peopleSteps: Pick<Steps, 'contact.add' | 'contact.list'> & StepsOf<'block' | 'people'> = {
  'contact.add': { kind: 'write', run: addContact },
  'contact.list': { kind: 'read', run: listContacts },
  'block.add': { kind: 'write', run: addBlock },
  'block.remove': { kind: 'write', run: removeBlock },
  'block.list': { kind: 'read', run: listBlocks },
  'people.relations': { kind: 'read', run: readRelations },
}

/** Who has met in a classic chat talks as after a request. */
function addContact(database: Database, { a, b, at }: Input<'contact.add'>, limits: StoreLimits): boolean {
  const known = database.prepare('select 1 from contact where low = :low and high = :high').row(ordered([a, b]))
  if (known !== undefined || [a, b].some((id) => contactsFull(database, id, limits))) return false
  insertContact(database, [a, b], at)
  const direct = findDirect(database, [a, b])
  setDirect(database, [a, b], { state: 'accepted', byId: direct?.byId ?? a, stateAt: at }, direct)
  return true
}

/** Of two who were none; their conversation is the caller's. */
export function insertContact(database: Database, pair: Pair, at: bigint): void {
  database.prepare('insert into contact (low, high, since) values (:low, :high, :at)').run({ ...ordered(pair), at })
}

export function deleteContact(database: Database, pair: Pair): void {
  database.prepare('delete from contact where low = :low and high = :high').run(ordered(pair))
}

export function contactsFull(database: Database, id: bigint, { contactsPerAccountMax }: StoreLimits): boolean {
  const row = database
    .prepare('select (select count(*) from contact where low = :id) + (select count(*) from contact where high = :id) as size')
    .row({ id })
  return integer(row ?? {}, 'size') >= BigInt(contactsPerAccountMax)
}

function listContacts(database: Database, { accountId }: Input<'contact.list'>): readonly Person[] {
  const statement = database.prepare(
    `select id, key, name from account
     where id in (select high from contact where low = :accountId union all select low from contact where high = :accountId)
     order by key`,
  )
  return statement.rows({ accountId }).map(personOf)
}

function addBlock(database: Database, { accountId, blockedId, at }: Input<'block.add'>, { blocksPerAccountMax }: StoreLimits): boolean {
  const added = database
    .prepare(
      `insert into block (account_id, blocked_id, since)
       values (:accountId, :blockedId, :at) on conflict (account_id, blocked_id) do nothing`,
    )
    .run({ accountId, blockedId, at })
  if (added === 0n) return false
  // From now on their marks stand still for the other one; what is read is delivered, so none of them goes back.
  database
    .prepare(
      `update member set delivered_seq = read_seq where account_id = :accountId and delivered_seq < read_seq
       and conversation_id = (select id from conversation where low = min(:accountId, :blockedId) and high = max(:accountId, :blockedId))`,
    )
    .run({ accountId, blockedId })
  const row = database.prepare('select count(*) as size from block where account_id = :accountId').row({ accountId })
  if (integer(row ?? {}, 'size') <= BigInt(blocksPerAccountMax)) return true
  throw new SealwireError('busy', 'too many accounts are blocked', { hint: 'unblock some first' })
}

function removeBlock(database: Database, { accountId, blockedId }: Input<'block.remove'>): boolean {
  const statement = database.prepare('delete from block where account_id = :accountId and blocked_id = :blockedId')
  return statement.run({ accountId, blockedId }) === 1n
}

function listBlocks(database: Database, { accountId }: Input<'block.list'>): readonly Person[] {
  const statement = database.prepare(
    `select id, key, name from block join account on account.id = block.blocked_id
     where block.account_id = :accountId order by key`,
  )
  return statement.rows({ accountId }).map(personOf)
}

function readRelations(database: Database, { accountId }: Input<'people.relations'>): Relations {
  const ids = (rows: readonly Row[]): readonly bigint[] => rows.map((row) => integer(row, 'id'))
  return {
    contacts: ids(
      database
        .prepare('select high as id from contact where low = :accountId union all select low from contact where high = :accountId')
        .rows({ accountId }),
    ),
    blocks: ids(database.prepare('select blocked_id as id from block where account_id = :accountId').rows({ accountId })),
    privacy: readPrivacy(database, { accountId }),
  }
}

function personOf(row: Row): Person {
  return { id: integer(row, 'id'), key: text(row, 'key'), name: text(row, 'name') }
}

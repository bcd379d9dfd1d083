// What is known of files. Their bytes are elsewhere; a file is its owner's until a message is sent with it, and gone with that.

import { mayPost } from '../../../domain/index.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { StoredFile } from '../../delivery.ts'
import type { Input, StoreLimits } from '../../store.ts'
import type { Database } from '../database.ts'
import { blob, integer, type Row, text } from '../statement.ts'
import { sizeIn } from './change.ts'
import { findStanding, requireAccepted } from './standing.ts'
import type { StepsOf } from './step.ts'

export const fileSteps: StepsOf<'file'> = {
  'file.begin': { kind: 'write', run: beginFile },
  'file.find': { kind: 'read', run: findFile },
  'file.whole': { kind: 'write', run: noteWhole },
  'file.abandon': { kind: 'write', run: abandonFile },
  'file.expire': { kind: 'write', run: expireFiles },
  'file.known': { kind: 'read', run: knownFiles },
}

function beginFile(database: Database, input: Input<'file.begin'>, limits: StoreLimits): StoredFile {
  const { id, accountId, conversationId, name, size, sha256, at } = input
  const standing = findStanding(database, accountId, { conversationId })
  if (standing === undefined) throw new SealwireError('not_found', 'there is no such conversation')
  const known = database.prepare(`select ${fileColumns} from file where id = :id`).row({ id })
  if (known !== undefined) return sameFile(fileOf(known), input)
  requireAccepted(standing)
  if (!mayPost(standing, 'message', true)) throw new SealwireError('not_permitted', 'the account may not speak there')
  requireQuota(database, accountId, size, limits)
  const row = database
    .prepare(
      `insert into file (id, owner_id, conversation_id, name, size, sha256, at)
       values (:id, :accountId, :conversationId, :name, :size, :sha256, :at) returning ${fileColumns}`,
    )
    .row({ id, accountId, conversationId, name, size, sha256, at })
  return fileOf(row ?? {})
}

function sameFile(known: StoredFile, { accountId, conversationId, name, size, sha256 }: Input<'file.begin'>): StoredFile {
  const isSame =
    known.ownerId === accountId &&
    known.conversationId === conversationId &&
    known.name === name &&
    known.size === size &&
    Buffer.compare(known.sha256, sha256) === 0
  if (isSame) return known
  throw new SealwireError('conflict', 'the id stands for another file', { hint: 'make a new id for a new file' })
}

function requireQuota(database: Database, accountId: bigint, size: bigint, limits: StoreLimits): void {
  const row = database
    .prepare('select count(*) as number, coalesce(sum(size), 0) as size from file where owner_id = :accountId')
    .row({ accountId })
  const isWithin =
    integer(row ?? {}, 'number') < BigInt(limits.filesPerAccountMax) && sizeIn(row) + size <= BigInt(limits.fileBytesPerAccountMax)
  if (!isWithin) throw new SealwireError('quota_exceeded', 'the account has too many files', { hint: 'delete some messages with files' })
}

function findFile(database: Database, { accountId, id }: Input<'file.find'>): StoredFile | undefined {
  const row = database
    .prepare(
      `select ${fileColumns} from file where id = :id and (owner_id = :accountId or exists
         (select 1 from entry join member on member.conversation_id = entry.key >> 32
          where entry.file = :id and member.account_id = :accountId and invited = 0
            and entry.key & 4294967295 >= first_seq and hidden_from is not :accountId))`,
    )
    .row({ accountId, id })
  return row && fileOf(row)
}

function noteWhole(database: Database, { accountId, id }: Input<'file.whole'>): undefined {
  const noted = database.prepare('update file set whole = 1 where id = :id and owner_id = :accountId').run({ accountId, id })
  if (noted === 0n) throw new SealwireError('not_found', 'there is no such file')
}

function abandonFile(database: Database, { accountId, id }: Input<'file.abandon'>): boolean {
  return database.prepare('delete from file where id = :id and owner_id = :accountId and sent = 0').run({ accountId, id }) === 1n
}

function expireFiles(database: Database, { before, max }: Input<'file.expire'>): readonly Uint8Array[] {
  const statement = database.prepare(
    `delete from file where id in (select id from file where sent = 0 and at < :before order by at limit :max) returning id`,
  )
  return statement.rows({ before, max }).map((row) => blob(row, 'id'))
}

function knownFiles(database: Database, { ids }: Input<'file.known'>): readonly Uint8Array[] {
  const statement = database.prepare('select 1 from file where id = :id')
  return ids.filter((id) => statement.row({ id }) !== undefined)
}

function fileOf(row: Row): StoredFile {
  return {
    id: blob(row, 'id'),
    ownerId: integer(row, 'owner_id'),
    conversationId: integer(row, 'conversation_id'),
    name: text(row, 'name'),
    size: integer(row, 'size'),
    sha256: blob(row, 'sha256'),
    whole: integer(row, 'whole') === 1n,
    sent: integer(row, 'sent') === 1n,
    at: integer(row, 'at'),
  }
}

const fileColumns = 'id, owner_id, conversation_id, name, size, sha256, whole, sent, at'

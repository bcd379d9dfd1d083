import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { inMemory } from '../../../../src/store/index.ts'
import { type Database, openDatabase } from '../../../../src/store/sqlite/database.ts'
import { steps } from '../../../../src/store/sqlite/operations.ts'
import { hashOf, newAccount } from '../../../compliance/store-subject.ts'

const limits = { ...resolveLimits(), tokenUsePrecisionMs: 100 }
const hash = hashOf('secret')

describe('token.use', () => {
  test('writes nothing until tokenUsePrecisionMs have passed, and then once', () => {
    using database = withToken()
    const use = (at: bigint) => steps['token.use'].run(database, { hash, at, idleMsMax: 1_000n }, limits)?.key
    expect([use(0n), use(99n), changesOf(database)]).toEqual(['alice', 'alice', 0n])
    expect([use(100n), use(199n), changesOf(database)]).toEqual(['alice', 'alice', 1n])
  })

  test('writes nothing at all without room, not even that an idle token is gone', () => {
    using database = withToken()
    const use = (at: bigint) => steps['token.use'].runWithoutRoom?.(database, { hash, at, idleMsMax: 1_000n }, limits)?.key
    expect([use(1_000n), use(1_001n), changesOf(database)]).toEqual(['alice', undefined, 0n])
  })
})

/** A database in a transaction, with a token of alice from the moment 0. */
function withToken(): Database {
  const database = openDatabase(inMemory, limits, 'may-be-new')
  database.control('begin immediate')
  steps['account.create'].run(database, { ...newAccount('alice'), token: { hash, at: 0n } }, limits)
  database.control('commit')
  database.control('begin immediate')
  database.prepare('create table before (changes integer) strict').run({})
  database.prepare('insert into before values (total_changes() + 1)').run({})
  return database
}

/** How many rows have changed since {@link withToken}. */
function changesOf(database: Database): unknown {
  return database.prepare('select total_changes() - changes as n from before').row({})?.['n']
}

import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { type Database, databaseLocation, inMemory, openDatabase, requireVersion } from '../../../src/store/sqlite/database.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const limits = resolveLimits()

describe('openDatabase', () => {
  test('makes folder and files that only their owner may read', () => {
    using folder = new StoreFolder()
    const inner = join(folder.path, 'data')
    using database = openDatabase(databaseLocation(inner), limits, 'may-be-new')
    database.control('begin immediate')
    database.control('commit')
    expect(modeOf(inner)).toBe(0o700)
    expect(readdirSync(inner).sort()).toEqual(['sealwire.db', 'sealwire.db-shm', 'sealwire.db-wal'])
    expect(readdirSync(inner).map((file) => modeOf(join(inner, file)))).toEqual([0o600, 0o600, 0o600])
  })

  test('writes ahead, synchronizes every commit, checks references and waits for others', () => {
    using folder = new StoreFolder()
    using database = openDatabase(folder.database, limits, 'may-be-new')
    expect(pragma(database, 'pragma journal_mode')).toEqual({ journal_mode: 'wal' })
    expect(pragma(database, 'pragma synchronous')).toEqual({ synchronous: 2n })
    expect(pragma(database, 'pragma fullfsync')).toEqual({ fullfsync: 1n })
    expect(pragma(database, 'pragma checkpoint_fullfsync')).toEqual({ checkpoint_fullfsync: 1n })
    expect(pragma(database, 'pragma foreign_keys')).toEqual({ foreign_keys: 1n })
    expect(pragma(database, 'pragma temp_store')).toEqual({ temp_store: 2n })
    expect(pragma(database, 'pragma trusted_schema')).toEqual({ trusted_schema: 0n })
    expect(pragma(database, 'pragma busy_timeout')).toEqual({ timeout: BigInt(limits.storeBusyMsMax) })
  })

  test('closing leaves the database file alone, so that a copy of it is whole', () => {
    using folder = new StoreFolder()
    const database = openDatabase(folder.database, limits, 'may-be-new')
    database.control('begin')
    database.prepare('select rows from throttle_size').row({})
    database.control('commit')
    database[Symbol.dispose]()
    expect(readdirSync(folder.path)).toEqual(['sealwire.db'])
  })

  test('one that is gone, or empty, is not made again where there was a ledger', () => {
    using folder = new StoreFolder()
    openDatabase(folder.database, limits, 'may-be-new')[Symbol.dispose]()
    writeFileSync(join(folder.path, 'ledger.pub'), '')
    openDatabase(folder.database, limits, 'may-be-new')[Symbol.dispose]()
    for (const lose of [() => writeFileSync(folder.database, ''), () => rmSync(folder.database)]) {
      lose()
      const open = () => openDatabase(folder.database, limits, 'may-be-new')
      expect(open).toThrow(`[data_unusable] the database ${folder.database} is gone`)
      expect(statSync(folder.database, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
    }
  })

  test('what is no database is refused and left as it is', () => {
    using folder = new StoreFolder()
    writeFileSync(folder.database, 'not a database, but long enough to have been one'.repeat(100))
    expect(() => openDatabase(folder.database, limits, 'may-be-new')).toThrow('[data_unusable]')
    expect(readdirSync(folder.path)).toEqual(['sealwire.db'])
  })

  test('a folder in the place of the file, or a file in the place of the folder, is data_unusable', () => {
    using folder = new StoreFolder()
    mkdirSync(folder.database)
    expect(() => openDatabase(folder.database, limits, 'may-be-new')).toThrow('[data_unusable]')
    writeFileSync(join(folder.path, 'file'), '')
    expect(() => openDatabase(join(folder.path, 'file', 'sealwire.db'), limits, 'may-be-new')).toThrow('[data_unusable]')
  })

  test('a database that must exist is not made', () => {
    using folder = new StoreFolder()
    expect(() => openDatabase(folder.database, limits, 'must-exist')).toThrow('[data_unusable]')
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('a database that another program holds is data_locked', () => {
    using folder = new StoreFolder()
    openDatabase(folder.database, limits, 'may-be-new')[Symbol.dispose]()
    using other = new DatabaseSync(folder.database)
    other.exec('pragma locking_mode = exclusive; begin exclusive')
    expect(() => openDatabase(folder.database, { ...limits, storeBusyMsMax: 0 }, 'may-be-new')).toThrow('[data_locked]')
  })

  test('the mode of a folder that was there is its owner’s business', () => {
    using folder = new StoreFolder()
    chmodSync(folder.path, 0o750)
    using database = openDatabase(folder.database, limits, 'may-be-new')
    expect(database.inTransaction).toBe(false)
    expect(modeOf(folder.path)).toBe(0o750)
  })
})

describe('Database', () => {
  test('a statement outside a transaction is a bug', () => {
    using database = openDatabase(inMemory, limits, 'may-be-new')
    expect(() => database.prepare('delete from throttle').run({})).toThrow('[internal]')
    database.control('begin')
    expect(database.prepare('delete from throttle').run({})).toBe(0n)
  })

  test('a statement is prepared once', () => {
    using database = openDatabase(inMemory, limits, 'may-be-new')
    expect(database.prepare('select 1')).toBe(database.prepare('select 1'))
  })
})

describe('requireVersion', () => {
  test('takes SQLite from 3.51.3 on', () => {
    for (const version of ['3.51.3', '3.52.0', '4.0.0']) expect(() => requireVersion(version)).not.toThrow()
    for (const version of ['3.51.2', '3.50.9', '2.99.99', '', 'undefined'])
      expect(() => requireVersion(version)).toThrow('[runtime_unsupported]')
  })
})

function pragma(database: Database, sql: string): unknown {
  database.control('begin')
  try {
    return { ...database.prepare(sql).row({}) }
  } finally {
    database.control('rollback')
  }
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

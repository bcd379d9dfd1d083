import { describe, expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { migrate, migrations } from '../../../src/store/sqlite/migrations.ts'

describe('migrate', () => {
  test('applies each step once, in order, and remembers the last', () => {
    using connection = empty()
    const steps = ['create table a (x integer) strict', 'insert into a values (1)']
    migrate(connection, steps)
    migrate(connection, steps)
    migrate(connection, [...steps, 'insert into a values (2)'])
    expect(connection.prepare('select x from a').all()).toMatchObject([{ x: 1 }, { x: 2 }])
    expect(versionOf(connection)).toBe(3)
  })

  test('a step that fails leaves nothing of itself, and the steps before it stay', () => {
    using connection = empty()
    const steps = ['create table a (x integer) strict', 'create table b (x integer) strict; insert into missing values (1)']
    expect(() => migrate(connection, steps)).toThrow('no such table')
    expect(versionOf(connection)).toBe(1)
    expect(connection.isTransaction).toBe(false)
    expect(connection.prepare('select name from sqlite_schema').all()).toMatchObject([{ name: 'a' }])
  })

  test('a database of a newer Sealwire is refused and not touched', () => {
    using connection = empty()
    migrate(connection, [...migrations, 'create table future (x integer) strict'])
    expect(() => migrate(connection)).toThrow('[data_unusable] the database has schema 2, this Sealwire knows 1')
    expect(versionOf(connection)).toBe(2)
  })

  test('the database of another program is refused and not touched', () => {
    for (const sql of ['pragma application_id = 7', 'pragma user_version = 1', 'create table theirs (x)']) {
      using connection = empty()
      connection.exec(sql)
      expect(() => migrate(connection)).toThrow('[data_unusable] the database belongs to another program')
      expect(connection.prepare("select 1 from sqlite_schema where name = 'account'").get()).toBeUndefined()
    }
  })

  test('every table is strict', () => {
    using connection = empty()
    migrate(connection)
    const tables = connection.prepare("select name, strict from pragma_table_list where schema = 'main' and name not like 'sqlite_%'").all()
    expect(tables.length).toBeGreaterThan(1)
    expect(tables.filter(({ strict }) => strict !== 1)).toEqual([])
  })
})

function empty(): DatabaseSync {
  return new DatabaseSync(':memory:')
}

function versionOf(connection: DatabaseSync): unknown {
  return connection.prepare('pragma user_version').get()?.['user_version']
}

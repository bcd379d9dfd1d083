import { describe, expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { integer, optionalInteger, optionalText, Statement, text } from '../../../src/store/sqlite/statement.ts'

describe('Statement', () => {
  test('runs, and reads one row or all', () => {
    using connection = new DatabaseSync(':memory:', { readBigInts: true })
    connection.exec('create table a (x integer, y text) strict')
    const insert = prepare(connection, 'insert into a (x, y) values (:x, :y)')
    expect(insert.run({ x: 1n, y: 'one' })).toBe(1n)
    insert.run({ x: 2n, y: null })
    expect(prepare(connection, 'update a set x = x + 1').run({})).toBe(2n)
    expect(prepare(connection, 'select x from a where y = :y').row({ y: 'one' })).toMatchObject({ x: 2n })
    expect(prepare(connection, 'select x from a where y = :y').row({ y: 'two' })).toBeUndefined()
    expect(prepare(connection, 'select x from a order by x').rows({})).toMatchObject([{ x: 2n }, { x: 3n }])
  })

  test('a parameter that is named twice is given once', () => {
    using connection = new DatabaseSync(':memory:', { readBigInts: true })
    const statement = prepare(connection, 'select :a as x, :b as y, :a as z where :b is not :a')
    expect(statement.row({ a: 1n, b: 2n })).toMatchObject({ x: 1n, y: 2n, z: 1n })
    expect(statement.row({ b: 2n, a: 2n })).toBeUndefined()
  })

  test('takes values in the order of their names, as many as there are', () => {
    using connection = new DatabaseSync(':memory:', { readBigInts: true })
    connection.exec('create table a (x integer, y text, z integer) strict')
    const insert = prepare(connection, 'insert into a (x, y, z) values (:x, :y, :x)')
    expect(insert.runWith(1n, 'one')).toBe(1n)
    expect(prepare(connection, 'select x, y, z from a').rows({})).toMatchObject([{ x: 1n, y: 'one', z: 1n }])
    for (const values of [[], [1n], [1n, 'one', 1n]]) expect(() => insert.runWith(...values)).toThrow('[internal]')
    expect(prepare(connection, 'select count(*) as rows from a').row({})).toMatchObject({ rows: 1n })
  })

  test('asks its guard before every run', () => {
    using connection = new DatabaseSync(':memory:')
    const statement = new Statement(connection, 'select 1', () => {
      throw new TypeError('not now')
    })
    for (const run of [() => statement.run({}), () => statement.runWith(), () => statement.row({}), () => statement.rows({})])
      expect(run).toThrow('not now')
  })

  test('a forgotten, misspelt or needless parameter does not compile', () => {
    using connection = new DatabaseSync(':memory:')
    connection.exec('create table a (x integer, y text) strict')
    const insert = prepare(connection, 'insert into a (x, y)\nvalues (:x, iif(:y\n is null, :y, :y))')
    insert.run({ x: 1n, y: 'one' })
    // @ts-expect-error `y` is forgotten; it is not taken for NULL.
    expect(() => insert.run({ x: 1n })).toThrow('[internal]')
    // @ts-expect-error `z` is no parameter.
    insert.run({ x: 1n, y: 'one', z: 1n })
    // @ts-expect-error A number is no integer of ours.
    insert.run({ x: 1, y: 'one' })
    // @ts-expect-error There is nothing to bind.
    prepare(connection, 'select 1').row({ x: 1n })
  })
})

describe('text and integer', () => {
  test('read a column of their type and take everything else for a bug', () => {
    const row = { name: 'alice', id: 7n, rounded: 7, nothing: null }
    expect(text(row, 'name')).toBe('alice')
    expect(integer(row, 'id')).toBe(7n)
    for (const column of ['id', 'nothing', 'missing']) expect(() => text(row, column)).toThrow('[internal]')
    for (const column of ['name', 'rounded', 'nothing', 'missing']) expect(() => integer(row, column)).toThrow('[internal]')
  })
})

describe('optionalText and optionalInteger', () => {
  test('read NULL as undefined, and take every other type for a bug', () => {
    const row = { name: 'alice', id: 7n, nothing: null }
    expect([optionalText(row, 'name'), optionalText(row, 'nothing')]).toEqual(['alice', undefined])
    expect([optionalInteger(row, 'id'), optionalInteger(row, 'nothing')]).toEqual([7n, undefined])
    for (const column of ['id', 'missing']) expect(() => optionalText(row, column)).toThrow('[internal]')
    for (const column of ['name', 'missing']) expect(() => optionalInteger(row, column)).toThrow('[internal]')
  })
})

function prepare<const S extends string>(connection: DatabaseSync, sql: S): Statement<S> {
  return new Statement(connection, sql, () => undefined)
}

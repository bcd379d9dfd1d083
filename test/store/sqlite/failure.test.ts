import { describe, expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { failureOf } from '../../../src/store/sqlite/failure.ts'

describe('failureOf', () => {
  test('tells errors of SQLite by the low byte of their number', () => {
    expect([13, 0x10d].map((errcode) => failureOf({ errcode }))).toEqual(['full', 'full'])
    for (const errcode of [10, 1034, 4874, 11, 26, 7, 8, 14, 15]) expect(failureOf({ errcode })).toBe('broken')
    expect([5, 6, 261].map((errcode) => failureOf({ errcode }))).toEqual(['locked', 'locked', 'locked'])
    for (const errcode of [1, 19, 1555, 2067]) expect(failureOf({ errcode })).toBe('request')
  })

  test('takes what is no error of SQLite for the fault of one request', () => {
    for (const reason of [new TypeError('database is locked'), undefined, null, 'disk I/O error', { errcode: '13' }]) {
      expect(failureOf(reason)).toBe('request')
    }
  })

  test('knows what the runtime really throws', () => {
    using connection = new DatabaseSync(':memory:')
    connection.exec('create table a (x blob) strict; pragma max_page_count = 2')
    expect(failureOf(thrownBy(() => connection.exec('insert into a values (zeroblob(100000))')))).toBe('full')
    expect(failureOf(thrownBy(() => connection.exec('insert into a values (1)')))).toBe('request')
    expect(failureOf(thrownBy(() => new DatabaseSync('/dev/null/x')))).toBe('broken')
  })
})

function thrownBy(action: () => unknown): unknown {
  try {
    return action()
  } catch (reason) {
    return reason
  }
}

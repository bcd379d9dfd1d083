// How many rows each table has: what a backup says of itself, and what must still be in it when it is looked at.

import { DatabaseSync } from 'node:sqlite'
import { databaseLocation } from './database.ts'

/** By table, without those that SQLite keeps for an index of words. */
export type RowCounts = Readonly<Record<string, number>>

/** Of a database as a connection sees it. */
export function rowCounts(database: DatabaseSync): RowCounts {
  // What the database has of tables, indexes and triggers is a table as well.
  const tables = database
    .prepare(
      `select name from pragma_table_list where schema = 'main' and type = 'table'
       and (name = 'sqlite_schema' or name not like 'sqlite\\_%' escape '\\') order by name`,
    )
    .all()
  return Object.fromEntries(tables.map(({ name }) => [String(name), rowsOf(database, String(name))]))
}

/** Of the database of a data folder that nobody else uses, as it is: its schema may be an earlier one. */
export function countRows(folder: string): RowCounts {
  const database = new DatabaseSync(databaseLocation(folder))
  try {
    return rowCounts(database)
  } finally {
    database.close()
  }
}

function rowsOf(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`select count(*) as rows from "${table}"`).get()?.['rows'])
}

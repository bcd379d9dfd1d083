// Whether a database is one that SQLite has written: its pages, its indexes, its rules.

import { DatabaseSync } from 'node:sqlite'
import { databaseLocation } from './database.ts'

/** The first thing that is wrong, in SQLite's words. */
export interface StructureFault {
  readonly what: string
}

/**
 * Reads the whole database of a data folder that nobody else uses; undefined when nothing is wrong with it. It takes about as long as
 * reading the disk does.
 */
export function verifyStructure(folder: string): StructureFault | undefined {
  try {
    const connection = new DatabaseSync(databaseLocation(folder))
    try {
      const found = String(connection.prepare('pragma integrity_check(1)').get()?.['integrity_check'])
      if (found !== 'ok') return { what: found }
      const row = connection.prepare('pragma foreign_key_check').get()
      return row === undefined
        ? undefined
        : { what: `a row of ${String(row['table'])} names one of ${String(row['parent'])} that is missing` }
    } finally {
      connection.close()
    }
  } catch (reason) {
    // What cannot even be read: a damaged page ends the check itself.
    return { what: reason instanceof Error ? reason.message : String(reason) }
  }
}

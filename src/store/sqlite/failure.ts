// What an error of SQLite means for the group of requests in which it happened. Told by its number, never by its text.

/**
 * `full`: no room; SQLite reports it only when a write was refused, so nothing of the transaction is in the database.
 * `broken`: the disk or the file failed; this connection is not trusted any more.
 * `locked`: another program holds the database. `request`: anything else; it concerns one request only.
 */
export type Failure = 'full' | 'broken' | 'locked' | 'request'

/** Tells what a thrown value means. Values that do not come from SQLite are `request`. */
export function failureOf(reason: unknown): Failure {
  const number = resultNumber(reason)
  // The low byte is the result, the others say more about it (https://sqlite.org/rescode.html).
  return number === undefined ? 'request' : (failures.get(number & 0xff) ?? 'request')
}

/** Whether SQLite cannot read what the file has. It ends a transaction that met this: its commit fails then. */
export function isDamaged(reason: unknown): boolean {
  const number = resultNumber(reason)
  return number !== undefined && damage.has(number & 0xff)
}

function resultNumber(reason: unknown): number | undefined {
  if (typeof reason !== 'object' || reason === null || !('errcode' in reason)) return undefined
  return typeof reason.errcode === 'number' ? reason.errcode : undefined
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const damage: ReadonlySet<number> = new Set([11, 26])
const failures: ReadonlyMap<number, Failure> = new Map([
  [5, 'locked'], // SQLITE_BUSY
  [6, 'locked'], // SQLITE_LOCKED
  [7, 'broken'], // SQLITE_NOMEM
  [8, 'broken'], // SQLITE_READONLY
  [10, 'broken'], // SQLITE_IOERR
  [11, 'broken'], // SQLITE_CORRUPT
  [13, 'full'], // SQLITE_FULL
  [14, 'broken'], // SQLITE_CANTOPEN
  [15, 'broken'], // SQLITE_PROTOCOL
  [26, 'broken'], // SQLITE_NOTADB
])

// Prepared statements whose parameters are typed by their own text. SQLite binds NULL for a name that is missing, so the
// names must agree before anything runs: the compiler reads them out of the SQL.

import type { SQLOutputValue, StatementSync } from 'node:sqlite'
import { assert } from '../../protocol/errors.ts'

/** What may be bound. Integers are `bigint` only: a `number` would be rounded above 2^53. */
export type SqlValue = bigint | string | null | Uint8Array
export type Row = Readonly<Record<string, SQLOutputValue>>

/** The parameters of a statement: every `:name` of its text. A name ends at white space, a comma or a closing bracket. */
export type ParametersOf<S extends string> = [NamesIn<S>] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [Name in NamesIn<S>]: SqlValue }
type NamesIn<S extends string> = S extends `${string}:${infer Rest}`
  ? Until<Until<Until<Until<Rest, ' '>, '\n'>, ','>, ')'> | NamesIn<Rest>
  : never
type Until<S extends string, End extends string> = S extends `${infer Head}${End}${string}` ? Head : S

/** A prepared statement. Every method runs it whole; nothing of it stays open. */
export class Statement<S extends string> {
  readonly #statement: StatementSync
  readonly #guard: () => void

  /** `guard` throws when the statement may not run now. */
  constructor(statement: StatementSync, guard: () => void) {
    this.#statement = statement
    this.#guard = guard
  }

  /** Returns how many rows it changed. */
  run(parameters: ParametersOf<S>): bigint {
    this.#guard()
    return BigInt(this.#statement.run(parameters).changes)
  }

  row(parameters: ParametersOf<S>): Row | undefined {
    this.#guard()
    return this.#statement.get(parameters)
  }

  rows(parameters: ParametersOf<S>): readonly Row[] {
    this.#guard()
    return this.#statement.all(parameters)
  }
}

/** The text in a column that is never NULL. */
export function text(row: Row, column: string): string {
  const value = row[column]
  assert(typeof value === 'string', `column ${column} is not text`)
  return value
}

/** The whole number in a column that is never NULL. */
export function integer(row: Row, column: string): bigint {
  const value = row[column]
  assert(typeof value === 'bigint', `column ${column} is not an integer`)
  return value
}

/** The bytes in a column that is never NULL. */
export function blob(row: Row, column: string): Uint8Array {
  const value = row[column]
  assert(value instanceof Uint8Array, `column ${column} is not bytes`)
  return new Uint8Array(value)
}

/** The bytes in a column; undefined for NULL. */
export function optionalBlob(row: Row, column: string): Uint8Array | undefined {
  return row[column] === null ? undefined : blob(row, column)
}

/** The text in a column; undefined for NULL. */
export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column)
}

/** The whole number in a column; undefined for NULL. */
export function optionalInteger(row: Row, column: string): bigint | undefined {
  return row[column] === null ? undefined : integer(row, column)
}

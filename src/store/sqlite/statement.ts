// Prepared statements whose parameters are typed by their own text: the compiler reads their names out of the SQL.

import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
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
  readonly #names: readonly string[]
  readonly #guard: () => void

  /** `guard` throws when the statement may not run now. */
  constructor(connection: DatabaseSync, sql: S, guard: () => void) {
    this.#names = [...new Set(Array.from(sql.matchAll(parameter), ([, name = '']) => name))]
    this.#statement = connection.prepare(numbered(sql, this.#names))
    this.#guard = guard
  }

  /** Returns how many rows it changed. */
  run(parameters: ParametersOf<S>): bigint {
    this.#guard()
    return BigInt(this.#statement.run(...this.#values(parameters)).changes)
  }

  /** As {@link run}, with the values in the order in which the text first names them: for what runs with every message. */
  runWith(...values: readonly SqlValue[]): bigint {
    this.#guard()
    assert(values.length === this.#names.length, 'as many values as the statement has names')
    return BigInt(this.#statement.run(...values).changes)
  }

  row(parameters: ParametersOf<S>): Row | undefined {
    this.#guard()
    return this.#statement.get(...this.#values(parameters))
  }

  rows(parameters: ParametersOf<S>): readonly Row[] {
    this.#guard()
    return this.#statement.all(...this.#values(parameters))
  }

  /** Rows as long as `fits` says of each that it does; what comes after is not read. */
  rowsWhile(parameters: ParametersOf<S>, fits: (row: Row, index: number) => boolean): readonly Row[] {
    this.#guard()
    const rows: Row[] = []
    // Leaving the loop resets the statement.
    for (const row of this.#statement.iterate(...this.#values(parameters))) {
      if (!fits(row, rows.length)) break
      rows.push(row)
    }
    return rows
  }

  #values(parameters: Readonly<Record<string, SqlValue>>): SqlValue[] {
    const values: SqlValue[] = []
    for (const name of this.#names) {
      const value = parameters[name]
      if (value === undefined) assert(false, `parameter ${name} is missing`)
      values.push(value)
    }
    return values
  }
}

/**
 * The statement with numbers for its parameters, which are bound in half the time that names take, once each. A value that a column
 * is compared with is put behind a plus, which changes nothing else: at a bare one SQLite looks while it plans a join or a range,
 * and it plans anew, for ten times what the statement costs, whenever another value is bound.
 */
function numbered(sql: string, names: readonly string[]): string {
  const marked = sql.replaceAll(/(?<=[=<>] |\bis |\bis not )(?=:\w)/g, '+')
  return marked.replaceAll(parameter, (_, name: string) => `?${names.indexOf(name) + 1}`)
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

const parameter = /:(\w+)/g

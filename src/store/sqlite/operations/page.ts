// A page of rows: at most so many, and about so many bytes, but at least one.

import type { ParametersOf, Row, Statement } from '../statement.ts'
import { bytesOf } from './entry-row.ts'

/** The bounds of a page. */
export interface PageBounds {
  readonly max: bigint
  readonly bytesMax: bigint
}

/** Reads rows of entries; `more` when there was another one. The statement itself has no limit. */
export function readPage<S extends string>(
  statement: Statement<S>,
  parameters: ParametersOf<S>,
  { max, bytesMax }: PageBounds,
): { readonly rows: readonly Row[]; readonly more: boolean } {
  let bytes = 0n
  let more = false
  const rows = statement.rowsWhile(parameters, (row, index) => {
    bytes += bytesOf(row)
    more = index >= Number(max) || (index > 0 && bytes > bytesMax)
    return !more
  })
  return { rows, more }
}

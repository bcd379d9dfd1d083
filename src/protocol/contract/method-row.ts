// What the table of methods is made of.

import type * as v from 'valibot'

/** When a method may be called: before login, after it, or both. */
export type When = 'before login' | 'after login' | 'any time'

/** One method. Parameters a server does not know are refused; result fields a client does not know are ignored. */
export interface MethodRow {
  readonly what: string
  readonly when: When
  /** False for what does not count against the rate of its account, because the link or a bound of its own limits it. Default: true. */
  readonly paced?: false
  /** True for a page of what is stored: it counts against the rate of reading, not against that of what is said. Default: false. */
  readonly reads?: true
  /** How many requests it counts as against that rate, at most as many as it allows at once. Default: 1. */
  readonly cost?: number
  /** True for what waits for a disk: later requests may be answered before it. Default: false. */
  readonly apart?: true
  readonly params: v.GenericSchema<unknown, object>
  /**
   * The commonest parameters, as the schema has them but twenty times as fast; `undefined` where the schema decides. Whatever it takes the
   * schema takes too. Default: the schema decides always.
   */
  readonly plain?: (params: unknown) => object | undefined
  readonly result: v.GenericSchema<unknown, object>
}

// What one bound is, and the units in which the table is written.

/** One bound: its default, the range an operator may choose from, its unit, who enforces it, and what it bounds. */
export interface LimitRow {
  readonly value: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly by: string
  readonly what: string
}

export const KiB = 1024
export const MiB = 1024 * KiB
export const second = 1000
export const minute = 60 * second
/** Ceiling of counts that only memory bounds: high enough to lift a limit, low enough to stay an exact number. */
export const lifted = 1_000_000_000

export function row(value: number, min: number, max: number, unit: string, by: string, what: string): LimitRow {
  return { value, min, max, unit, by, what }
}

// How long something lasts, as people write it: `30m`, `12h`, `7d`.

import { type Origin, refuse } from './origin.ts'

/** The shortest and the longest duration that is accepted, in ms. */
export interface DurationRange {
  readonly min: number
  readonly max: number
}

/**
 * Reads a whole number of minutes, hours or days, in ms.
 * @throws {SealwireError} `usage` or `config_invalid`, as `origin` says, for everything else and for what is out of range.
 */
export function parseDuration(text: string, origin: Origin, { min, max }: DurationRange): number {
  const [, digits, letter = ''] = /^([1-9]\d{0,6})([mhd])$/.exec(text) ?? []
  const unit = unitsMs.get(letter)
  if (unit === undefined)
    throw refuse(origin, text, 'is not a duration', 'write a number of minutes, hours or days, such as 30m, 12h or 7d')
  const ms = Number(digits) * unit
  if (ms >= min && ms <= max) return ms
  throw refuse(origin, text, `is not from ${formatDuration(min)} to ${formatDuration(max)}`, 'write another duration, such as 7d')
}

/** As {@link parseDuration} reads it, in the largest unit that divides it. */
export function formatDuration(ms: number): string {
  const [letter, unit] = [...unitsMs].findLast(([, unitMs]) => ms % unitMs === 0) ?? ['m', minuteMs]
  return `${ms / unit}${letter}`
}

const minuteMs = 60_000
/** From the smallest to the largest. */
const unitsMs: ReadonlyMap<string, number> = new Map([
  ['m', minuteMs],
  ['h', 60 * minuteMs],
  ['d', 24 * 60 * minuteMs],
])

// Two forms of every test: a short one for each run, and the long one of `npm run faults`, which is asked for.

/** True for `npm run faults`. */
export const isLong = process.env['SEALWIRE_LONG'] === '1'

/** What the short form and the long form of a test have in common is everything but these. */
export function form<T>(short: T, long: T): T {
  return isLong ? long : short
}

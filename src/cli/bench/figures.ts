// What a measurement of somebody's server comes to: percentiles of waits, and whether the server has set the pace itself.

/** Waits in milliseconds, in the order in which they ended. */
export interface Waits {
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly mostMs: number
}

/** Of what was accepted, until the server held it back. */
export interface Pace extends Waits {
  readonly perSecond: number
  /** After how many it was held back, and what it let through from then on; `undefined` when it was not. */
  readonly heldBack: { readonly after: number; readonly perSecond: number } | undefined
}

/** One that was accepted: when, in milliseconds from the start, and how long that took. */
export interface Accepted {
  readonly atMs: number
  readonly waitMs: number
}

/** Percentiles; zeros where there is nothing. */
export function waitsOf(all: readonly number[]): Waits {
  const sorted = Float64Array.from(all).sort()
  const at = (share: number): number => thousandths(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0)
  return { count: all.length, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), mostMs: at(1) }
}

/**
 * How fast a server accepts. One that gives an account so many at once and few a second from then on has two paces: the first is
 * what it can do, the second what it lets be done. Where the last quarter of the time is far slower than the beginning, only what
 * came before the second pace is counted. `usualPerSecond`: what servers let be done; who finds no more than that from the start
 * on has used up the rest before, and has seen nothing else.
 */
export function paceOf(all: readonly Accepted[], { elapsedMs, usualPerSecond }: { elapsedMs: number; usualPerSecond: number }): Pace {
  const whole = perSecond(all.length, elapsedMs)
  const isUsual = all.length > 0 && whole <= usualPerSecond * aboutUsual
  const found = secondPace(all, elapsedMs) ?? (isUsual ? { after: 0, perSecond: whole } : undefined)
  const heldBack = elapsedMs < tellingMs ? undefined : found
  if (heldBack === undefined || heldBack.after === 0) return { ...waitsOf(all.map(({ waitMs }) => waitMs)), perSecond: whole, heldBack }
  const first = all.slice(0, Math.ceil(heldBack.after * surelyBefore))
  return { ...waitsOf(first.map(({ waitMs }) => waitMs)), perSecond: perSecond(first.length, first.at(-1)?.atMs ?? elapsedMs), heldBack }
}

function secondPace(all: readonly Accepted[], elapsedMs: number): Pace['heldBack'] {
  const quarter = Math.floor(all.length / 4)
  const early = all[quarter - 1]
  if (early === undefined) return undefined
  const late = perSecond(all.filter(({ atMs }) => atMs > elapsedMs * 0.75).length, elapsedMs / 4)
  if (late * slowerBy > perSecond(quarter, early.atMs)) return undefined
  // What was there at once: the rest came at the second pace from the first moment on.
  const after = Math.max(quarter, Math.round(all.length - late * (elapsedMs / 1000)))
  return { after, perSecond: late }
}

/** Enough for whoever reads it. */
function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000
}

function perSecond(count: number, ms: number): number {
  return thousandths(count / (Math.max(ms, 1) / 1000))
}

/** A machine with other work slows down too, but hardly by so much for a quarter of so long. */
const slowerBy = 5
const tellingMs = 2000
const aboutUsual = 1.25
/** When it began to hold back is reckoned, and messages overtake each other. */
const surelyBefore = 0.95

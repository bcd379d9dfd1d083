// What the topics of `npm run bench` share: what they are asked for, what they answer, and how everybody takes turns.

export interface Plan {
  /** How long one measurement counts. */
  readonly seconds: number
  /** How often everything is measured; what counts is the median. */
  readonly runs: number
  /** For data folders; it is removed at the end. */
  readonly folder: string
  /** Where the load generators in C++ are; `undefined` where they cannot be built, and those in TypeScript take their place. */
  readonly native: string | undefined
  /** Says what goes on, a line at a time. */
  readonly tell: (line: string) => void
  /** Notes that a peer is not measured, and why. */
  readonly missing: (peer: string, why: string) => void
}

/** What one measurement has seen. */
export interface Sample {
  /** What was done, per second of CPU of the server. */
  readonly rate: number
  readonly p99Ms?: number | undefined
}

/** One line of the table. */
export interface Row {
  readonly what: string
  /** With its unit. */
  readonly value: string
  readonly p99Ms?: number | undefined
  readonly ratios: readonly { readonly to: string; readonly ratio: number; readonly spread: readonly [number, number] }[]
  readonly goal: string
}

/** A server that takes part: ours comes first. */
export interface Subject {
  readonly name: string
  readonly measure: (cell: string) => Promise<Sample>
}

/** Measures a cell with everybody in turn, run after run, and makes a row of it: ratios are those within a run, and their median. */
export async function compare(
  plan: Plan,
  { what, cell, goal, unit = '/CPU s' }: { what: string; cell: string; goal: string; unit?: string },
  subjects: readonly Subject[],
): Promise<Row> {
  const rates = subjects.map((): number[] => [])
  const waits: number[] = []
  for (let run = 1; run <= plan.runs; run++) {
    for (const [index, { name, measure }] of subjects.entries()) {
      const { rate, p99Ms } = await measure(cell)
      plan.tell(
        `${what}, run ${run} of ${plan.runs}: ${name} ${grouped(rate)}${unit}${p99Ms === undefined ? '' : `, p99 ${p99Ms.toFixed(1)} ms`}`,
      )
      rates[index]?.push(rate)
      if (index === 0 && p99Ms !== undefined) waits.push(p99Ms)
    }
  }
  const [ours = [], ...others] = rates
  const ratios = others.map((theirs, index) => ({ to: subjects[index + 1]?.name ?? '', ...ratioOf(ours, theirs) }))
  return { what, value: `${grouped(median(ours))}${unit}`, ...(waits.length > 0 ? { p99Ms: median(waits) } : {}), ratios, goal }
}

/** Of what was measured in the same run, with the least and the most. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): { ratio: number; spread: readonly [number, number] } {
  const all = ours.map((each, run) => each / (theirs[run] ?? Number.NaN))
  return { ratio: median(all), spread: [Math.min(...all), Math.max(...all)] }
}

export function median(all: readonly number[]): number {
  return all.toSorted((one, other) => one - other)[all.length >> 1] ?? Number.NaN
}

/** `12,300`: three digits that mean something. */
export function grouped(value: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 2)
  return (Math.round(value / step) * step).toLocaleString('en-US')
}

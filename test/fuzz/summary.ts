// A run in a line.

import type { FuzzReport } from './fuzz.ts'
import type { FuzzTarget } from './target.ts'

export function summary({ target, seed, inputs, accepted, ways, ms }: FuzzReport, { reached = new Map() }: FuzzTarget): string {
  const share = ((100 * accepted) / inputs).toFixed(1)
  const deep = [...reached].map(([what, times]) => `, ${times} ${what}`).join('')
  return `${target}: ${inputs} inputs, ${share} % accepted, ${ways.size} ways${deep}; ${((1_000 * ms) / inputs).toFixed(1)} µs each (seed ${seed})`
}

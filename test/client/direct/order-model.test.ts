// What is said directly, against everything that chance can do to it: thousands of short runs, each of which follows from its
// number. `SEED=N` repeats one.

import { describe, expect, test } from 'bun:test'
import { isLong } from '../../faults/form.ts'
import { type Outcome, run } from './order-run.ts'

const { SEED: seed } = process.env
const first = seed === undefined ? 1 : Number(seed)
const count = seed === undefined ? (isLong ? 100_000 : 2_000) : 1

describe('what is said directly', () => {
  test('is handed out once, in the order of the server as far as its author knew it, and never lost', async () => {
    const failed: string[] = []
    const total = { direct: 0, relayed: 0, refusals: new Map<string, number>() }
    for (let one = first; one < first + count; one++) {
      const outcome = await run(one)
      add(total, outcome)
      if (outcome.problems.length > 0) failed.push(`SEED=${one}: ${outcome.problems.slice(0, 4).join('; ')}`)
    }
    console.log(
      `${count} runs: ${total.direct} directly, ${total.relayed} relayed, refused ${JSON.stringify([...total.refusals])}, ${failed.length} failed`,
    )
    expect(failed.slice(0, 10)).toEqual([])
    // A run in which nothing comes directly would prove nothing.
    if (count > 1) expect(total.direct).toBeGreaterThan(total.relayed / 20)
  }, 300_000)
})

function add(total: { direct: number; relayed: number; refusals: Map<string, number> }, { direct, relayed, refusals }: Outcome): void {
  total.direct += direct
  total.relayed += relayed
  for (const [code, times] of refusals) total.refusals.set(code, (total.refusals.get(code) ?? 0) + times)
}

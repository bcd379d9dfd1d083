// The simulation finds each of the bugs that are in bugs.ts: a copy of the sources is given it, and worlds are run until one fails.

import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Turns } from '../../src/server/turns.ts'
import { form } from '../faults/form.ts'
import { Mutant } from '../faults/mutant.ts'
import { type Bug, bugs } from './bugs.ts'
import { runWorlds } from './run-worlds.ts'

/** From the seed that is known to show it; the long form looks for it from the first. */
const seedsMax = form(60, 400)
const msMax = form(240_000, 1_800_000)
const copied = ['test/simulation', 'test/faults/random.ts', 'test/faults/mutant.ts', 'test/support/program-flags.ts']

interface Found {
  readonly seed: number
  readonly step: number
  readonly failure: string
  readonly hash: string
}

/** Two at a time. */
const turns = new Turns({ width: 2, waitingMax: bugs.length })

test('there are twenty bugs at least, each with a name of its own', () => {
  expect(bugs.length).toBeGreaterThanOrEqual(20)
  expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length)
})

test('docs/simulation.md has a row for each, and no other', () => {
  const page = readFileSync(new URL('../../docs/simulation.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('\n## It finds bugs\n')
  const [, rows = ''] = (section.split('\n## ')[0] ?? '').split('\n| --- | --- |\n')
  expect(rows.split('\n\n')[0]?.trim().split('\n')).toEqual(bugs.map(({ name, breaks }) => `| ${name} | \`${breaks}\` |`))
})

describe('the simulation finds', () => {
  for (const bug of bugs) {
    test.concurrent(
      bug.name,
      async () => {
        const [found, again] = await turns.run(() => search(bug))
        console.log(`${bug.name}: ${found === undefined ? 'not found' : `seed ${found.seed}, step ${found.step}: ${found.failure}`}`)
        // Not only that a world fails, but for the reason that the list gives.
        expect(found?.failure.split(':')[0]).toBe(bug.breaks)
        expect(again).toEqual(found as Found)
      },
      bugs.length * msMax,
    )
  }
})

/** The world that shows it, twice: a seed that fails fails again, at the same step. */
async function search({ seed, mutations }: Bug): Promise<readonly Found[]> {
  using mutant = new Mutant(mutations, copied)
  const program = join(mutant.path, 'test/simulation/main.ts')
  const first = foundIn((await runWorlds({ from: form(seed, 1), seeds: seedsMax, stop: true, program, msMax })).output)
  if (first === undefined) return []
  const second = foundIn((await runWorlds({ from: first.seed, seeds: 1, program, msMax })).output)
  return second === undefined ? [first] : [first, second]
}

function foundIn(output: string): Found | undefined {
  const [, seed, step, failure = '', hash = ''] = /^seed (\d+) failed at step (\d+): (.*)\n(?: {4}.*\n)* {2}hash (\w+);/m.exec(output) ?? []
  if (seed === undefined) console.log(output.slice(-2_000))
  return seed === undefined ? undefined : { seed: Number(seed), step: Number(step), failure: failure.slice(0, 200), hash }
}

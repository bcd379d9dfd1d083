// Worlds whose seeds are always the same: what once held has to hold again. docs/simulation.md says what they are made of.

import { expect, test } from 'bun:test'
import { form } from '../faults/form.ts'
import { runWorlds } from './run-worlds.ts'
import { simulate } from './world.ts'

/** Two processes, because there are two cores nearly everywhere. */
const lanes = 2
const seedsMax = form(1_000, 20_000)
const msMax = form(900_000, 14_400_000)

test(
  `nothing is lost, doubled or leaked in ${seedsMax} worlds`,
  async () => {
    const seeds = seedsMax / lanes
    const said = await Promise.all(Array.from({ length: lanes }, (_, lane) => runWorlds({ from: 1 + lane * seeds, seeds, msMax })))
    for (const { output } of said) console.log(output.trim().slice(-4_000))
    expect(said.map(({ isGood }) => isGood)).toEqual(said.map(() => true))
  },
  msMax + 10_000,
)

test('the same seed is the same world, also in another process', async () => {
  const [one, again, other] = [await simulate(7), await simulate(7), await simulate(8)]
  const { output } = await runWorlds({ from: 7, seeds: 1, verbose: true, msMax: 120_000 })
  expect(again.hash).toBe(one.hash)
  expect(again.steps).toBe(one.steps)
  expect(output).toContain(one.hash)
  expect(other.hash).not.toBe(one.hash)
}, 180_000)

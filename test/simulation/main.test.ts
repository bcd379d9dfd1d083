// The program that people run: worlds are the same in every process, and what it cannot read it does not guess.

import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { runWorlds, simulateProgram } from './run-worlds.ts'

const seeds = 10

test('ten worlds are the same in two processes, each of them', async () => {
  const run = () => runWorlds({ from: 101, seeds, verbose: true, msMax: 120_000 })
  const [one, other] = (await Promise.all([run(), run()])).map(({ output }) => output.match(/^seed .*$/gm) ?? [])
  expect(one).toHaveLength(seeds)
  expect(other).toEqual(one ?? [])
  expect(new Set(one?.map((line) => line.split(' hash ')[1])).size).toBe(seeds)
}, 180_000)

test('says what it takes where it is given something else', () => {
  for (const flags of [['--seeds', 'abc'], ['--from', '-1'], ['--sedes', '5'], ['7']]) {
    const { status, stderr, stdout } = spawnSync(process.execPath, [simulateProgram, ...flags], { encoding: 'utf8', timeout: 60_000 })
    expect({ flags, status, stderr, stdout }).toEqual({
      flags,
      status: 2,
      stderr: expect.stringMatching(/^usage: npm run simulate /),
      stdout: '',
    })
  }
}, 180_000)

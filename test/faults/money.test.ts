// Payers order at random, all at once, while everything fails that can fail: the total is the same on every look, nobody is ever
// below their floor, what was acknowledged is in the ledger once, what was refused never, and what had no answer has one in the end.

import { expect, test } from 'bun:test'
import { isMissing } from '../support/python.ts'
import { mayMount, skipWithout } from '../support/store-contents.ts'
import { form } from './form.ts'
import { mayTrace } from './money-disk.ts'
import { type MoneyFaultKind, moneySchedule, runMoney } from './money-run.ts'
import { MoneyWorld } from './money-world.ts'
import { randomOf, seedOf } from './random.ts'

const options = form(
  { operations: 12_000, faults: 24, wanted: 15, processes: 4, diskBytes: 512 * 2 ** 20, msMax: 300_000 },
  { operations: 1_000_000, faults: 580, wanted: 500, processes: 8, diskBytes: 8 * 2 ** 30, msMax: 5_400_000 },
)

test.skipIf(isMissing('python3-cbor2'))(
  `${options.operations} orders of 16 payers with ${options.faults} faults`,
  async () => {
    const { faults, wanted, msMax, ...others } = options
    const seed = seedOf('money')
    const kinds = await kindsHere()
    const diskBytes = kinds.has('full') && mayMount() ? options.diskBytes : undefined
    await using world = await MoneyWorld.make({ ...others, accounts: 12, payers: 16, inFlight: 48, friends: true, seed, diskBytes })
    const ran = await runMoney(world, moneySchedule(randomOf(seed), { count: faults, outcomes: others.operations, kinds }), { msMax })
    const { problems, first, proof, wrongTotals, ...figures } = ran
    console.log(`money: SEED=${seed}`, JSON.stringify(figures), proof.trim())
    expect(first).toEqual([])
    expect(problems).toEqual({})
    expect(wrongTotals).toEqual([])
    expect(proof).toMatch(/^good: /)
    expect(figures.attempts).toBeGreaterThanOrEqual(options.operations)
    expect(figures.acknowledged + figures.refused).toBe(figures.attempts)
    const { before: _before, after: _after, ...ends } = figures.faults
    expect(figures.cuts + Object.values(ends).reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(wanted)
    expect(figures.reads).toBeGreaterThan(10)
    for (const kind of kinds) expect([kind, figures.faults[kind] > 0]).toEqual([kind, true])
  },
  options.msMax + 600_000,
)

/** What can happen on this machine. */
async function kindsHere(): Promise<ReadonlySet<MoneyFaultKind>> {
  const always: MoneyFaultKind[] = ['server', 'client', 'before', 'after']
  const traces = await mayTrace()
  const traced: MoneyFaultKind[] = skipWithout('the right to trace a process with strace', traces, { skippable: true })
    ? []
    : ['sync', 'write']
  const full: MoneyFaultKind[] = skipWithout('the right to mount an image', mayMount(), { skippable: true }) && !traces ? [] : ['full']
  return new Set([...always, ...traced, ...full])
}

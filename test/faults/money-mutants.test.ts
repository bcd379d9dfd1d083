// The run of money.test.ts finds what it is for: servers that break the promise, each in another way. Long form only.

import { describe, expect, test } from 'bun:test'
import { isMissing } from '../support/python.ts'
import { skipWithout } from '../support/store-contents.ts'
import { isLong } from './form.ts'
import { moneySchedule, runMoney } from './money-run.ts'
import { MoneyWorld } from './money-world.ts'
import { Mutant, type Mutation } from './mutant.ts'
import { randomOf, seedOf } from './random.ts'

const skip = skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }) || isMissing('python3-cbor2')
/** Chance may let a run pass by what is wrong: one of a few has to find it. */
const runsMax = 3
const [operations, faults, msMax] = [6_000, 24, 240_000]

const mutants: readonly (readonly [what: string, rule: string, mutations: readonly Mutation[]])[] = [
  [
    'an answer before the commit',
    'once',
    [
      {
        file: 'store/sqlite/engine.ts',
        from: `    const outcomes = this.#uncommitted(`,
        to: `    if (database.inTransaction) database.control('commit')\n    const outcomes = this.#uncommitted(`,
      },
      {
        file: 'store/sqlite/engine.ts',
        from: `      database.control('commit')\n`,
        to: `      if (kind === 'read') database.control('commit')\n`,
      },
    ],
  ],
  [
    'other bytes under a known id that are taken for the same',
    'once',
    [
      {
        file: 'store/sqlite/operations/ledger-transfer.ts',
        from: `if (Buffer.compare(blob(row, 'digest'), digest) !== 0) {`,
        to: `if (Buffer.compare(blob(row, 'digest'), digest) > 1) {`,
      },
    ],
  ],
  [
    'a frozen account that pays',
    'bound',
    [
      {
        file: 'store/sqlite/operations/ledger-pay.ts',
        from: `  requireThawed(from, to)\n`,
        to: `  if (amount < 0n) requireThawed(from, to)\n`,
      },
    ],
  ],
  [
    'a day without a bound',
    'bound',
    [
      {
        file: 'store/sqlite/operations/ledger-spent.ts',
        from: `if (dayMax !== undefined && `,
        to: `if (dayMax !== undefined && dayMax < 0n && `,
      },
    ],
  ],
  [
    'a payment without its message',
    'message',
    [
      {
        file: 'store/sqlite/operations/ledger-order.ts',
        from: `messages === undefined ? []`,
        to: `messages === undefined || order.kind === 'refund' ? []`,
      },
    ],
  ],
]

describe.skipIf(skip)('a run with faults finds', () => {
  for (const [what, rule, mutations] of mutants) {
    test(
      what,
      async () => {
        using mutant = new Mutant(mutations)
        const seed = seedOf(what)
        const found = new Set<string>()
        for (let index = 0; index < runsMax && !found.has(rule); index++) {
          for (const each of await findings(seed + index, mutant.program)) found.add(each)
        }
        console.log(`${what}: ${[...found].join(', ')}`)
        expect([...found]).toContain(rule)
      },
      runsMax * 2 * msMax,
    )
  }
})

/** The rules that are broken. A run that comes to no end shows nothing: it may be for another reason. */
async function findings(seed: number, program: string): Promise<readonly string[]> {
  const people = { accounts: 6, payers: 8, processes: 2, inFlight: 32, friends: true }
  await using world = await MoneyWorld.make({ ...people, operations, seed, diskBytes: undefined, program })
  const kinds = new Set(['server', 'before', 'after'] as const)
  try {
    const ran = await runMoney(world, moneySchedule(randomOf(seed), { count: faults, outcomes: operations, kinds }), { msMax })
    return Object.keys(ran.problems)
  } catch (reason) {
    console.log(String(reason))
    return []
  }
}

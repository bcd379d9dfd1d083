// Eight programs say thousands of things to each other while everything is killed: nothing that was acknowledged is lost or comes
// twice, and everybody has the same order. The short form is a twentieth of the long one (`npm run faults`).

import { expect, test } from 'bun:test'
import { isMissing } from '../support/python.ts'
import { form } from './form.ts'
import { seedOf } from './random.ts'
import { talk } from './talk.ts'

const { wanted, ...options } = form(
  { messages: 504, faults: 16, wanted: 10, paceMs: 40, msMax: 100_000 },
  { messages: 10_000, faults: 260, wanted: 200, paceMs: 40, msMax: 3_000_000 },
)

test.skipIf(isMissing('python3'))(
  `${options.messages} messages of 8 clients arrive once and in one order, whatever is killed`,
  async () => {
    const seed = seedOf('messages')
    const { problems, first, ...figures } = await talk({ ...options, seed })
    console.log(`messages: SEED=${seed}`, JSON.stringify(figures))
    expect(first).toEqual([])
    expect(problems).toEqual({})
    expect(figures.acknowledged).toBe(options.messages + 2)
    const { serverKills, clientKills, cuts } = figures.faults
    expect(serverKills + clientKills + cuts).toBeGreaterThanOrEqual(wanted)
    expect(Math.min(serverKills, clientKills, cuts)).toBeGreaterThan(0)
  },
  options.msMax + 20_000,
)

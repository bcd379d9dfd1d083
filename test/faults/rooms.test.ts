// A room of many, each with three devices, while everything is killed: every device gets everything once, also what its own
// account said on another one. Devices are sessions inside few processes.

import { expect, test } from 'bun:test'
import { isMissing } from '../support/python.ts'
import type { Send } from './application.ts'
import { run, schedule } from './fault-run.ts'
import { form } from './form.ts'
import { randomOf, seedOf } from './random.ts'
import { World } from './world.ts'

const { members, rooms, perDevice, faults, wanted, processes, paceMs, msMax } = form(
  { members: 8, rooms: 1, perDevice: 12, faults: 18, wanted: 10, processes: 2, paceMs: 300, msMax: 100_000 },
  { members: 50, rooms: 2, perDevice: 67, faults: 260, wanted: 200, processes: 5, paceMs: 1_000, msMax: 3_600_000 },
)
const devices = 3
const messages = members * devices * perDevice
const accounts = Array.from({ length: members }, (_, index) => `member${index}`)

test.skipIf(isMissing('python3'))(
  `${messages} messages of ${members} members with ${devices} devices each reach every device once and in one order`,
  async () => {
    const seed = seedOf('rooms')
    const random = randomOf(seed)
    await using world = await World.make({
      accounts,
      devices,
      contacts: accounts.map((name, index): [string, string] => [name, neighbourOf(index)]),
      rooms: Array.from({ length: rooms }, () => accounts),
      processes,
      processOf: (account) => account % processes,
      // What a kill takes from a process it does not take from the files that it wrote; power cuts have a test of their own.
      application: { isDurable: false, paceMs },
    })
    const numbers = world.conversations.filter(({ kind }) => kind === 'room').map(({ conversation }) => conversation)
    world.plan((account, device) => sends(account, device))

    function sends(account: string, device: number): Send[] {
      return Array.from({ length: perDevice }, (_, index) => ({
        to: random() < directPart ? neighbourOf(accounts.indexOf(account)) : (numbers[index % numbers.length] ?? 0),
        text: `${account} ${device} ${index}`,
      }))
    }

    const { problems, first, ...figures } = await run(world, schedule(random, { count: faults, messages, clients: processes }), { msMax })
    console.log(`rooms: SEED=${seed}`, JSON.stringify(figures))
    expect(first).toEqual([])
    expect(problems).toEqual({})
    expect(figures.acknowledged).toBe(messages + 2)
    const { serverKills, clientKills, cuts } = figures.faults
    expect(serverKills + clientKills + cuts).toBeGreaterThanOrEqual(wanted)
    expect(Math.min(serverKills, clientKills, cuts)).toBeGreaterThan(0)
  },
  msMax + 20_000,
)

function neighbourOf(index: number): string {
  return accounts[(index + 1) % accounts.length] ?? ''
}

const directPart = 0.1

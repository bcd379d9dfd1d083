// The run of the first test, which the mutants of the product go through too.

import type { Send } from './application.ts'
import { type Ran, run, schedule } from './fault-run.ts'
import { below, randomOf } from './random.ts'
import { World, type WorldOptions } from './world.ts'

export interface TalkOptions {
  readonly seed: number
  readonly messages: number
  readonly faults: number
  readonly paceMs: number
  readonly msMax: number
  readonly server?: WorldOptions['server']
}

/** Eight clients with an account each, all of them contacts, and in one room. */
export const talkers: readonly string[] = Array.from({ length: 8 }, (_, index) => `client${index}`)

export async function talk({ seed, messages, faults, paceMs, msMax, server }: TalkOptions): Promise<Ran> {
  const random = randomOf(seed)
  await using world = await World.make({
    accounts: talkers,
    contacts: talkers.flatMap((one, index) => talkers.slice(index + 1).map((other): [string, string] => [one, other])),
    rooms: [talkers],
    processes: talkers.length,
    processOf: (account) => account,
    application: { paceMs },
    ...(server && { server }),
  })
  const room = world.conversations.find(({ kind }) => kind === 'room')?.conversation ?? 0
  world.plan((account) => {
    const others = talkers.filter((each) => each !== account)
    return Array.from(
      { length: messages / talkers.length },
      (_, index): Send => ({
        to: random() < roomPart ? room : (others[below(random, others.length)] ?? ''),
        text: `${account} ${index} ${'.'.repeat(below(random, paddingMax))}`,
      }),
    )
  })
  return await run(world, schedule(random, { count: faults, messages, clients: talkers.length }), { msMax })
}

const roomPart = 0.2
const paddingMax = 400

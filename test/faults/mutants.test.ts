// The run of messages.test.ts finds what it is for: servers that break the promise, each in another way. Long form only.

import { describe, expect, test } from 'bun:test'
import { isMissing } from '../support/python.ts'
import { skipWithout } from '../support/store-contents.ts'
import { isLong } from './form.ts'
import { Mutant, type Mutation } from './mutant.ts'
import { seedOf } from './random.ts'
import { talk, type TalkOptions } from './talk.ts'

const skip = skipWithout('SEALWIRE_LONG=1', isLong, { skippable: true }) || isMissing('python3')

/** Kills of the server, or of connections, are what shows it: a run has some tens of them, and one of a few runs has to. */
const runsMax = 3
const options = { messages: 1_000, faults: 60, paceMs: 40, msMax: 240_000 }

const mutants: Readonly<Record<string, readonly Mutation[]>> = {
  'an answer before the commit': [
    {
      file: 'store/sqlite/engine.ts',
      from: `      database.control('commit')\n`,
      to: `      if (kind === 'read') database.control('commit')\n`,
    },
    {
      file: 'store/sqlite/engine.ts',
      from: `    const outcomes = this.#uncommitted(`,
      to: `    if (database.inTransaction) database.control('commit')\n    const outcomes = this.#uncommitted(`,
    },
  ],
  // What is not pushed a client asks for; what counts as stored does not come again.
  'an acknowledgement that covers one entry more': [
    {
      file: 'server/contract/inbox-methods.ts',
      from: 'server.marks.acknowledge(account, device, BigInt(params.seq))',
      to: 'server.marks.acknowledge(account, device, BigInt(params.seq) + 1n)',
    },
  ],
  'a repetition that is taken for something new': [
    { file: 'store/sqlite/delivery-schema.ts', from: 'create unique index entry_id', to: 'create index entry_id' },
    { file: 'store/sqlite/migrations.ts', from: 'create unique index entry_by_id', to: 'create index entry_by_id' },
    { file: 'store/sqlite/entry-order-schema.ts', from: 'create unique index entry_by_id', to: 'create index entry_by_id' },
    { file: 'store/sqlite/operations/post.ts', from: 'on conflict (id, author_id) do nothing', to: '' },
    { file: 'store/sqlite/operations/post.ts', from: 'return row && repetitionOf(row)', to: 'return row && undefined' },
  ],
}

describe.skipIf(skip)('a run with faults finds', () => {
  for (const [what, mutations] of Object.entries(mutants)) {
    test(
      what,
      async () => {
        using mutant = new Mutant(mutations)
        const seed = seedOf(what)
        const found: string[] = []
        for (let index = 0; index < runsMax && found.length === 0; index++) {
          found.push(...(await findings({ ...options, seed: seed + index, server: { program: mutant.program } })))
        }
        console.log(`${what}: ${JSON.stringify(found.slice(0, 3))}`)
        expect(found.length).toBeGreaterThan(0)
      },
      runsMax * 2 * options.msMax,
    )
  }
})

/** What is wrong with the journals. A run that comes to no end shows nothing: it may be for another reason. */
async function findings(how: TalkOptions): Promise<readonly string[]> {
  try {
    return (await talk(how)).first
  } catch (reason) {
    console.log(String(reason))
    return []
  }
}

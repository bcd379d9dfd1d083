import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { inMemory } from '../../../../src/store/index.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'
import { type Step, steps } from '../../../../src/store/sqlite/operations.ts'

const limits = { ...resolveLimits(), throttlesTrackedMax: 50 }

describe('throttle.fail', () => {
  test('the kept count of rows is the true one, whatever is added, forgotten and cleared', () => {
    let counts: unknown
    const count: Step<'account.rehash'> = {
      kind: 'read',
      run(database) {
        counts = { ...database.prepare('select rows, (select count(*) from throttle) as truth from throttle_size').row({}) }
        return true
      },
    }
    using engine = new Engine(inMemory, limits, { steps: { ...steps, 'account.rehash': count } })
    const keys = Array.from({ length: 30 }, (_, index) => `address:${index}`)
    const fail = (failing: readonly string[], at: bigint) =>
      ({ name: 'throttle.fail', input: { keys: failing, at, windowMs: 100n } }) as const
    const look = { name: 'account.rehash', input: { id: 0n, from: '', to: '' } } as const
    engine.execute([fail(keys, 1n), fail(keys, 2n), look])
    expect(counts).toEqual({ rows: 30n, truth: 30n })
    engine.execute([
      fail(
        keys.map((key) => `${key}-2`),
        3n,
      ),
      look,
    ])
    expect(counts).toEqual({ rows: 50n, truth: 50n })
    engine.execute([{ name: 'throttle.clear', input: { keys: [...keys, ...keys.map((key) => `${key}-2`)] } }, look])
    expect(counts).toEqual({ rows: 0n, truth: 0n })
  })
})

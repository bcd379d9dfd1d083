import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { inMemory, type NewAccount } from '../../../src/store/index.ts'
import { Engine } from '../../../src/store/sqlite/engine.ts'
import { type Step, type Steps, steps } from '../../../src/store/sqlite/operations.ts'

// What the operations answer is the contract's and is tested in test/compliance/store.ts for every store.

const limits = { ...resolveLimits(), throttlesTrackedMax: 50 }

describe('steps', () => {
  test('a forgotten or misspelt operation does not compile', () => {
    const { 'throttle.clear': _, ...rest } = steps
    // @ts-expect-error An operation is missing.
    const forgotten: Steps = rest
    // @ts-expect-error There is no such operation.
    const misspelt: Steps = { ...steps, 'throttle.clean': steps['throttle.clear'] }
    expect([forgotten, misspelt]).toHaveLength(2)
  })

  test('only those that change nothing are reads', () => {
    const reads = Object.entries(steps).filter(([, { kind }]) => kind === 'read')
    expect(reads.map(([name]) => name)).toEqual(['account.find', 'throttle.read'])
  })
})

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

describe('account.create', () => {
  test('takes nothing but what the contract names', () => {
    using engine = new Engine(inMemory, limits)
    const input = { name: 'a', key: 'a', skeleton: 'a', passwordHash: 'x', createdAt: 1n, role: 'admin' } satisfies NewAccount & {
      role: string
    }
    const [outcome] = engine.execute([{ name: 'account.create', input }])
    expect(outcome).toEqual({ value: { id: 1n, name: 'a', key: 'a', passwordHash: 'x', createdAt: 1n } })
  })
})

import { describe, expect } from 'bun:test'
import fc from 'fast-check'
import type { Throttle } from '../../src/store/index.ts'
import type { StoreSubject, WithStore } from './store-subject.ts'

export function throttleCompliance(name: string, withStore: WithStore): void {
  describe(`${name}: throttle`, () => {
    withStore('failures are counted for each key, in the order of the keys', async (store) => {
      await store.run('throttle.fail', { keys: ['address:b'], at: 10n, windowMs: 100n })
      const rows = await store.run('throttle.fail', { keys: ['account:a', 'address:b'], at: 20n, windowMs: 100n })
      expect(rows).toEqual([throttle('account:a', 1n, 20n, 20n), throttle('address:b', 2n, 10n, 20n)])
    })

    withStore('the window of an address begins with its first failure, that of an account with its last', async (store) => {
      const keys = ['account:a', 'address:b']
      for (const at of [0n, 100n]) await store.run('throttle.fail', { keys, at, windowMs: 100n })
      const rows = await store.run('throttle.fail', { keys, at: 101n, windowMs: 100n })
      expect(rows).toEqual([throttle('account:a', 3n, 0n, 101n), throttle('address:b', 1n, 101n, 101n)])
      const later = await store.run('throttle.fail', { keys, at: 202n, windowMs: 100n })
      expect(later).toEqual([throttle('account:a', 1n, 202n, 202n), throttle('address:b', 1n, 202n, 202n)])
    })

    withStore('only rows that exist are read, and cleared ones no longer exist', async (store) => {
      await store.run('throttle.fail', { keys: ['account:a', 'account:b'], at: 1n, windowMs: 100n })
      expect(await store.run('throttle.clear', { keys: ['account:a', 'account:c'] })).toBeUndefined()
      const rows = await store.run('throttle.read', { keys: ['account:a', 'account:b', 'account:c'] })
      expect(rows).toEqual([throttle('account:b', 1n, 1n, 1n)])
    })

    withStore(
      'beyond throttlesTrackedMax the rows that failed longest ago are forgotten',
      async (store) => {
        for (const [at, key] of ['a', 'b', 'c'].entries()) await store.run('throttle.fail', { keys: [key], at: BigInt(at), windowMs: 100n })
        await store.run('throttle.fail', { keys: ['a'], at: 3n, windowMs: 100n })
        await store.run('throttle.fail', { keys: ['d'], at: 4n, windowMs: 100n })
        const rows = await store.run('throttle.read', { keys: ['a', 'b', 'c', 'd'] })
        expect(rows.map(({ key }) => key).sort()).toEqual(['a', 'c', 'd'])
      },
      { throttlesTrackedMax: 3 },
    )

    withStore('any sequence of failures, reads and clears does what a map would do', async (store) => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(throttleSteps, { maxLength: 30 }), async (steps) => {
          const prefix = `${run++}-`
          const model = new Map<string, Throttle>()
          for (const [index, { action, key }] of steps.entries()) {
            await playThrottle(store, model, { action, key: key.replace(':', `:${prefix}`), at: BigInt(index * 10) })
          }
        }),
        { numRuns: 15 },
      )
    })
  })
}

const throttleSteps = fc.record({
  action: fc.constantFrom('fail', 'fail', 'fail', 'read', 'clear'),
  key: fc.constantFrom('account:a', 'account:b', 'address:c'),
})

/** Plays one step on the store and on the model, and compares. The window is 25 ms, a step takes 10. */
async function playThrottle(
  store: StoreSubject,
  model: Map<string, Throttle>,
  { action, key, at }: { readonly action: string; readonly key: string; readonly at: bigint },
): Promise<void> {
  const keys = [key]
  if (action === 'clear') {
    await store.run('throttle.clear', { keys })
    model.delete(key)
  } else if (action === 'fail') {
    const old = model.get(key)
    const since = old === undefined || at - (key.startsWith('account:') ? old.lastAt : old.since) > 25n ? at : old.since
    model.set(key, throttle(key, since === at ? 1n : (old?.failures ?? 0n) + 1n, since, at))
    await store.run('throttle.fail', { keys, at, windowMs: 25n })
  }
  const row = model.get(key)
  expect(await store.run('throttle.read', { keys })).toEqual(row === undefined ? [] : [row])
}

function throttle(key: string, failures: bigint, since: bigint, lastAt: bigint): Throttle {
  return { key, failures, since, lastAt }
}

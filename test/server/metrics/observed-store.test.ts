import { expect, test } from 'bun:test'
import { SealwireError } from '../../../src/protocol/index.ts'
import { observedStore, StoreCounts } from '../../../src/server/metrics/observed-store.ts'
import type { Output, Store } from '../../../src/store/index.ts'
import { settle } from '../../support/manual-clock.ts'

/** Answers each request with the next of `answers`; an error is thrown. */
function storeOf(answers: unknown[]): Store {
  const run = async (): Promise<never> => {
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer as never
  }
  return { run, close: async () => {}, [Symbol.asyncDispose]: async () => {} }
}

test('counts what was asked, what came of it, and what waits', async () => {
  const counts = new StoreCounts()
  const store = observedStore(storeOf([undefined, new SealwireError('busy', 'later')]), counts, () => 5)
  const asked = [store.run('account.findById', { id: 1n }), store.run('account.findById', { id: 2n })]
  expect(counts.underWay).toBe(2)
  const settled = await Promise.allSettled(asked)
  await settle()
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(counts.underWay).toBe(0)
  const { answered, refused } = counts.of('account.findById')
  expect([answered, refused.entries, counts.doubtful]).toEqual([1, [['busy', 1]], 0])
})

test('counts entries and transfers once, however often they are asked for', async () => {
  const counts = new StoreCounts()
  const posted = (repeated: boolean) => ({ repeated })
  const ordered = (repeated: boolean) => ({ repeated, transfer: { kind: 'pay' } })
  const expired: Output<'inbox.expire'> = { entries: 3n, more: false }
  const answers = [posted(false), posted(true), ordered(false), ordered(true), new SealwireError('frozen', 'it is'), expired]
  const store = observedStore(storeOf(answers), counts, () => 5)
  const entry = { kind: 'message' } as never
  await store.run('entry.post', entry)
  await store.run('entry.post', entry)
  await store.run('ledger.order', {} as never)
  await store.run('ledger.order', {} as never)
  await store.run('ledger.order', {} as never).catch(() => {})
  await store.run('inbox.expire', {} as never)
  await settle()
  expect(counts.entries.entries).toEqual([['message', 1]])
  expect(counts.transfers.entries).toEqual([['pay', 1]])
  expect(counts.transfersRefused.entries).toEqual([['frozen', 1]])
  expect(counts.inboxEntriesExpired).toBe(3)
})

test('notes when the store did not know what it had done', async () => {
  const counts = new StoreCounts()
  const store = observedStore(storeOf([new SealwireError('unknown_outcome', 'perhaps')]), counts, () => 1234)
  await store.run('account.findById', { id: 1n }).catch(() => {})
  await settle()
  expect([counts.doubtful, counts.doubtfulAt]).toEqual([1, 1234])
})

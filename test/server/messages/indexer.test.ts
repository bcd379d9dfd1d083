import { expect, test } from 'bun:test'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { Indexer } from '../../../src/server/messages/indexer.ts'
import { silentLog } from '../../../src/server/log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const limits = resolveLimits()

/** What the store was asked, and what it answers: whether there is more, after so many milliseconds, or that it cannot. */
function play(answers: (boolean | SealwireError)[], tookMs = 0) {
  const clock = new ManualClock()
  const asked: number[] = []
  const run = async (): Promise<boolean> => {
    const answer = answers[asked.length] ?? false
    asked.push(clock.now())
    if (tookMs > 0) await new Promise<void>((resolve) => clock.after(tookMs, resolve))
    if (typeof answer !== 'boolean') throw answer
    return answer
  }
  const indexer = new Indexer({ store: { run }, clock, log: silentLog, limits })
  return { clock, asked, indexer }
}

test('indexes what was said together in one group, and nothing when nothing was said', async () => {
  const { clock, asked, indexer } = play([])
  await clock.move(10_000)
  expect(asked.length).toBe(0)
  for (let index = 0; index < 100; index++) indexer.wake()
  await clock.move(10_000)
  expect(asked.length).toBe(1)
})

test('rests between groups three times as long as one took', async () => {
  const { clock, asked, indexer } = play([true, true, false], 100)
  indexer.wake()
  await clock.move(5_000)
  expect(asked.map((at) => at - (asked[0] ?? 0))).toEqual([0, 400, 800])
})

test('looks again when something was said while a group was under way', async () => {
  const { clock, asked, indexer } = play([], 100)
  indexer.wake()
  await clock.move(100)
  indexer.wake()
  await clock.move(5_000)
  expect(asked.length).toBe(2)
})

test('goes on after the store could not, and ends with what is under way', async () => {
  const { clock, asked, indexer } = play([new SealwireError('storage_full', 'no room')], 100)
  indexer.wake()
  await clock.move(limits.retentionSweepMs + 1_000)
  expect(asked.length).toBe(2)
  indexer.wake()
  await indexer.close()
  await clock.move(5_000)
  expect(asked.length).toBe(2)
})

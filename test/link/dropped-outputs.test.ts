import { expect, test } from 'bun:test'
import { Flusher } from '../../src/link/index.ts'
import { Output, type OutputOwner } from '../../src/link/output.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** An output whose peer takes nothing. */
function blockedOutput(outputBytesMax: number) {
  const clock = new ManualClock()
  const limits = { ...resolveLimits(), outputBytesMax, outputBytesHigh: outputBytesMax }
  const flusher = new Flusher(limits, clock)
  let overflows = 0
  const owner: OutputOwner = { write: () => 0, finished() {}, overflowed: () => void overflows++, drained() {} }
  const output = new Output(owner, flusher, limits)
  return { clock, limits, flusher, output, overflows: () => overflows }
}

test('an output that grew too long is counted as such', () => {
  const { flusher, output, overflows } = blockedOutput(100_000)
  output.send(new Uint8Array(60_000))
  output.flush()
  expect([flusher.blocked, flusher.dropped]).toEqual([
    { outputs: 1, bytes: 60_000 },
    { bytes: 0, stalled: 0 },
  ])
  output.send(new Uint8Array(60_000))
  output.flush()
  expect([overflows(), flusher.dropped]).toEqual([1, { bytes: 1, stalled: 0 }])
  output.discard()
  expect(flusher.blocked).toEqual({ outputs: 0, bytes: 0 })
})

test('an output of which nothing is taken for too long is counted as such', async () => {
  const { flusher, output, clock, limits, overflows } = blockedOutput(100_000)
  output.send(new Uint8Array(10))
  output.flush()
  await clock.move(limits.outputStallMsMax)
  expect(overflows()).toBe(0)
  await clock.move(1_000)
  expect([overflows(), flusher.dropped]).toEqual([1, { bytes: 0, stalled: 1 }])
  output.discard()
})

import { describe, expect, test } from 'bun:test'
import { BufferPool, Flusher } from '../../src/link/flusher.ts'
import { Output } from '../../src/link/output.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { ManualClock, settle } from '../support/manual-clock.ts'

describe('Flusher', () => {
  test('flushes each output once at the end of the turn, however often it was written to', async () => {
    const { flusher, limits } = make()
    const writes: string[] = []
    const outputs = ['a', 'b'].map(
      (name) =>
        new Output(
          ownerOf((count) => writes.push(`${name}${count}`)),
          flusher,
          limits,
        ),
    )
    for (let i = 0; i < 5; i++) for (const output of outputs) output.send(new Uint8Array(10))
    expect(writes).toEqual([])
    await settle()
    expect(writes).toEqual(['a50', 'b50'])
  })

  test('flushes in a turn of its own what a flush wrote', async () => {
    const { flusher, limits } = make()
    const writes: string[] = []
    const second = new Output(
      ownerOf((count) => writes.push(`second ${count}`)),
      flusher,
      limits,
    )
    const first = new Output(
      ownerOf(() => second.send(new Uint8Array(3))),
      flusher,
      limits,
    )
    first.send(new Uint8Array(1))
    await settle()
    expect(writes).toEqual(['second 3'])
  })

  test('cuts an output that made no progress for outputStallMsMax, and watches none that is not blocked', async () => {
    const { flusher, limits, clock } = make({ outputStallMsMax: 10_000 })
    let cuts = 0
    const owner = { ...ownerOf(() => {}), write: () => 0, overflowed: () => void cuts++ }
    const output = new Output(owner, flusher, limits)
    output.send(new Uint8Array(10))
    output.flush()
    await clock.move(10_000)
    expect(cuts).toBe(0)
    await clock.move(2_000)
    expect(cuts).toBeGreaterThan(0)
    output.discard()
    expect(clock.timers).toBe(0)
  })
})

describe('BufferPool', () => {
  test('gives a buffer that is large enough and takes back only its own sizes', () => {
    const pool = new BufferPool()
    for (const count of [1, 2048, 2049, 32_768, 32_769, 1_000_000]) expect(pool.take(count).length).toBeGreaterThanOrEqual(count)
    const small = pool.take(10)
    pool.give(small)
    expect(pool.take(10)).toBe(small)
    pool.give(new Uint8Array(5000))
    expect(pool.take(5000)).not.toHaveLength(5000)
  })
})

function ownerOf(wrote: (count: number) => void) {
  return {
    write(_bytes: Uint8Array, start: number, end: number): number {
      wrote(end - start)
      return end - start
    },
    finished() {},
    overflowed() {},
    drained() {},
  }
}

function make(overrides = {}): { flusher: Flusher; limits: ReturnType<typeof resolveLimits>; clock: ManualClock } {
  const limits = resolveLimits(overrides)
  const clock = new ManualClock()
  return { flusher: new Flusher(limits, clock), limits, clock }
}

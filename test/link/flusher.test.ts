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

describe('Flusher, what nobody waits for', () => {
  test('waits while busy turns follow each other, and goes out together in the first quiet one', async () => {
    const { outputs, writes, say, answer } = many(8)
    for (let turn = 0; turn < 3; turn++) {
      for (const output of outputs) say(output, 10)
      answer()
      await nextTurn()
      expect(writes).toEqual([])
    }
    await settle()
    expect(writes).toEqual(outputs.map(() => 30))
  })

  test('waits no longer than gatherMsMax, however busy it is', async () => {
    const { outputs, writes, say, answer, clock } = many(200, { gatherMsMax: 3 })
    for (const output of outputs) say(output, 10)
    for (let turn = 0; turn < 3; turn++) {
      answer()
      await nextTurn()
      expect(writes).toEqual([])
      clock.jump(1)
    }
    answer()
    await nextTurn()
    expect(writes).toEqual(outputs.map(() => 10))
  })

  test('waits for as long as so many links take, at most', async () => {
    const { outputs, writes, say, answer, clock } = many(50)
    for (const output of outputs) say(output, 10)
    for (const waited of [1, 2]) {
      clock.jump(waited === 1 ? 1 : 1.1)
      answer()
      await nextTurn()
      expect(writes).toEqual(waited === 1 ? [] : outputs.map(() => 10))
    }
  })

  test('waits until there are two for one link, and what comes after them waits again', async () => {
    const { outputs, writes, say, answer, clock } = many(50)
    for (const output of outputs) say(output, 10)
    say(outputs[0] as Output, 10)
    answer()
    await nextTurn()
    expect(writes).toEqual([])
    clock.jump(1)
    answer()
    await nextTurn()
    expect(writes).toEqual([20])
    say(outputs[0] as Output, 10)
    clock.jump(1)
    answer()
    await nextTurn()
    expect(writes).toEqual([20, ...outputs.slice(1).map(() => 10)])
    await settle()
    expect(writes.slice(50)).toEqual([10])
  })

  test('does not wait where few are written to, or gatherMsMax is 0', async () => {
    for (const { outputs, writes, say } of [many(7), many(8, { gatherMsMax: 0 })]) {
      for (const output of outputs) say(output, 10)
      await nextTurn()
      expect(writes).toEqual(outputs.map(() => 10))
    }
  })

  test('does not wait where there is as much as is worth a write', async () => {
    const { outputs, writes, say } = many(9)
    for (const output of outputs) say(output, 1000)
    outputs.slice(0, 2).forEach((output) => say(output, 24))
    await nextTurn()
    expect(writes).toEqual([1024, 1024])
    await settle()
    expect(writes.slice(2)).toEqual(outputs.slice(2).map(() => 1000))
  })

  test('goes out in its order with what somebody waits for, in that very turn, and once', async () => {
    const { outputs, writes, say } = many(8)
    for (const output of outputs) say(output, 10)
    await nextTurn()
    outputs[0]?.send(new Uint8Array(5))
    await nextTurn()
    expect(writes).toEqual([15])
    await settle()
    expect(writes).toEqual([15, ...outputs.slice(1).map(() => 10)])
    outputs[0]?.send(new Uint8Array(1))
    await settle()
    expect(writes.slice(8)).toEqual([1])
  })

  test('is lost with an output that is over, and is handed over by one that closes', async () => {
    const { outputs, writes, say } = many(8)
    for (const output of outputs) say(output, 10)
    await nextTurn()
    outputs[0]?.discard()
    outputs[1]?.finish()
    expect(writes).toEqual([10])
    await settle()
    expect(writes).toEqual(Array.from({ length: 7 }, () => 10))
  })
})

describe('Flusher, in a crowd', () => {
  test('the answers to a read leave when it is handled, with what is held there, and once', async () => {
    const { outputs, writes, say } = many(64)
    for (const output of outputs) say(output, 10)
    const [reader] = outputs as [Output]
    reader.answered()
    expect(writes).toEqual([])
    reader.send(new Uint8Array(5))
    reader.answered()
    reader.answered()
    expect(writes).toEqual([15])
    reader.send(new Uint8Array(3))
    await nextTurn()
    expect(writes).toEqual([15, 3])
    await settle()
    expect(writes.slice(2)).toEqual(outputs.slice(1).map(() => 10))
  })

  test('of fewer they leave at the end of the turn', async () => {
    const { outputs, writes, say } = many(63)
    for (const output of outputs) say(output, 10)
    outputs[0]?.send(new Uint8Array(5))
    outputs[0]?.answered()
    expect(writes).toEqual([])
    await nextTurn()
    expect(writes).toEqual([15])
  })

  test('neither a blocked output nor one that is over writes', () => {
    const { outputs, writes, say, full } = many(64)
    for (const output of outputs) say(output, 10)
    full.send(new Uint8Array(1))
    full.flush()
    full.send(new Uint8Array(1))
    full.answered()
    expect(writes).toEqual([1])
    const [over] = outputs as [Output]
    over.send(new Uint8Array(1))
    over.discard()
    over.answered()
    expect(writes).toEqual([1])
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

/** Outputs of one flusher that are all written to later, how many bytes each write had, what somebody waits for, and an output that nothing is taken of. */
function many(count: number, overrides = {}) {
  const { flusher, limits, clock } = make(overrides)
  const writes: number[] = []
  const outputs = Array.from(
    { length: count },
    () =>
      new Output(
        ownerOf((taken) => writes.push(taken)),
        flusher,
        limits,
      ),
  )
  const say = (output: Output, bytes: number): void => {
    output.bytes.fill(0, output.reserveLater(bytes))
  }
  const asked = new Output(
    ownerOf(() => {}),
    flusher,
    limits,
  )
  const offered = (_bytes: Uint8Array, start: number, end: number): number => {
    writes.push(end - start)
    return 0
  }
  const full = new Output({ ...ownerOf(() => {}), write: offered }, flusher, limits)
  return { outputs, writes, say, answer: () => asked.send(new Uint8Array(1)), full, clock }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

function make(overrides = {}): { flusher: Flusher; limits: ReturnType<typeof resolveLimits>; clock: ManualClock } {
  const limits = resolveLimits(overrides)
  const clock = new ManualClock()
  return { flusher: new Flusher(limits, clock), limits, clock }
}

import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ByteQueue } from '../../src/channel/byte-queue.ts'

describe('ByteQueue', () => {
  test('gives back what came, in its order, for any reads and any pieces', () => {
    const reads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
    const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 })
    fc.assert(
      fc.property(reads, pieces, fc.infiniteStream(fc.boolean()), (chunks, counts, turns) => {
        const queue = new ByteQueue()
        const waiting = [...chunks]
        const all = Buffer.concat(chunks)
        let at = 0
        for (const count of counts) {
          // Now a read comes before it is needed, now only when it is.
          if (turns.next().value === true) push(queue, waiting)
          let piece = queue.take(count)
          while (piece === undefined && push(queue, waiting)) piece = queue.take(count)
          if (piece === undefined) break
          expect(Buffer.from(piece).equals(all.subarray(at, at + count))).toBe(true)
          at += count
        }
        expect(queue.length).toBe(all.length - at - waiting.reduce((sum, { length }) => sum + length, 0))
      }),
      { numRuns: 2_000 },
    )
  })

  test('keeps reads in order when one comes between two pieces of a longer one', () => {
    const queue = new ByteQueue()
    for (const byte of [1, 2]) queue.push(Uint8Array.of(byte))
    expect(queue.take(1)).toEqual(Uint8Array.of(1))
    queue.push(Uint8Array.of(3))
    expect(queue.take(2)).toEqual(Uint8Array.of(2, 3))
  })

  test('copies nothing of a piece that one read has whole', () => {
    const queue = new ByteQueue()
    const read = new Uint8Array(100)
    queue.push(read)
    queue.take(10)
    expect(queue.take(50)?.buffer).toBe(read.buffer)
  })

  test('holds no more than what came, however long the piece is that is waited for', () => {
    const queue = new ByteQueue()
    queue.push(new Uint8Array(3))
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 1_000; round++) expect(queue.take(2 ** 32 - 1)).toBeUndefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    expect(queue.length).toBe(3)
  })

  test('forgets everything when it is told to', () => {
    const queue = new ByteQueue()
    queue.push(new Uint8Array(3))
    queue.take(5)
    queue.push(new Uint8Array(1))
    queue.push(new Uint8Array(1))
    queue.clear()
    expect([queue.length, queue.take(1)]).toEqual([0, undefined])
  })
})

function push(queue: ByteQueue, waiting: Uint8Array[]): boolean {
  const chunk = waiting.shift()
  if (chunk !== undefined) queue.push(chunk.slice())
  return chunk !== undefined
}

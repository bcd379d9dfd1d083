import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Flusher } from '../../src/link/flusher.ts'
import { Output, type OutputOwner } from '../../src/link/output.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A kernel that takes as many bytes as it is allowed to. */
class Kernel implements OutputOwner {
  allowed = Number.POSITIVE_INFINITY
  gone = false
  readonly taken: number[] = []
  readonly told: string[] = []

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.gone) return -1
    const count = Math.min(this.allowed, end - start)
    this.taken.push(...bytes.subarray(start, start + count))
    this.allowed -= count
    return count
  }

  finished = (): void => void this.told.push('finished')
  overflowed = (): void => void this.told.push('overflowed')
  drained = (): void => void this.told.push('drained')
}

describe('Output', () => {
  test('hands over every byte once and in order, however the kernel takes them and whatever sizes are written', () => {
    const step = fc.oneof(fc.record({ write: fc.nat(9000) }), fc.record({ take: fc.nat(9000) }), fc.constant('flush'))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { output, kernel } = make()
        let written = 0
        kernel.allowed = 0
        for (const each of steps) {
          if (each === 'flush') output.flush()
          else if ('take' in each) {
            kernel.allowed += each.take
            output.resume()
          } else output.send(Uint8Array.from({ length: each.write }, () => written++ & 0xff))
        }
        kernel.allowed = Number.POSITIVE_INFINITY
        output.resume()
        output.flush()
        expect(kernel.taken.length).toBe(written)
        expect(kernel.taken.every((byte, at) => byte === (at & 0xff))).toBe(true)
        expect([output.queuedBytes, output.bytes.length]).toEqual([0, 0])
      }),
      { numRuns: 200 },
    )
  })

  test('says once that it is back after it was behind, at half of outputBytesHigh', () => {
    const { output, kernel } = make({ outputBytesHigh: 100_000 })
    kernel.allowed = 0
    output.send(new Uint8Array(100_001))
    expect(output.keepsUp).toBe(false)
    output.flush()
    kernel.allowed = 50_000
    output.resume()
    expect([output.keepsUp, kernel.told]).toEqual([false, []])
    kernel.allowed = 1
    output.resume()
    expect([output.keepsUp, kernel.told]).toEqual([true, ['drained']])
  })

  test('tells of an overflow at the flush, never inside reserve', () => {
    const { output, kernel } = make()
    kernel.allowed = 0
    for (let i = 0; i < 20; i++) output.send(new Uint8Array(64 * 1024))
    expect(kernel.told).toEqual([])
    output.flush()
    expect(kernel.told).toEqual(['overflowed'])
  })

  test('throws away what is written once it was discarded, and keeps no memory of it', () => {
    const { output, kernel } = make()
    output.discard()
    for (let i = 0; i < 100; i++) output.send(new Uint8Array(1000))
    output.flush()
    expect([kernel.taken, output.bytes.length <= 2048]).toEqual([[], true])
  })

  test('forgets everything when the connection is gone', () => {
    const { output, kernel } = make()
    kernel.gone = true
    output.send(new Uint8Array(1000))
    output.flush()
    expect([output.queuedBytes, output.blockedSince]).toEqual([0, undefined])
  })

  test('finishes after the last byte was handed over, not before', () => {
    const { output, kernel } = make()
    kernel.allowed = 10
    output.send(new Uint8Array(20))
    output.finish()
    expect(kernel.told).toEqual([])
    kernel.allowed = 10
    output.resume()
    expect(kernel.told).toEqual(['finished'])
  })
})

function make(overrides = {}): { output: Output; kernel: Kernel } {
  const limits = resolveLimits(overrides)
  const kernel = new Kernel()
  return { kernel, output: new Output(kernel, new Flusher(limits, new ManualClock()), limits) }
}

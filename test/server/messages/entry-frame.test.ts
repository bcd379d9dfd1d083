import { describe, expect, test } from 'bun:test'
import { contractCommands, encodeEvent } from '../../../src/protocol/contract/index.ts'
import { crc32, encodeFrame, type FrameSink } from '../../../src/protocol/index.ts'
import { wireEntry } from '../../../src/server/messages/entry-event.ts'
import { EntryFrame } from '../../../src/server/messages/entry-frame.ts'
import { storedMessage } from '../stored-message.ts'

describe('the frame of an entry', () => {
  test('is the event as it would be encoded whole, for each place, however long the entry is', () => {
    for (const bodyBytes of [0, 100, 16_000, 16_384, 60_000]) {
      const stored = storedMessage(bodyBytes)
      const frame = new EntryFrame(stored)
      // There and back: the longer head must not leave anything in the shorter one.
      for (const seq of [1, 23, 24, 65_536, 2 ** 32, Number.MAX_SAFE_INTEGER, 5]) {
        const link = new Written()
        frame.writeTo(link, BigInt(seq), crc32)
        const whole = encodeFrame(contractCommands.event, encodeEvent('inbox.entry', { seq, entry: wireEntry(stored) }))
        expect([bodyBytes, seq, Buffer.compare(Buffer.concat(link.parts), whole)]).toEqual([bodyBytes, seq, 0])
      }
    }
  })

  test('is given to a link without a copy when it is long', () => {
    const link = new Written()
    const frame = new EntryFrame(storedMessage(60_000))
    frame.writeTo(link, 1n, crc32)
    frame.writeTo(link, 2n, crc32)
    expect(link.given.map(({ buffer }) => buffer)).toEqual([link.given[0]?.buffer, link.given[0]?.buffer] as ArrayBuffer[])
    expect(link.reserved).toBe(0)
  })
})

/** What a link is given, as it is then. */
class Written implements FrameSink {
  bytes = new Uint8Array(0)
  readonly #copies: (() => Uint8Array)[] = []
  readonly given: Uint8Array[] = []
  reserved = 0

  get parts(): readonly Uint8Array[] {
    return this.#copies.map((copy) => copy())
  }

  reserve(count: number): number {
    this.reserved += count
    const bytes = new Uint8Array(count)
    this.bytes = bytes
    this.#copies.push(() => bytes)
    return 0
  }

  send(bytes: Uint8Array): void {
    const copy = bytes.slice()
    this.given.push(bytes)
    this.#copies.push(() => copy)
  }
}

import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CipherState } from '../../src/channel/cipher-state.ts'
import { RecordReader, recordOverheadBytes, RecordWriter } from '../../src/channel/index.ts'
import { recordTypes } from '../../src/channel/record.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { record } from '../../tools/channel-vector-session.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { refusal, refusalOf } from '../support/refusal.ts'
import { channelPair, Collector, hex, readAll, singleBytes, text } from './support.ts'

const minute = 60_000
const day = 24 * 60 * minute
const key = (): Uint8Array => new Uint8Array(32).fill(3)

/** A writer and a reader of one direction, and a reader that was told what is allowed. */
function direction({
  limits = {},
  count = 0,
  ...bounds
}: {
  limits?: Readonly<Record<string, number>>
  count?: number
  keyFramesMax?: number
} = {}) {
  const clock = new ManualClock()
  const writer = new RecordWriter(new CipherState(key(), count), clock, resolveLimits(limits))
  const reader = new RecordReader(new CipherState(key(), count), clock, { ageMsMax: day, ...bounds })
  const sink = new Collector()
  const carry = (): Uint8Array[] => {
    reader.push(sink.taken())
    return readAll(reader)
  }
  return { clock, writer, reader, sink, carry }
}

describe('RecordWriter and RecordReader', () => {
  test('carry any bytes, in any writes and any reads', () => {
    const writes = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), { maxLength: 8 })
    fc.assert(
      fc.property(writes, fc.array(fc.nat(20_000), { maxLength: 12 }), (parts, cuts) => {
        const { writer, reader, sink } = direction({ limits: { channelRecordBytesMax: 1_024, channelKeyFramesMax: 4 } })
        for (const part of parts) writer.write(sink, part)
        writer.close(sink)
        const stream = sink.taken()
        const data: Uint8Array[] = []
        for (const chunk of split(stream, cuts)) {
          reader.push(chunk)
          data.push(...readAll(reader))
        }
        reader.ended()
        expect(hex(Buffer.concat(data))).toBe(hex(Buffer.concat(parts)))
      }),
      { numRuns: 300 },
    )
  })

  test('carry the longest record, and split what is longer', () => {
    const { writer, sink, carry } = direction()
    writer.write(sink, new Uint8Array(65_518))
    expect(carry().map(({ length }) => length)).toEqual([65_518])
    writer.write(sink, new Uint8Array(65_519))
    expect(carry().map(({ length }) => length)).toEqual([65_518, 1])
    writer.write(sink, new Uint8Array(0))
    expect(carry()).toEqual([])
  })

  test('write a part of an array and leave the rest as it was', () => {
    const { writer, sink, carry } = direction({ limits: { channelRecordBytesMax: 1_024 } })
    const bytes = Uint8Array.from({ length: 4_000 }, (_, at) => at & 0xff)
    const before = hex(bytes)
    writer.write(sink, bytes, 5, 3_005)
    writer.write(sink, bytes, 0, 2)
    expect(hex(bytes)).toBe(before)
    expect(hex(Buffer.concat(carry()))).toBe(before.slice(10, 6_010) + before.slice(0, 4))
  })

  test('cost a record 33 bytes', () => {
    const { writer, sink } = direction()
    writer.write(sink, new Uint8Array(100))
    expect([sink.taken().length, recordOverheadBytes]).toEqual([133, 33])
  })

  test('judge a length as soon as the header is there, before anything of the record is', () => {
    for (const length of [0, 1, 16, 65_536, 2 ** 32 - 1]) {
      const { reader } = direction()
      const header = new Uint8Array(16)
      new DataView(header.buffer).setUint32(0, length)
      reader.push(header.subarray(0, 15))
      expect(reader.next()).toBeUndefined()
      reader.push(header.subarray(15))
      expect(refusal(() => reader.next())).toEqual(broken)
      // What is held of a stream that failed is given up.
      expect(reader.heldBytes).toBe(0)
    }
    for (const length of [17, 65_535]) {
      const { reader } = direction()
      const header = new Uint8Array(16)
      new DataView(header.buffer).setUint32(0, length)
      reader.push(header)
      expect(reader.next()).toBeUndefined()
    }
  })

  test('hold nothing of a stream that failed', () => {
    const { reader, writer, sink } = direction()
    writer.write(sink, text('hello'))
    const stream = sink.taken().map((byte, at) => (at === 20 ? byte ^ 1 : byte))
    reader.push(Buffer.concat([stream, stream]))
    expect(refusal(() => reader.next())).toEqual(broken)
    expect(reader.heldBytes).toBe(0)
  })

  test('give back data in memory of its own', () => {
    const { writer, reader, sink } = direction()
    writer.write(sink, text('hello'))
    const read = sink.taken()
    reader.push(read)
    const data = reader.next()
    read.fill(0)
    reader.push(new Uint8Array(5))
    expect(data).toEqual(text('hello'))
  })

  test('take a record of 64 KiB in one-byte reads at a cost that grows with its length only', () => {
    const costs = [1, 2, 3].map(() => {
      const { writer, reader, sink } = direction()
      writer.write(sink, new Uint8Array(65_518))
      const chunks = singleBytes(sink.taken())
      const before = process.cpuUsage()
      const data = chunks.flatMap((chunk) => {
        reader.push(chunk)
        return readAll(reader)
      })
      const { user, system } = process.cpuUsage(before)
      expect(data).toHaveLength(1)
      return (user + system) / 1_000
    })
    // Looking again at each byte at what is there would cost seconds. The requirement is 50 ms on a quiet machine.
    expect(Math.min(...costs)).toBeLessThan(250)
  })
})

describe('the life of a key', () => {
  test('ends with its last record: both ends change it there, and no key and number are used together twice', () => {
    const { writer, reader, sink } = direction({ limits: { channelKeyFramesMax: 3 } })
    const types: (number | undefined)[] = []
    for (let at = 0; at < 10; at++) writer.write(sink, Uint8Array.of(at))
    const stream = sink.taken()
    const cipher = new CipherState(key())
    for (let at = 0; at < stream.length; ) {
      const length = new DataView(stream.buffer).getUint32(at)
      const header = stream.subarray(at, at + 16)
      expect(new DataView(stream.buffer).getUint32(at + 12)).toBe(types.length)
      const [type] = cipher.open(header, stream.subarray(at + 16, at + 16 + length))
      types.push(type)
      if (type === recordTypes.rekey) cipher.rekey()
      at += 16 + length
    }
    const { data, rekey } = recordTypes
    expect(types).toEqual([data, data, rekey, data, data, rekey, data, data, rekey, data, data, rekey, data, data])
    reader.push(stream)
    expect(readAll(reader).map(([byte]) => byte)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('may be the longest that is allowed, and not a record longer', () => {
    const { writer, sink, carry } = direction({ limits: { channelKeyFramesMax: 5 }, keyFramesMax: 5 })
    for (let at = 0; at < 100; at++) writer.write(sink, Uint8Array.of(at))
    expect(carry()).toHaveLength(100)
    const narrow = direction({ limits: { channelKeyFramesMax: 6 }, keyFramesMax: 5 })
    for (let at = 0; at < 5; at++) narrow.writer.write(narrow.sink, Uint8Array.of(at))
    expect(refusal(() => narrow.carry())).toEqual(broken)
  })

  test('leaves room for a close where it leaves none for data', () => {
    const { writer, reader, sink, carry } = direction({ limits: { channelKeyFramesMax: 3 }, keyFramesMax: 3 })
    for (let at = 0; at < 2; at++) writer.write(sink, Uint8Array.of(at))
    writer.close(sink)
    expect(carry()).toHaveLength(2)
    expect(reader.isClosed).toBe(true)
  })

  test('ends by bytes', () => {
    const { writer, sink } = direction({ limits: { channelKeyBytesMax: 2 ** 20 } })
    const sizes: number[] = []
    for (let at = 0; at < 17; at++) {
      writer.write(sink, new Uint8Array(65_518))
      sizes.push(sink.taken().length)
    }
    // 16 records leave 16 bytes of 2^20, and the rekey that has to come behind them is 17 long.
    expect(sizes.map((size) => size - 65_551)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0])
  })

  test('ends by time, with the next record that is written', async () => {
    const { clock, writer, sink, carry } = direction()
    const cost = (): number => {
      writer.write(sink, Uint8Array.of(1))
      const bytes = sink.taken()
      sink.bytes.set(bytes, sink.reserve(bytes.length))
      expect(carry()).toHaveLength(1)
      return bytes.length
    }
    await clock.move(15 * minute - 1)
    expect(cost()).toBe(34)
    await clock.move(1)
    expect(cost()).toBe(34 + 33)
    expect(cost()).toBe(34)
  })

  test('ends after 2^20 records by itself, and a reader takes no more', () => {
    const { writer, reader, sink } = direction()
    const carry = (): void => {
      reader.push(sink.taken())
      while (reader.next() !== undefined);
    }
    for (let frames = 0; frames < 2 ** 20 - 1; frames++) {
      writer.write(sink, Uint8Array.of(1))
      if (frames % 1_000 === 0) carry()
    }
    carry()
    expect(reader.count).toBe(2 ** 20 - 1)
    writer.write(sink, Uint8Array.of(1))
    expect(sink.taken().length).toBe(33 + 34)
    // Somebody who forgot to change the key.
    const cipher = new CipherState(key(), 2 ** 20 - 1)
    reader.push(record(cipher, recordTypes.ping))
    expect(refusal(() => reader.next())).toEqual(broken)
  }, 300_000)
})

describe('the life of a channel', () => {
  test('ends at 2^32 records; the last one is kept for the close', () => {
    const { writer, reader, sink, carry } = direction({ count: 2 ** 32 - 2 })
    writer.write(sink, text('the last but one'))
    expect(carry()).toHaveLength(1)
    expect(refusal(() => writer.write(sink, text('no more')))).toEqual(broken)
    expect(refusal(() => writer.rekey(sink))).toEqual(broken)
    writer.close(sink)
    expect(carry()).toEqual([])
    expect([reader.isClosed, reader.count]).toEqual([true, 2 ** 32])
    const late = new RecordReader(new CipherState(key(), 2 ** 32), new ManualClock(), { ageMsMax: day })
    late.push(record(new CipherState(key(), 2 ** 32), recordTypes.ping))
    expect(refusal(() => late.next())).toEqual(broken)
  })

  test('keeps the last record for the close also when the last but one has to be a rekey', () => {
    const { writer, reader, sink, carry } = direction({ count: 2 ** 32 - 3, limits: { channelKeyFramesMax: 2 } })
    writer.write(sink, text('x'))
    expect(refusal(() => writer.write(sink, text('no more')))).toEqual(broken)
    writer.close(sink)
    expect(carry()).toHaveLength(1)
    expect([reader.isClosed, reader.count]).toEqual([true, 2 ** 32])
  })

  test('ends after 24 hours on both ends, but for the close', async () => {
    const { clock, writer, reader, sink, carry } = direction()
    await clock.move(day - 1)
    writer.write(sink, text('hello'))
    expect(carry()).toHaveLength(1)
    const late = new RecordReader(new CipherState(key()), new ManualClock(), { ageMsMax: 0 })
    await clock.move(1)
    expect(refusal(() => writer.write(sink, text('late')))).toEqual(broken)
    writer.close(sink)
    expect(refusal(carry)).toEqual(broken)
    late.push(record(new CipherState(key()), recordTypes.ping))
    expect([refusalOf(() => late.next()), reader.isClosed]).toEqual(['channel_broken', false])
  })

  test('says half an hour or 2^20 records before its end that it is time for another', async () => {
    const { clock, writer } = direction()
    await clock.move(day - 30 * minute - 1)
    expect(clock.monotonic() < writer.renewBefore).toBe(true)
    await clock.move(1)
    expect(clock.monotonic() < writer.renewBefore).toBe(false)
    const isDue = ({ clock: now, writer: other }: ReturnType<typeof direction>): boolean => now.monotonic() >= other.renewBefore
    expect(isDue(direction({ count: 2 ** 32 - 2 ** 20 - 1 }))).toBe(false)
    expect(isDue(direction({ count: 2 ** 32 - 2 ** 20 }))).toBe(true)
  })
})

describe('the end of a channel', () => {
  test('is clean after a close, and a truncation without one', () => {
    const { client, server } = channelPair()
    const sink = new Collector()
    client.sealed.writer.close(sink)
    server.reader.push(sink.taken())
    expect(server.reader.next()).toBeUndefined()
    expect(server.reader.isClosed).toBe(true)
    server.reader.ended()
    expect(refusal(() => client.sealed.reader.ended())).toEqual(broken)
    expect(refusal(() => client.sealed.reader.next())).toEqual(broken)
  })

  test('lets nothing be written any more, and can be said again', () => {
    const { writer, sink } = direction()
    writer.close(sink)
    const bytes = sink.taken()
    writer.close(sink)
    expect([bytes.length, sink.taken().length, writer.isClosed]).toEqual([33, 0, true])
    for (const attempt of [
      () => writer.write(sink, text('x')),
      () => writer.ping(sink),
      () => writer.pad(sink, 1),
      () => writer.rekey(sink),
    ]) {
      expect(refusal(attempt)).toEqual(broken)
    }
  })

  test('ends under records that carry nothing, but not under those of somebody who is quiet, or who pads what he says', async () => {
    const { clock, writer, reader, sink, carry } = direction()
    for (let count = 0; count < 1_024; count++) writer.ping(sink)
    expect(carry()).toEqual([])
    await clock.move(1_000)
    for (let count = 0; count < 64; count++) writer.pad(sink, 100)
    expect(carry()).toEqual([])
    for (let count = 0; count < 3_000; count++) {
      writer.write(sink, text('hello'))
      writer.pad(sink, 100)
      writer.ping(sink)
    }
    expect(carry()).toHaveLength(3_000)
    writer.rekey(sink)
    reader.push(sink.taken())
    expect(refusal(() => reader.next())).toEqual(broken)
  })

  test('leaves no key behind: a channel that was given up neither writes nor reads', () => {
    const { client, server } = channelPair()
    const sink = new Collector()
    client.sealed.writer.write(sink, text('hello'))
    server.destroy()
    server.reader.push(record(new CipherState(new Uint8Array(32)), recordTypes.data, text('under a key of zeros')))
    expect(refusal(() => server.reader.next())).toEqual(broken)
    expect(refusal(() => server.writer.write(sink, text('hello')))).toEqual(broken)
  })

  test('is final: a reader that failed gives back nothing of what is right behind it', () => {
    const { writer, reader, sink } = direction()
    writer.write(sink, text('hello'))
    const good = sink.taken()
    reader.push(good.map((byte, at) => (at === 16 ? byte ^ 1 : byte)))
    for (let round = 0; round < 2; round++) {
      expect(refusal(() => reader.next())).toEqual(broken)
      reader.push(good.slice())
    }
  })
})

const broken = ['channel_broken', 'the sealed channel was broken'] as const

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.slice(at[index], end))
}

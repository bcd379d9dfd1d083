// Streams of records that were written, and the readers that get something else. Whoever changes them has no key.

import { ByteQueue } from '../../../src/channel/byte-queue.ts'
import { CipherState } from '../../../src/channel/cipher-state.ts'
import { NonceSet } from '../../../src/channel/nonce-set.ts'
import { RecordReader, RecordWriter, V1Channel } from '../../../src/channel/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { Collector } from '../../channel/support.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import type { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import type { ChannelSubject } from './channel.ts'

/** What was written, and who reads it. */
export interface RecordStream {
  readonly name: string
  readonly stream: Uint8Array
  /** Version 1 does not notice what is left out or comes in another order, only what was changed or comes twice. */
  readonly isOrdered: boolean
  /** The data of the records, all different. */
  readonly written: readonly Uint8Array[]
  begin(): Reader
  /** The stream, or something near to it. */
  generate(chance: Chance): Uint8Array
}

/** What gets the records. */
export interface Reader {
  readonly heldBytes: number
  push(chunk: Uint8Array): void
  next(): Uint8Array | undefined
  ended?(): void
}

/** A cipher that says when it is asked to open something. */
export class TellingCipher extends CipherState {
  readonly #asked: () => void

  constructor(key: Uint8Array, asked: () => void) {
    super(key)
    this.#asked = asked
  }

  override open(associated: Uint8Array, sealed: Uint8Array): Uint8Array {
    this.#asked()
    return super.open(associated, sealed)
  }
}

/** The streams: two of version 2, of which the second replaces its key, and one of version 1. */
export function recordStreams({ cipher }: ChannelSubject): readonly RecordStream[] {
  const reader = (number: number) => () => new RecordReader(cipher(key(number)), clock, { ageMsMax: 1_000 })
  return [
    streamOf('records', v2Records(1, false), reader(1)),
    streamOf('records with new keys', v2Records(2, true), reader(2)),
    streamOf('records of v1', v1Records(3), () => new V1Channel(key(3), new ByteQueue(), new NonceSet(), { limits }), false),
  ]
}

function streamOf(name: string, records: readonly Uint8Array[], begin: () => Reader, isOrdered = true): RecordStream {
  const generate = (chance: Chance) => joined(...(chance.oneIn(3) ? records : disturbed(chance, records)))
  return { name, stream: joined(...records), isOrdered, written: isOrdered ? written : v1Written, begin, generate }
}

/** Whole records that are missing, come twice, or in another order. */
function disturbed(chance: Chance, records: readonly Uint8Array[]): readonly Uint8Array[] {
  const at = chance.below(records.length)
  if (chance.oneIn(3)) return records.toSpliced(at, 1)
  if (chance.oneIn(2)) return records.toSpliced(chance.below(records.length + 1), 0, records[at] ?? new Uint8Array(0))
  return chance.shuffled(records)
}

function v2Records(number: number, isLively: boolean): readonly Uint8Array[] {
  const sink = new Collector()
  const writer = new RecordWriter(new CipherState(key(number)), clock, limits)
  for (const data of written) {
    writer.write(sink, data.slice())
    if (!isLively) continue
    writer.ping(sink)
    writer.rekey(sink)
    writer.pad(sink, data.length)
  }
  writer.close(sink)
  return apart(sink.taken())
}

function v1Records(number: number): readonly Uint8Array[] {
  const sink = new Collector()
  let used = 0
  const channel = new V1Channel(key(number), new ByteQueue(), new NonceSet(), { limits, nonce: () => new Uint8Array(12).fill(++used) })
  for (const data of v1Written) channel.write(sink, data)
  return apart(sink.taken())
}

/** Records of either version: both begin with a length, which does not count the header of 16 bytes. */
function apart(stream: Uint8Array): readonly Uint8Array[] {
  const records: Uint8Array[] = []
  for (let at = 0; at < stream.length; ) {
    const end = at + 16 + new DataView(stream.buffer, stream.byteOffset + at).getUint32(0)
    records.push(stream.slice(at, end))
    at = end
  }
  return records
}

const texts = ['hello', 'a somewhat longer piece of data', '0'.repeat(80)]
const written = texts.map((text) => new TextEncoder().encode(text))
const v1Written = [...written, new Uint8Array(0)]
/** Each stream has a key of its own: what one peer has written is nothing to the reader of another. */
const key = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const clock = new ManualClock()
const limits = resolveLimits()

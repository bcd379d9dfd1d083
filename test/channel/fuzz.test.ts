// Everything that reads bytes of a channel, on bytes that nobody means well with: 100,000 inputs in each run, two million with
// SEALWIRE_LONG=1. SEALWIRE_SEED=n plays the same inputs again.

import { expect, test } from 'bun:test'
import { CipherState } from '../../src/channel/cipher-state.ts'
import { ChannelClient, ChannelServer, KeyPair, RecordReader, RecordWriter, V1Client, V1Server } from '../../src/channel/index.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { clientOptions, Collector, fromHex, hex, readAll, serverKey, serverOptions, text } from './support.ts'
import { v1, v2 } from './vector-files.ts'

const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 2 ** 31)
const times = process.env['SEALWIRE_LONG'] === '1' ? 20 : 1
const clock = new ManualClock()
const limits = resolveLimits()
const key = (): Uint8Array => new Uint8Array(32).fill(9)

test(`records: whatever is changed, nothing but what was written comes out, in its order (seed ${seed})`, () => {
  const random = randomFrom(seed)
  const written = ['hello', 'a somewhat longer piece of data, over several lines', 'x', '0'.repeat(300)]
  const stream = (() => {
    const sink = new Collector()
    const writer = new RecordWriter(new CipherState(key()), clock, { ...limits, channelKeyFramesMax: 3 })
    for (const each of written) writer.write(sink, text(each))
    writer.close(sink)
    return sink.taken()
  })()
  let whole = 0
  let broken = 0
  for (let at = 0; at < 60_000 * times; at++) {
    const bytes = random() < 0.02 ? stream : mutate(random, stream)
    const reader = new RecordReader(new CipherState(key()), clock, { ageMsMax: 1_000 })
    const got: string[] = []
    const failed = fails(() => {
      for (const chunk of split(random, bytes)) {
        reader.push(chunk)
        got.push(...readAll(reader).map((data) => new TextDecoder().decode(data)))
      }
      reader.ended()
    })
    expect(got).toEqual(written.slice(0, got.length))
    if (failed) broken++
    else whole++
    // A reader is only content with everything.
    if (!failed) expect([hex(bytes), got.length]).toEqual([hex(stream), written.length])
  }
  expect(whole).toBeGreaterThan(500 * times)
  expect(broken).toBeGreaterThan(50_000 * times)
}, 600_000)

const streams = [
  ...v2.good.map(({ hello, third, records }) => fromHex(hello + third + records[0]?.record)),
  ...v2.good.map(({ answer }) => fromHex(answer)),
  ...v2.bad.map(({ stream }) => fromHex(stream)),
  ...v1.good.map(({ request }) => fromHex(request)),
  ...v1.good.map(({ response }) => fromHex(response)),
]
const serverStatic = KeyPair.from(fromHex(v2.good[0]?.serverStatic ?? ''))

test(`handshakes: no bytes bring anything but channel_broken and untrusted (seed ${seed})`, () => {
  const random = randomFrom(seed + 1)
  let channels = 0
  let broken = 0
  for (let at = 0; at < 20_000 * times; at++) {
    const end = pick(random, ends)()
    const failed = fails(() => {
      for (const chunk of split(random, mutate(random, pick(random, streams)))) if (end(chunk)) return
    })
    if (failed) broken++
    else channels++
  }
  expect(broken).toBeGreaterThan(5_000 * times)
  expect(channels).toBeGreaterThan(100)
}, 600_000)

test(`v1: no frames bring anything but channel_broken (seed ${seed})`, () => {
  const random = randomFrom(seed + 2)
  const written = ['hello', '', 'again']
  let broken = 0
  for (let at = 0; at < 20_000 * times; at++) {
    const { client, server } = at % 50 === 0 ? v1Pair(true) : v1Pair()
    const sink = new Collector()
    for (const each of written) client.write(sink, text(each))
    const got: string[] = []
    const failed = fails(() => {
      for (const chunk of split(random, mutate(random, sink.taken()))) {
        server.push(chunk)
        for (let data = server.next(); data !== undefined; data = server.next()) got.push(new TextDecoder().decode(data))
      }
    })
    if (failed) broken++
    // v1 does not notice what was left out, only what was changed or came twice.
    expect(new Set(got).size).toBe(got.length)
    for (const each of got) expect(written).toContain(each)
  }
  expect(broken).toBeGreaterThan(10_000 * times)
}, 600_000)

/** Ends that take part in a handshake; each says whether there is a channel. */
const ends: readonly (() => (bytes: Uint8Array) => boolean)[] = [
  () => {
    const server = new ChannelServer({ ...serverOptions(clock), staticKey: serverStatic })
    return (bytes) => server.received(bytes).channel !== undefined
  },
  ...(['XX', 'IK', 'NK'] as const).map((pattern) => () => {
    const client = new ChannelClient({ ...clientOptions(pattern, clock), ephemeral: () => serverKey })
    client.hello()
    return (bytes: Uint8Array) => client.received(bytes).channel !== undefined
  }),
  () => {
    const server = new V1Server({ limits })
    return (bytes) => server.received(bytes).channel !== undefined
  },
  () => {
    const client = new V1Client({ limits })
    return (bytes) => client.received(bytes).channel !== undefined
  },
]

/** The keys of a pair serve many rounds, because making them takes longest. */
function v1Pair(fresh = false) {
  if (fresh || pairKeys === undefined) pairKeys = { client: KeyPair.generate(), server: KeyPair.generate() }
  const keys = pairKeys
  const client = new V1Client({ limits, ephemeral: () => keys.client })
  const server = new V1Server({ limits, ephemeral: () => keys.server })
  const { send, channel } = server.received(client.hello())
  const met = client.received(send)
  if (channel === undefined || met.channel === undefined) throw new Error('no channel')
  return { client: met.channel, server: channel }
}
let pairKeys: { readonly client: KeyPair; readonly server: KeyPair } | undefined

/** Whether an action was refused; anything but a refusal of a channel is a fault of ours. */
function fails(action: () => void): boolean {
  try {
    action()
    return false
  } catch (reason) {
    if (reason instanceof SealwireError && (reason.code === 'channel_broken' || reason.code === 'untrusted')) return true
    throw reason
  }
}

type Random = () => number

/** Mulberry32. */
function randomFrom(start: number): Random {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const below = (random: Random, count: number): number => Math.floor(random() * count)

function pick<T>(random: Random, all: readonly T[]): T {
  const each = all[below(random, all.length)]
  if (each === undefined) throw new Error('nothing to choose from')
  return each
}

/** One to three changes: a bit, a byte, bytes left out, put in, repeated or exchanged. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let result = new Uint8Array(bytes)
  for (let changes = 1 + below(random, 3); changes > 0; changes--) result = changed(random, result)
  return result
}

function changed(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = below(random, bytes.length + 1)
  const count = Math.min(bytes.length - at, 1 + below(random, 40))
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, at + count), bytes.subarray(at + count)]
  const how = below(random, 6)
  if (how === 0) return bytes.map((byte, index) => (index === at ? byte ^ (1 << below(random, 8)) : byte))
  if (how === 1) return new Uint8Array(Buffer.concat([before, after]))
  if (how === 2) return new Uint8Array(Buffer.concat([before, piece, piece, after]))
  if (how === 3) return new Uint8Array(Buffer.concat([before, Uint8Array.from({ length: count }, () => below(random, 256)), after]))
  if (how === 4) return new Uint8Array(Buffer.concat([after, piece, before]))
  return new Uint8Array(before)
}

function split(random: Random, bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const count = random() < 0.5 ? bytes.length - at : 1 + below(random, 60)
    chunks.push(bytes.slice(at, at + count))
    at += count
  }
  return chunks
}

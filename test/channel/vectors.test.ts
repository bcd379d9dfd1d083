import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  ChannelClient,
  type ChannelClientOptions,
  ChannelServer,
  KeyPair,
  type SealedChannel,
  V1Client,
  V1Server,
} from '../../src/channel/index.ts'
import { encodeGreeting, type ServerGreeting } from '../../src/channel/server-greeting.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { fromVectorJson } from '../../tools/vector-json.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Collector, fromHex, hex, readAll, singleBytes } from './support.ts'
import { type Good, type GoodV1, v1, v2 } from './vector-files.ts'

const terms = { clock: new ManualClock(), limits: resolveLimits() }
const splits = { whole: (bytes: Uint8Array) => [bytes], 'byte by byte': singleBytes } as const

describe('channel-v2.json', () => {
  for (const vector of v2.good) {
    test(`a client says and reads "${vector.name}"`, () => {
      const client = new ChannelClient(clientOf(vector))
      expect(hex(client.hello())).toBe(vector.hello)
      const { send, channel } = client.received(fromHex(vector.answer))
      const [ping] = vector.records
      expect(hex(send)).toBe(vector.pattern === 'XX' ? vector.third : (ping?.record ?? ''))
      expect(channel?.greeting).toEqual(fromVectorJson(vector.greeting) as ServerGreeting)
      expect(channel === undefined ? undefined : hex(channel.sealed.hash)).toBe(vector.hash)
      expect(channel?.sealed.peerKey).toEqual(KeyPair.from(fromHex(vector.serverStatic)).publicKey)
      converse(vector, 'client', channel?.sealed, vector.pattern === 'XX' ? 0 : 1)
    })

    for (const [how, split] of Object.entries(splits)) {
      test(`a server says and reads "${vector.name}", ${how}`, () => {
        const server = new ChannelServer(serverOf(vector))
        const opening = vector.hello + vector.third + (vector.pattern === 'XX' ? '' : vector.records[0]?.record)
        const steps = split(fromHex(opening)).map((bytes) => server.received(bytes))
        expect(hex(Buffer.concat(steps.map(({ send }) => send)))).toBe(vector.answer)
        const channel = steps.at(-1)?.channel
        expect(channel === undefined ? undefined : hex(channel.hash)).toBe(vector.hash)
        const expectedKey = vector.clientStatic === undefined ? undefined : KeyPair.from(fromHex(vector.clientStatic)).publicKey
        expect(channel?.peerKey).toEqual(expectedKey)
        expect(channel?.reader.next()).toBeUndefined()
        converse(vector, 'server', channel, vector.pattern === 'XX' ? 0 : 1)
      })
    }

    test(`the greeting of "${vector.name}" has one form`, () => {
      expect(hex(encodeGreeting(fromVectorJson(vector.greeting) as ServerGreeting))).toBe(vector.payload)
    })
  }

  for (const vector of v2.bad) {
    for (const [how, split] of Object.entries(splits)) {
      test(`"${vector.name}" (${vector.pattern}) is refused ${how}`, () => {
        const chunks = split(fromHex(vector.stream))
        const outcome = vector.to === 'server' ? asServer(vector.pattern, chunks) : asClient(vector.pattern, chunks)
        const { pattern, delivered, error } = vector
        expect(outcome.delivered.map(hex)).toEqual([...delivered])
        expect(outcome.channel).toBe(vector.channel)
        expect(outcome.reason).toEqual([error, sentences[`${error} ${pattern}`] ?? sentences[error] ?? ''])
        // Nothing is sent after what was wrong: an end that fails has only ever said what an honest handshake says.
        const honest = honestly(pattern, vector.to)
        expect(honest.startsWith(outcome.sent)).toBe(true)
      })
    }
  }

  test('has rows enough, and none twice', () => {
    expect(v2.bad.length).toBeGreaterThan(60)
    expect(new Set(v2.bad.map(({ name }) => name)).size).toBe(v2.bad.length)
  })
})

describe('channel-v1.json', () => {
  for (const vector of v1.good) {
    for (const [how, split] of Object.entries(splits)) {
      test(`a server reads and says "${vector.name}", ${how}`, () => {
        const server = v1Server(vector)
        const steps = split(fromHex(vector.request)).map((bytes) => server.received(bytes))
        expect(hex(Buffer.concat(steps.map(({ send }) => send)))).toBe(vector.response)
        converseV1(vector, 'server', steps.at(-1)?.channel, split)
      })

      test(`a client reads and says "${vector.name}", ${how}`, () => {
        const client = v1Client(vector)
        expect(hex(client.hello()).slice(0, 66)).toBe(vector.request.slice(0, 66))
        const steps = split(fromHex(vector.response)).map((bytes) => client.received(bytes))
        converseV1(vector, 'client', steps.at(-1)?.channel, split)
      })
    }
  }

  test('a client always writes its token in the one form that the seed reads', () => {
    const [first, small] = v1.good
    for (const vector of [first, small]) if (vector !== undefined) expect(hex(v1Client(vector).hello())).toBe(vector.request)
    expect(first?.request).toHaveLength(2 * 42)
  })

  for (const vector of v1.bad) {
    for (const [how, split] of Object.entries(splits)) {
      test(`"${vector.name}" is refused ${how}`, () => {
        const outcome = asV1(vector.to, split(fromHex(vector.stream)))
        expect(outcome.delivered.map(hex)).toEqual([...vector.delivered])
        expect(outcome.reason).toBe('[channel_broken] the sealed channel was broken')
      })
    }
  }
})

test('both files agree with an implementation in Python', () => {
  const script = new URL('../vectors/check_channel.py', import.meta.url).pathname
  const folder = new URL('../../vectors', import.meta.url).pathname
  const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import cryptography']).status === 0)
  if (python === undefined && process.env['CI'] !== 'true') return void console.warn('SKIPPED: python3-cryptography is not installed')
  const { stdout, stderr, status } = spawnSync(python ?? 'python3', ['-B', script, folder], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).toBe(
    `v2: ${v2.good.length} good and ${v2.bad.length} bad vectors agree\nv1: ${v1.good.length} good and ${v1.bad.length} bad vectors agree\n`,
  )
  expect(status).toBe(0)
}, 60_000)

const sentences: Readonly<Record<string, string>> = {
  channel_broken: 'the sealed channel was broken',
  'untrusted XX': 'the server has another key than the expected one',
  'untrusted IK': 'the server did not prove that it has the expected key',
  connection_lost: 'the server ended the connection during the handshake',
}

interface Outcome {
  readonly delivered: readonly Uint8Array[]
  readonly sent: string
  /** Whether the handshake came to an end. */
  readonly channel: boolean
  readonly reason: readonly [string, string] | undefined
}

function clientOf(vector: Good): ChannelClientOptions {
  const own = KeyPair.from(fromHex(vector.clientStatic ?? vector.serverStatic))
  const key = KeyPair.from(fromHex(vector.serverStatic)).publicKey
  const common = { ...terms, binding: fromHex(vector.binding), ephemeral: () => KeyPair.from(fromHex(vector.clientEphemeral)) }
  if (vector.pattern === 'XX') return { pattern: 'XX', staticKey: own, trusts: (seen) => hex(seen) === hex(key), ...common }
  if (vector.pattern === 'IK') return { pattern: 'IK', staticKey: own, serverKey: key, ...common }
  return { pattern: 'NK', serverKey: key, ...common }
}

function serverOf(vector: Good) {
  return {
    ...terms,
    staticKey: KeyPair.from(fromHex(vector.serverStatic)),
    greeting: () => fromVectorJson(vector.greeting) as ServerGreeting,
    binding: fromHex(vector.binding),
    ephemeral: () => KeyPair.from(fromHex(vector.serverEphemeral)),
  }
}

/** Plays one side of a conversation: what it says is what the vector has, and it understands the other. */
function converse({ records }: Good, side: string, channel: SealedChannel | undefined, from: number): void {
  if (channel === undefined) throw new Error('no channel')
  const sink = new Collector()
  const { writer, reader } = channel
  for (const { from: who, type, data, record } of records.slice(from)) {
    if (who === side) {
      if (type === 'data') writer.write(sink, fromHex(data))
      if (type === 'ping') writer.ping(sink)
      if (type === 'pad') writer.pad(sink, data.length / 2)
      if (type === 'rekey') writer.rekey(sink)
      if (type === 'close') writer.close(sink)
      expect(hex(sink.taken())).toBe(record)
      continue
    }
    reader.push(fromHex(record))
    expect(readAll(reader).map(hex)).toEqual(type === 'data' ? [data] : [])
  }
  expect([writer.isClosed, reader.isClosed]).toEqual([true, true])
  reader.ended()
}

const plain = (pattern: string): Good => {
  const vector = v2.good.find((each) => each.pattern === pattern && /^0+$/.test(each.binding))
  if (vector === undefined) throw new Error(`no vector of ${pattern}`)
  return vector
}

/** All that an honest end sends before its first record. */
function honestly(pattern: string, who: string): string {
  const { hello, answer, third } = plain(pattern)
  return who === 'server' ? answer : hello + third
}

function asServer(pattern: string, chunks: readonly Uint8Array[]): Outcome {
  // A server takes every pattern; its keys are the same in all vectors.
  const server = new ChannelServer(serverOf(plain(pattern)))
  return play(
    (bytes) => server.received(bytes),
    () => server.ended(),
    chunks,
  )
}

function asClient(pattern: string, chunks: readonly Uint8Array[]): Outcome {
  const client = new ChannelClient(clientOf(plain(pattern)))
  const hello = hex(client.hello())
  const received = (bytes: Uint8Array) => {
    const { send, channel } = client.received(bytes)
    return channel === undefined ? { send } : { send, channel: channel.sealed }
  }
  const outcome = play(received, () => client.ended(), chunks)
  return { ...outcome, sent: hello + outcome.sent }
}

/** Hands over everything and then the end of the stream. */
function play(
  received: (bytes: Uint8Array) => { readonly send: Uint8Array; readonly channel?: SealedChannel },
  ended: () => SealwireError,
  chunks: readonly Uint8Array[],
): Outcome {
  const delivered: Uint8Array[] = []
  let sent = ''
  let channel: SealedChannel | undefined
  try {
    for (const chunk of chunks) {
      if (channel !== undefined) channel.reader.push(chunk)
      else {
        const step = received(chunk)
        sent += hex(step.send)
        channel = step.channel
      }
      for (let data = channel?.reader.next(); data !== undefined; data = channel?.reader.next()) delivered.push(data)
    }
    channel?.reader.ended()
    return { delivered, sent, channel: channel !== undefined, reason: channel === undefined ? reasonOf(ended()) : undefined }
  } catch (reason) {
    return { delivered, sent, channel: channel !== undefined, reason: reasonOf(reason) }
  }
}

function reasonOf(reason: unknown): readonly [string, string] {
  const { code, sentence } = SealwireError.from(reason)
  return [code, sentence]
}

/** The nonces that one side of a vector uses, in their order. */
function noncesOf(vector: GoodV1, side: string): () => Uint8Array {
  const own = vector.frames.filter(({ from }) => from === side).map(({ frame }) => fromHex(frame.slice(8, 32)))
  const all = side === 'server' ? [fromHex(vector.response.slice(66, 90)), ...own] : own
  return () => all.shift() ?? new Uint8Array(12)
}

function v1Server(vector: GoodV1): V1Server {
  const nonce = noncesOf(vector, 'server')
  return new V1Server({ limits: terms.limits, nonce, ephemeral: () => KeyPair.from(fromHex(vector.server)) })
}

function v1Client(vector: GoodV1): V1Client {
  const nonce = noncesOf(vector, 'client')
  const token = (): Uint8Array => fromHex(vector.token)
  return new V1Client({ limits: terms.limits, nonce, token, ephemeral: () => KeyPair.from(fromHex(vector.client)) })
}

type V1Channel = NonNullable<ReturnType<V1Server['received']>['channel']>

function converseV1(vector: GoodV1, side: string, channel: V1Channel | undefined, split: (bytes: Uint8Array) => Uint8Array[]): void {
  if (channel === undefined) throw new Error('no channel')
  const sink = new Collector()
  for (const { from, plaintext, frame } of vector.frames) {
    if (from === side) {
      channel.write(sink, fromHex(plaintext))
      expect(hex(sink.taken())).toBe(frame)
      continue
    }
    for (const chunk of split(fromHex(frame))) channel.push(chunk)
    expect(channel.next()).toEqual(fromHex(plaintext))
    expect(channel.next()).toBeUndefined()
  }
}

/** `waits` when nothing was wrong so far. */
function asV1(to: string, chunks: readonly Uint8Array[]): { readonly delivered: readonly Uint8Array[]; readonly reason: string } {
  const [vector] = v1.good
  if (vector === undefined) throw new Error('no vector')
  const end = to === 'server' ? v1Server(vector) : v1Client(vector)
  const delivered: Uint8Array[] = []
  let channel: V1Channel | undefined
  try {
    for (const chunk of chunks) {
      if (channel !== undefined) channel.push(chunk)
      else {
        channel = end.received(chunk).channel
        for (const { from, plaintext } of vector.frames) if (from === to) channel?.write(new Collector(), fromHex(plaintext))
      }
      for (let data = channel?.next(); data !== undefined; data = channel?.next()) delivered.push(data)
    }
    return { delivered, reason: 'waits' }
  } catch (reason) {
    return { delivered, reason: SealwireError.from(reason).message }
  }
}

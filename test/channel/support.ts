// Two ends of a channel without anything between them, and what every test of it needs.

import {
  ChannelClient,
  type ChannelClientOptions,
  ChannelServer,
  type ChannelServerOptions,
  type ClientChannel,
  KeyPair,
  type RecordReader,
  type SealedChannel,
  type ServerGreeting,
} from '../../src/channel/index.ts'
import { type FrameSink, type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { ManualClock } from '../support/manual-clock.ts'

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const greeting: ServerGreeting = {
  server: text('a server'),
  versions: [2],
  time: 1_800_000_000_000,
  limits: { recordBytesMax: 65_535, ageMsMax: 86_400_000 },
}

/** Collects what is written, as the output of a link does. */
export class Collector implements FrameSink {
  bytes = new Uint8Array(64)
  #end = 0

  reserve(count: number): number {
    const at = this.#end
    this.#end += count
    if (this.#end > this.bytes.length) {
      const grown = new Uint8Array(this.#end * 2)
      grown.set(this.bytes)
      this.bytes = grown
    }
    return at
  }

  /** What was written since the last call. */
  taken(): Uint8Array {
    const bytes = this.bytes.slice(0, this.#end)
    this.#end = 0
    return bytes
  }
}

/** Two channels that are each other's peer. */
export interface Pair {
  readonly client: ClientChannel
  readonly server: SealedChannel
  readonly clock: ManualClock
}

export interface PairOptions {
  readonly pattern?: 'XX' | 'IK' | 'NK'
  readonly limits?: Readonly<Record<string, number>>
  readonly greeting?: ServerGreeting
}

export const serverKey = KeyPair.generate()
export const clientKey = KeyPair.generate()

/** Options of a client that expects the key of `serverKey`. */
export function clientOptions(pattern: 'XX' | 'IK' | 'NK', clock: ManualClock, limits: Limits = resolveLimits()): ChannelClientOptions {
  const common = { clock, limits }
  if (pattern === 'NK') return { pattern, serverKey: serverKey.publicKey, ...common }
  if (pattern === 'IK') return { pattern, staticKey: clientKey, serverKey: serverKey.publicKey, ...common }
  return { pattern, staticKey: clientKey, trusts: (key) => hex(key) === hex(serverKey.publicKey), ...common }
}

export function serverOptions(clock: ManualClock, limits: Limits = resolveLimits(), said = greeting): ChannelServerOptions {
  return { staticKey: serverKey, greeting: () => said, clock, limits }
}

/** A whole handshake. */
export function channelPair({ pattern = 'XX', limits: overrides = {}, greeting: said = greeting }: PairOptions = {}): Pair {
  const clock = new ManualClock()
  const limits = resolveLimits(overrides)
  const client = new ChannelClient(clientOptions(pattern, clock, limits))
  const server = new ChannelServer(serverOptions(clock, limits, said))
  const answer = server.received(client.hello())
  const met = client.received(answer.send)
  const last = server.received(met.send)
  if (met.channel === undefined || last.channel === undefined) throw new Error('no channel')
  return { client: met.channel, server: last.channel, clock }
}

/** Everything a reader has to give. */
export function readAll(reader: RecordReader): Uint8Array[] {
  const all: Uint8Array[] = []
  for (let data = reader.next(); data !== undefined; data = reader.next()) all.push(data)
  return all
}

export function singleBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte))
}

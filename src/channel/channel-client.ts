// The client's side of a handshake (channel.md, "Handshake"), without input or output:
//
//   hello ──▶ second message ──▶ XX:      third message ──▶ channel
//                                IK, NK:  a ping        ──▶ channel
//
// What a client expects of the server's key is settled before it says who it is: with XX `trusts` judges the key before the
// third message, with IK and NK no other key can answer at all. There is no way from a failed IK to XX.

import { assert, SealwireError } from '../protocol/errors.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import { ByteQueue } from './byte-queue.ts'
import { prefixed } from './channel-server.ts'
import { type KeyPair, publicKeyBytes } from './key-pair.ts'
import { NoiseHandshake } from './noise-handshake.ts'
import { encodePreamble, prologueOf } from './preamble.ts'
import type { ChannelClock } from './record.ts'
import { type ChannelLimits, type ChannelStep, SealedChannel } from './sealed-channel.ts'
import { decodeGreeting, type ServerGreeting } from './server-greeting.ts'

/**
 * Whom a client wants to talk to, and as whom. XX: the server's key is not known but can be judged when it is seen, say by
 * its pin. IK: it is known. NK: the same for a client without a key of its own.
 */
export type ChannelPeer =
  | { readonly pattern: 'XX'; readonly staticKey: KeyPair; readonly trusts: (serverKey: Uint8Array, greeting: ServerGreeting) => boolean }
  | { readonly pattern: 'IK'; readonly staticKey: KeyPair; readonly serverKey: Uint8Array }
  | { readonly pattern: 'NK'; readonly serverKey: Uint8Array }

/** What a client brings to a handshake. */
export type ChannelClientOptions = ChannelPeer & {
  readonly clock: ChannelClock
  readonly limits: ChannelLimits
  /** 32 bytes of what carries the channel. Default: zeros, for TCP. */
  readonly binding?: Uint8Array | undefined
  /** Where a fresh key pair comes from. Default: the system. Fixed only by tests. */
  readonly ephemeral?: (() => KeyPair) | undefined
}

/** A channel as a client has it: the server has said something of itself. */
export interface ClientChannel {
  readonly sealed: SealedChannel
  readonly greeting: ServerGreeting
}

/** One connection that shakes hands with a server. */
export class ChannelClient {
  readonly #options: ChannelClientOptions
  readonly #handshake: NoiseHandshake
  readonly #preamble: Uint8Array
  readonly #queue = new ByteQueue()
  readonly #first = new FirstFailure(() => this.destroy())
  /** Of the second message, once it is known. */
  #length: number | undefined
  #isDone = false

  constructor(options: ChannelClientOptions) {
    const { pattern, binding, ephemeral } = options
    this.#options = options
    this.#preamble = encodePreamble(pattern)
    this.#handshake = new NoiseHandshake({
      pattern,
      role: 'initiator',
      prologue: prologueOf(this.#preamble, binding),
      staticKey: pattern === 'NK' ? undefined : options.staticKey,
      remoteStaticKey: pattern === 'XX' ? undefined : options.serverKey,
      ephemeral,
    })
  }

  /** What the client sends first; to be asked for once. @throws {SealwireError} `channel_broken` for a server key that is worth nothing. */
  hello(): Uint8Array {
    const message = this.#handshake.write(nothing)
    return joined(this.#preamble, message)
  }

  /**
   * Takes what one read brought, and owns it from now on. Once there is a channel its reader takes the rest.
   * @throws {SealwireError} `untrusted` when it is another server than the expected one; else `channel_broken`. Either way
   * nothing more is sent.
   */
  received(bytes: Uint8Array): ChannelStep<ClientChannel> {
    assert(!this.#isDone, 'bytes for a handshake that is over')
    return this.#first.run(() => this.#advance(bytes))
  }

  /**
   * What it means that the connection ended during the handshake. A server with another key than the expected one ends it
   * in silence, and so does one that is busy.
   */
  ended(): SealwireError {
    this.destroy()
    const hint = this.#options.pattern === 'XX' ? 'try again later' : 'try again later; if it stays so, the server may have a new key'
    return new SealwireError('connection_lost', 'the server ended the connection during the handshake', { hint })
  }

  /** Zeroes what is secret, for a handshake that comes to nothing; of no effect once there is a channel. */
  destroy(): void {
    if (this.#isDone) return
    this.#first.fail()
    this.#handshake.destroy()
    this.#queue.clear()
  }

  #advance(bytes: Uint8Array): ChannelStep<ClientChannel> {
    this.#queue.push(bytes)
    const message = this.#second()
    if (message === undefined) return { send: nothing }
    const greeting = decodeGreeting(this.#read(message))
    const third = this.#third(greeting)
    this.#isDone = true
    const sealed = new SealedChannel(this.#options.pattern, this.#handshake, this.#queue, this.#terms(greeting))
    if (this.#options.pattern === 'XX') return { send: third, channel: { sealed, greeting } }
    const ping = new ByteSink()
    sealed.writer.ping(ping)
    return { send: ping.bytes, channel: { sealed, greeting } }
  }

  /** The second message behind its length, which is judged as soon as it is there. */
  #second(): Uint8Array | undefined {
    if (this.#length === undefined) {
      const prefix = this.#queue.take(2)
      if (prefix === undefined) return undefined
      this.#length = new DataView(prefix.buffer, prefix.byteOffset).getUint16(0)
      if (this.#length < publicKeyBytes || this.#length > this.#options.limits.channelHandshakeBytesMax) throw this.#isOther()
    }
    return this.#queue.take(this.#length)
  }

  /** The payload of the second message. */
  #read(message: Uint8Array): Uint8Array {
    try {
      return this.#handshake.read(message)
    } catch (reason) {
      throw SealwireError.from(reason).code === 'channel_broken' ? this.#isOther() : reason
    }
  }

  /** Nothing but with XX, once the server's key is trusted. */
  #third(greeting: ServerGreeting): Uint8Array {
    if (this.#options.pattern !== 'XX') return nothing
    const key = this.#handshake.remoteStaticKey
    if (key === undefined || !this.#options.trusts(key, greeting))
      throw new SealwireError('untrusted', 'the server has another key than the expected one')
    return prefixed(this.#handshake.write(nothing), this.#options.limits)
  }

  /** Who cannot answer IK or NK does not have the key that is expected of the server. */
  #isOther(): SealwireError {
    if (this.#options.pattern === 'XX') return channelBroken()
    return new SealwireError('untrusted', 'the server did not prove that it has the expected key')
  }

  /** A client keeps to what the server takes. */
  #terms({ limits: { recordBytesMax, ageMsMax } }: ServerGreeting): ChannelLimits & { readonly clock: ChannelClock } {
    const { limits, clock } = this.#options
    return {
      ...limits,
      clock,
      channelRecordBytesMax: Math.min(limits.channelRecordBytesMax, recordBytesMax),
      channelAgeMsMax: Math.min(limits.channelAgeMsMax, ageMsMax),
    }
  }
}

/** Room for the one record that a client writes by itself. */
class ByteSink {
  bytes = nothing

  reserve(count: number): number {
    this.bytes = new Uint8Array(count)
    return 0
  }
}

const nothing = new Uint8Array(0)

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}

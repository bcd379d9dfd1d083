// The server's side of a handshake (channel.md, "Handshake"), without input or output:
//
//   preamble ──▶ first message ──answer──▶ XX:      third message ──▶ channel
//                                          IK, NK:  first record  ──▶ channel
//
// A first message of IK or NK can be a copy of an earlier one, so there is no channel before a record has opened: only who
// has the ephemeral key can make that. Whatever is wrong, nothing more is sent and the error is the same.

import { assert, type SealwireError } from '../protocol/errors.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import { ByteQueue } from './byte-queue.ts'
import type { KeyPair } from './key-pair.ts'
import { NoiseHandshake } from './noise-handshake.ts'
import { firstMessageBytes, type PatternName, thirdMessageBytes } from './patterns.ts'
import { parsePreamble, preambleBytes, prologueOf } from './preamble.ts'
import type { ChannelClock } from './record.ts'
import { type ChannelLimits, type ChannelStep, SealedChannel } from './sealed-channel.ts'
import { encodeGreeting, type ServerGreeting } from './server-greeting.ts'

/** What a server brings to a handshake. */
export interface ChannelServerOptions {
  readonly staticKey: KeyPair
  /** The key that takes its place: good already for clients that know it (IK, NK). Default: none. */
  readonly nextKey?: KeyPair | undefined
  /** What it says of itself, at the time it is asked. */
  readonly greeting: () => ServerGreeting
  readonly clock: ChannelClock
  readonly limits: ChannelLimits
  /** The patterns it takes. Default: all. */
  readonly patterns?: readonly PatternName[] | undefined
  /** 32 bytes of what carries the channel. Default: zeros, for TCP. */
  readonly binding?: Uint8Array | undefined
  /** Where a fresh key pair comes from. Default: the system. Fixed only by tests. */
  readonly ephemeral?: (() => KeyPair) | undefined
}

/** One connection that shakes hands with a server. */
export class ChannelServer {
  readonly #options: ChannelServerOptions
  readonly #queue = new ByteQueue()
  readonly #first = new FirstFailure(() => this.destroy())
  #pattern: PatternName | undefined
  #prologue: Uint8Array | undefined
  #handshake: NoiseHandshake | undefined
  /** Made and not yet confirmed, with IK and NK. */
  #channel: SealedChannel | undefined
  /** The length of the third message was read. */
  #thirdBegun = false
  #isDone = false

  constructor(options: ChannelServerOptions) {
    this.#options = options
  }

  /**
   * Takes what one read brought, and owns it from now on. Once there is a channel its reader takes the rest.
   * @throws {SealwireError} `channel_broken`: close the connection without a word.
   */
  received(bytes: Uint8Array): ChannelStep<SealedChannel> {
    assert(!this.#isDone, 'bytes for a handshake that is over')
    return this.#first.run(() => this.#advance(bytes))
  }

  /** What it means that the connection ended during the handshake. @returns `channel_broken`. */
  ended(): SealwireError {
    this.destroy()
    return channelBroken()
  }

  /** Zeroes what is secret, for a handshake that comes to nothing; of no effect once there is a channel. */
  destroy(): void {
    if (this.#isDone) return
    this.#first.fail()
    this.#handshake?.destroy()
    this.#channel?.destroy()
    this.#queue.clear()
  }

  #advance(bytes: Uint8Array): ChannelStep<SealedChannel> {
    this.#queue.push(bytes)
    const send = this.#handshake === undefined ? this.#answer() : nothing
    const channel = this.#handshake === undefined ? undefined : this.#finish(this.#handshake)
    if (channel === undefined) return { send }
    this.#isDone = true
    return { send, channel }
  }

  /** Reads preamble and first message, and writes the second. Nothing while they are not there. */
  #answer(): Uint8Array {
    this.#prologue ??= this.#readPreamble()
    if (this.#pattern === undefined || this.#prologue === undefined) return nothing
    const message = this.#queue.take(firstMessageBytes[this.#pattern])
    if (message === undefined) return nothing
    const { greeting, limits } = this.#options
    const handshake = this.#begin(this.#pattern, this.#prologue, message)
    const answer = prefixed(handshake.write(encodeGreeting(greeting())), limits)
    this.#handshake = handshake
    return answer
  }

  /** With IK and NK the first message says which of two keys the client knows: only under that one does it open. */
  #begin(pattern: PatternName, prologue: Uint8Array, message: Uint8Array): NoiseHandshake {
    const { staticKey, nextKey, ephemeral } = this.#options
    const begun = (key: KeyPair): NoiseHandshake => {
      const handshake = new NoiseHandshake({ pattern, role: 'responder', prologue, staticKey: key, ephemeral })
      handshake.read(message)
      return handshake
    }
    if (nextKey === undefined || pattern === 'XX') return begun(staticKey)
    try {
      return begun(nextKey)
    } catch {
      return begun(staticKey)
    }
  }

  #readPreamble(): Uint8Array | undefined {
    const preamble = this.#queue.take(preambleBytes)
    if (preamble === undefined) return undefined
    const { patterns, binding } = this.#options
    this.#pattern = parsePreamble(preamble)
    if (patterns?.includes(this.#pattern) === false) throw channelBroken()
    return prologueOf(preamble, binding)
  }

  /** The channel, once the client has shown that it is there and no copy. */
  #finish(handshake: NoiseHandshake): SealedChannel | undefined {
    if (!handshake.done && !this.#readThird(handshake)) return undefined
    this.#channel ??= this.#open(handshake)
    return this.#pattern === 'XX' || this.#channel.reader.confirm() ? this.#channel : undefined
  }

  /** The third message of XX behind its length, which has one value and is judged as soon as it is there. */
  #readThird(handshake: NoiseHandshake): boolean {
    if (!this.#thirdBegun) {
      const length = this.#queue.take(2)
      if (length === undefined) return false
      if (length[0] !== 0 || length[1] !== thirdMessageBytes) throw channelBroken()
      this.#thirdBegun = true
    }
    const message = this.#queue.take(thirdMessageBytes)
    if (message === undefined) return false
    handshake.read(message)
    return true
  }

  #open(handshake: NoiseHandshake): SealedChannel {
    assert(this.#pattern !== undefined, 'a handshake without a pattern')
    const { clock, limits } = this.#options
    const takes = { recordBytesMax: limits.channelRecordBytesMax }
    return new SealedChannel(this.#pattern, handshake, this.#queue, { ...limits, clock, takes })
  }
}

/** A handshake message behind its length. */
export function prefixed(message: Uint8Array, { channelHandshakeBytesMax }: Pick<ChannelLimits, 'channelHandshakeBytesMax'>): Uint8Array {
  assert(message.length <= channelHandshakeBytesMax, 'a handshake message that is too long')
  const bytes = new Uint8Array(2 + message.length)
  bytes[0] = message.length >>> 8
  bytes[1] = message.length & 0xff
  bytes.set(message, 2)
  return bytes
}

const nothing = new Uint8Array(0)

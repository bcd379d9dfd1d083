// The handshake of v1 (channel.md, "Version 1"), byte for byte the fifth seed's and without input or output:
//
//   client ──▶ 01 | public key 32 | token (varint)
//   server ──▶ 02 | public key 32 | nonce 12 | token u64 BE, sealed under the agreed key 24
//
// Nothing in it says who the peer is: whoever stands between the two agrees on a key with each of them.

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { assert } from '../protocol/errors.ts'
import { nonceBytes, open, sealInto, tagBytes } from './aead.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import { ByteQueue } from './byte-queue.ts'
import { KeyPair, publicKeyBytes } from './key-pair.ts'
import { NonceSet } from './nonce-set.ts'
import type { ChannelStep } from './sealed-channel.ts'
import { randomNonce, V1Channel, type V1Terms } from './v1-channel.ts'

/** What either side brings to a v1 handshake. */
export interface V1Options extends V1Terms {
  /** Where the key pair of the connection comes from. Default: the system. Fixed only by tests. */
  readonly ephemeral?: (() => KeyPair) | undefined
  /** Where a client's token comes from, 8 bytes. Default: the system. Fixed only by tests. */
  readonly token?: (() => Uint8Array) | undefined
}

const request = 0x01
const response = 0x02
const tokenBytes = 8
const nothing = new Uint8Array(0)
const responseBytes = 1 + publicKeyBytes + nonceBytes + tokenBytes + tagBytes

/** One connection that shakes hands with a v1 server. */
export class V1Client {
  readonly #options: V1Options
  readonly #keys: KeyPair
  /** As the server sends it back: big-endian. */
  readonly #token: Uint8Array
  readonly #queue = new ByteQueue()
  readonly #first = new FirstFailure(() => this.#queue.clear())
  #isDone = false

  constructor(options: V1Options) {
    this.#options = options
    this.#keys = (options.ephemeral ?? (() => KeyPair.generate()))()
    this.#token = (options.token ?? (() => randomBytes(tokenBytes)))()
  }

  /** What the client sends first. The token is always written in its longest form, which is the only one that the seed reads. */
  hello(): Uint8Array {
    return Uint8Array.of(request, ...this.#keys.publicKey, longVarint, ...this.#token.toReversed())
  }

  /** Takes what one read brought, and owns it from now on. @throws {SealwireError} `channel_broken`. */
  received(bytes: Uint8Array): ChannelStep<V1Channel> {
    assert(!this.#isDone, 'bytes for a handshake that is over')
    return this.#first.run(() => {
      this.#queue.push(bytes)
      const message = this.#queue.take(responseBytes)
      if (message === undefined) return { send: nothing }
      const channel = this.#read(message)
      this.#isDone = true
      return { send: nothing, channel }
    })
  }

  #read(message: Uint8Array): V1Channel {
    if (message[0] !== response) throw channelBroken()
    const nonceAt = 1 + publicKeyBytes
    const key = this.#keys.agree(message.subarray(1, nonceAt))
    const nonce = message.subarray(nonceAt, nonceAt + nonceBytes)
    const token = open({ key, nonce, associated: nothing }, message.subarray(nonceAt + nonceBytes))
    if (!timingSafeEqual(token, this.#token)) throw channelBroken()
    return new V1Channel(key, this.#queue, used(nonce), this.#options)
  }
}

/** One connection that shakes hands as a v1 server. */
export class V1Server {
  readonly #options: V1Options
  readonly #queue = new ByteQueue()
  readonly #first = new FirstFailure(() => this.#queue.clear())
  #publicKey: Uint8Array | undefined
  #tokenForm: number | undefined
  #isDone = false

  constructor(options: V1Options) {
    this.#options = options
  }

  /** Takes what one read brought, and owns it from now on. @throws {SealwireError} `channel_broken`: close without a word. */
  received(bytes: Uint8Array): ChannelStep<V1Channel> {
    assert(!this.#isDone, 'bytes for a handshake that is over')
    return this.#first.run(() => {
      this.#queue.push(bytes)
      const token = this.#readToken()
      if (token === undefined || this.#publicKey === undefined) return { send: nothing }
      this.#isDone = true
      return this.#answer(this.#publicKey, token)
    })
  }

  /** The client's token, big-endian, once the request is all there. */
  #readToken(): Uint8Array | undefined {
    this.#publicKey ??= this.#readKey()
    if (this.#publicKey === undefined) return undefined
    this.#tokenForm ??= this.#queue.take(1)?.[0]
    if (this.#tokenForm === undefined) return undefined
    const rest = this.#queue.take(varintBytes(this.#tokenForm))
    return rest === undefined ? undefined : tokenOf(this.#tokenForm, rest)
  }

  #readKey(): Uint8Array | undefined {
    const start = this.#queue.take(1 + publicKeyBytes)
    if (start !== undefined && start[0] !== request) throw channelBroken()
    return start === undefined ? undefined : new Uint8Array(start.subarray(1))
  }

  #answer(publicKey: Uint8Array, token: Uint8Array): ChannelStep<V1Channel> {
    const { ephemeral, nonce: makeNonce } = this.#options
    const keys = (ephemeral ?? (() => KeyPair.generate()))()
    const key = keys.agree(publicKey)
    const nonce = (makeNonce ?? randomNonce)()
    const send = new Uint8Array(responseBytes)
    send[0] = response
    send.set(keys.publicKey, 1)
    send.set(nonce, 1 + publicKeyBytes)
    sealInto(send, 1 + publicKeyBytes + nonceBytes, { key, nonce, associated: nothing }, token)
    return { send, channel: new V1Channel(key, this.#queue, used(nonce), this.#options) }
  }
}

function used(nonce: Uint8Array): NonceSet {
  const nonces = new NonceSet()
  nonces.add(nonce)
  return nonces
}

/** What announces a u64. */
const longVarint = 0xfd

/** Bytes behind the first one of a varint, little-endian; a first byte under 251 is the number itself. */
function varintBytes(first: number): number {
  if (first < 0xfb) return 0
  if (first > longVarint) throw channelBroken()
  return 2 ** (first - 0xfa)
}

function tokenOf(first: number, rest: Uint8Array): Uint8Array {
  const token = new Uint8Array(tokenBytes)
  token.set((rest.length === 0 ? Uint8Array.of(first) : rest).toReversed(), tokenBytes - Math.max(rest.length, 1))
  return token
}

// The frames of v1 (channel.md, "Version 1"):
//
//   length of ciphertext and tag u32 BE | nonce 12 | ciphertext | tag 16
//
// One key serves both directions and nonces are random, so that by itself the wire lets anybody repeat frames and send them
// back to where they came from. Here no nonce is taken that was seen or sent on this connection, which stops both. Dropped
// and reordered frames, and a man in the middle, it does not stop.

import { randomBytes } from 'node:crypto'
import type { FrameSink } from '../protocol/frame.ts'
import type { Limits } from '../protocol/limits.ts'
import { nonceBytes, open, sealInto, tagBytes } from './aead.ts'
import { channelBroken, FirstFailure } from './broken.ts'
import type { ByteQueue } from './byte-queue.ts'
import type { NonceSet } from './nonce-set.ts'

/** The bounds that a v1 connection keeps to. */
export type V1Limits = Pick<Limits, 'channelV1RecordBytesMax' | 'channelV1FramesMax'>

/** What a v1 connection needs. */
export interface V1Terms {
  readonly limits: V1Limits
  /** Where nonces come from. Default: the system. Fixed only by tests. */
  readonly nonce?: (() => Uint8Array) | undefined
}

const lengthBytes = 4
const headerBytes = lengthBytes + nonceBytes
const nothing = new Uint8Array(0)

/** A v1 connection whose handshake is done: opaque frames both ways. */
export class V1Channel {
  readonly #key: Uint8Array
  readonly #queue: ByteQueue
  readonly #nonces: NonceSet
  readonly #limits: V1Limits
  readonly #makeNonce: () => Uint8Array
  readonly #first = new FirstFailure(() => this.destroy())
  /** Of the frame that is being read; 0 between frames. */
  #length = 0
  readonly #nonce = new Uint8Array(nonceBytes)
  #hasNonce = false
  #frames = 0

  /** The channel owns all of it from now on. `nonces`: those of the handshake. */
  constructor(key: Uint8Array, queue: ByteQueue, nonces: NonceSet, { limits, nonce }: V1Terms) {
    this.#key = key
    this.#queue = queue
    this.#nonces = nonces
    this.#limits = limits
    this.#makeNonce = nonce ?? randomNonce
  }

  /** Bytes pushed and not yet given back. */
  get heldBytes(): number {
    return this.#queue.length
  }

  /** Takes what one read brought. The channel owns `chunk` from now on. */
  push(chunk: Uint8Array): void {
    this.#queue.push(chunk)
  }

  /**
   * The plaintext of the next frame, in memory of its own, or `undefined` when more bytes are needed.
   * @throws {SealwireError} `channel_broken`; the same one at every later call.
   */
  next(): Uint8Array | undefined {
    return this.#first.run(() => this.#nextPlaintext())
  }

  /** Writes one frame, of at most 65,535 bytes. @throws {SealwireError} `channel_broken` when there may be no more frames. */
  write(sink: FrameSink, plaintext: Uint8Array): void {
    this.#first.run(() => {
      const length = plaintext.length + tagBytes
      if (length > this.#limits.channelV1RecordBytesMax) throw channelBroken()
      const nonce = this.#makeNonce()
      this.#use(nonce)
      const at = sink.reserve(headerBytes + length)
      const output = sink.bytes
      new DataView(output.buffer, output.byteOffset).setUint32(at, length)
      output.set(nonce, at + lengthBytes)
      sealInto(output, at + headerBytes, { key: this.#key, nonce, associated: nothing }, plaintext)
    })
  }

  /** Zeroes the key and forgets what was not opened; the channel is over. Best effort: the runtime may have made copies. */
  destroy(): void {
    this.#first.fail()
    this.#key.fill(0)
    this.#queue.clear()
  }

  #nextPlaintext(): Uint8Array | undefined {
    if (this.#length === 0 && !this.#readLength()) return undefined
    if (!this.#hasNonce && !this.#readNonce()) return undefined
    const sealed = this.#queue.take(this.#length)
    if (sealed === undefined) return undefined
    this.#length = 0
    this.#hasNonce = false
    return open({ key: this.#key, nonce: this.#nonce, associated: nothing }, sealed)
  }

  /** Judged before anything else has come: what the seed took for a frame without a nonce is a length of zero and no more. */
  #readLength(): boolean {
    const bytes = this.#queue.take(lengthBytes)
    if (bytes === undefined) return false
    this.#length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
    if (this.#length < tagBytes || this.#length > this.#limits.channelV1RecordBytesMax) throw channelBroken()
    return true
  }

  #readNonce(): boolean {
    const nonce = this.#queue.take(nonceBytes)
    if (nonce === undefined) return false
    this.#nonce.set(nonce)
    this.#hasNonce = true
    this.#use(this.#nonce)
    return true
  }

  #use(nonce: Uint8Array): void {
    if (++this.#frames > this.#limits.channelV1FramesMax || !this.#nonces.add(nonce)) throw channelBroken()
  }
}

/** 12 random bytes. */
export function randomNonce(): Uint8Array {
  return randomBytes(nonceBytes)
}

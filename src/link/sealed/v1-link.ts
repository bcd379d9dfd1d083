// A connection of version 1 as a link, for a service that echoes: what one frame carried is received in one call, and each
// `send` is a frame. Nobody knows who the peer is. Its end is not authenticated either, so every end is an `ended`.

import type { Socket } from 'node:net'
import type { V1Channel } from '../../channel/index.ts'
import { assert, type FrameSink } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import type { LinkEnd, LinkSecurity, RemoteAddress } from '../link.ts'
import { TcpLink } from '../tcp-link.ts'

export class SealedV1Link extends TcpLink {
  readonly security: LinkSecurity = { protocol: 'sealed v1', cipher: 'X25519 AES-256-GCM', alpn: '', peerCertificate: undefined }
  readonly #channel: V1Channel
  /** The output as the channel sees it: what stands in it is sealed. */
  readonly #sealed: FrameSink
  #isOver = false

  constructor(socket: Socket, channel: V1Channel, remote: RemoteAddress, context: LinkContext) {
    super(socket, remote, context)
    this.#channel = channel
    const output = (): Uint8Array => this.bytes
    this.#sealed = {
      reserve: (count) => super.reserve(count),
      get bytes() {
        return output()
      },
    }
  }

  override reserve(): never {
    assert(false, 'bytes without a frame for a link of version 1')
  }

  override reserveLater(): never {
    return this.reserve()
  }

  override send(bytes: Uint8Array): void {
    if (!this.open) return
    try {
      this.#channel.write(this.#sealed, bytes)
    } catch {
      // The channel has carried as many frames as it may.
      this.close()
    }
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.socket.destroyed) return -1
    if (this.socket.writableNeedDrain) return 0
    this.socket.write(new Uint8Array(bytes.subarray(start, end))) // The socket keeps what it is given; our buffer is used again.
    return end - start
  }

  protected arrived(bytes: Uint8Array): void {
    if (!this.#isOver) this.#channel.push(bytes)
  }

  protected read(): void {
    while (!this.#isOver) {
      const plaintext = this.#next()
      if (plaintext === undefined) return
      this.deliver(plaintext)
    }
  }

  protected lastBytes(): Uint8Array {
    return new Uint8Array(0)
  }

  protected streamEnded(): void {
    this.peerEnded()
  }

  protected socketClosed(): void {
    this.over('ended')
  }

  protected override over(end: LinkEnd): void {
    this.#isOver = true
    super.over(end)
    this.#channel.destroy()
  }

  #next(): Uint8Array | undefined {
    try {
      return this.#channel.next()
    } catch {
      this.terminate('corrupt')
      return undefined
    }
  }
}

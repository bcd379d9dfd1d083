// What links over a bare socket of node:net share, whatever is sealed on top of it: the socket's events, pausing, and the end.
// The socket was made with `allowHalfOpen`. Bytes that come before anybody is attached wait in the link.

import type { Socket } from 'node:net'
import { BufferedLink, type LinkContext } from './buffered-link.ts'
import type { LinkReceiver, RemoteAddress } from './link.ts'

/** A link over TCP. */
export abstract class TcpLink extends BufferedLink {
  protected readonly socket: Socket
  #isAttached = false

  constructor(socket: Socket, remote: RemoteAddress, context: LinkContext) {
    super(remote, context)
    this.socket = socket
    socket.pause()
    socket.on('data', (bytes: Buffer) => {
      this.arrived(bytes)
      if (this.#isAttached) this.read()
    })
  }

  /** One read: keep it for {@link read}. */
  protected abstract arrived(bytes: Uint8Array): void
  /** Hands on what can be handed on of everything that has arrived. */
  protected abstract read(): void
  /** What closes the conversation under seal; often nothing. */
  protected abstract lastBytes(): Uint8Array
  /** The peer's direction of TCP is at its end. */
  protected abstract streamEnded(): void
  /** The socket is gone, and nothing has said why. */
  protected abstract socketClosed(): void

  override attach(receiver: LinkReceiver): void {
    super.attach(receiver)
    const { socket } = this
    socket.on('drain', () => this.writable())
    socket.on('end', () => this.streamEnded())
    socket.on('error', () => this.terminate('reset'))
    socket.on('close', () => this.socketClosed())
    if (socket.destroyed) return this.over('reset') // It went between its handshake and now, and tells nobody any more.
    // Not now: whoever attaches itself is often not ready yet.
    queueMicrotask(() => {
      this.#isAttached = true
      this.read()
    })
    socket.resume()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  protected endTransport(): void {
    this.socket.resume() // A paused socket that is ended would never close.
    this.socket.end(this.lastBytes())
  }

  protected cutTransport(): void {
    this.socket.destroy()
  }
}

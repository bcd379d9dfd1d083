// A link over a socket of node:tls whose handshake is done, dialled or accepted.

import type { TLSSocket } from 'node:tls'
import { BufferedLink, type LinkContext } from '../buffered-link.ts'
import type { Link, LinkEnd, LinkReceiver, LinkSecurity } from '../link.ts'
import { alertOf } from './alert.ts'

/** A dialled link: the receiver is attached when the handshake is done. */
export interface DialledLink extends Link {
  /**
   * Until when another connection should be in the place of this one, which ends by itself after it: ms of the monotonic clock.
   * `undefined` where a connection has no end of its own.
   */
  readonly renewBefore?: number | undefined
  attach(receiver: LinkReceiver): void
}

/** The socket was made with `allowHalfOpen`; whoever gives it has listened to nothing but its handshake. */
export class NodeTlsLink extends BufferedLink implements DialledLink {
  readonly security: LinkSecurity
  readonly #socket: TLSSocket

  constructor(socket: TLSSocket, context: LinkContext, peerCertificate?: Uint8Array) {
    super({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }, context)
    this.#socket = socket
    this.security = {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '',
      peerCertificate,
    }
  }

  override attach(receiver: LinkReceiver): void {
    super.attach(receiver)
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.deliver(bytes))
    socket.on('drain', () => this.writable())
    socket.on('end', () => this.peerEnded())
    socket.on('error', (error: NodeJS.ErrnoException) => this.terminate(endOf(error)))
    socket.on('close', () => this.over('ended'))
    if (socket.destroyed) this.over('reset') // It went between its handshake and now, and tells nobody any more.
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.#socket.destroyed) return -1
    if (this.#socket.writableNeedDrain) return 0
    this.#socket.write(new Uint8Array(bytes.subarray(start, end))) // The socket keeps what it is given; our buffer is used again.
    return end - start
  }

  protected endTransport(): void {
    this.#socket.resume()
    this.#socket.end()
  }

  protected cutTransport(): void {
    this.#socket.destroy()
  }
}

/** In TLS 1.3 a client hears only after its handshake what the server thinks of its certificate. */
function endOf({ code = '' }: NodeJS.ErrnoException): LinkEnd {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset'
  return alertOf(code)?.words.code === 'certificate_invalid' ? 'refused' : 'corrupt'
}

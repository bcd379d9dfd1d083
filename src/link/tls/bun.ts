// TLS on Bun: sockets are accepted in the clear and upgraded one by one with the certificate of that moment, so a new
// certificate needs no new listener, and every connection is ours to bound from its first packet on.
//
//   accept ──admit──▶ handshaking ──handshake──▶ open ──▶ over
//             │no          │ failed, or longer than handshakeMsMax
//             └─▶ cut      └─▶ cut
//
// Only this file knows Bun's sockets. Their traps and where each is met: a `handshake` callback always exists,
// else half-open sockets are invisible; the deadline is our own timer, the runtime has none; a short write is kept and
// continued in `drain`; `end` proves nothing about how the peer ended.

import type { Socket, SocketHandler, TCPSocketListenOptions, TCPSocketListener } from 'bun'
import type { Timer } from '../../domain/index.ts'
import { SealwireError } from '../../protocol/index.ts'
import { BufferedLink, type LinkContext } from '../buffered-link.ts'
import { clientCertificateOptions, welcomeOrNot } from './client-certificate.ts'
import type { HandshakeFailure, LinkEnd, LinkSecurity, Listener, ListenHandlers, Ticket } from '../link.ts'
import { listenError } from '../listen-error.ts'
import { type HandshakeReason, handshakeReason } from './alert.ts'
import {
  alpnWireBytes,
  applicationProtocol,
  type ClientCertificates,
  cipherSuites,
  minVersionNumber,
  minVersionNumberOfPeers,
  type PeerRule,
  serverPreference,
  type TlsAcceptOptions,
  type TlsIdentity,
} from './options.ts'

/**
 * Starts listening.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export function listenBunTls<T extends Ticket>(options: TlsAcceptOptions, handlers: ListenHandlers<T>, context: LinkContext): Listener {
  const mode = options.clientCertificates ?? 'off'
  const tls = tlsOptionsOf(options, mode)
  const listener = bind(options, (socket) => {
    const connection: { link?: TlsLink } = {}
    const ticket = handlers.admit(socket.remoteAddress, () => connection.link?.abandon('evicted'))
    if (ticket === undefined) return void socket.terminate()
    const link = new TlsLink(socket, ticket, handlers, { ...context, mode })
    connection.link = link
    link.handshake(tls)
  })
  const close = (): void => listener.stop(false)
  return { host: options.host, port: listener.port, close, [Symbol.asyncDispose]: async () => close() }
}

type PlainSocket = Socket<undefined>
type AcceptContext = LinkContext & { readonly mode: ClientCertificates | PeerRule }

class TlsLink extends BufferedLink {
  readonly #plain: PlainSocket
  readonly #ticket: Ticket
  readonly #handlers: ListenHandlers<Ticket>
  readonly #context: AcceptContext
  #socket: Socket<TlsLink> | undefined
  #peerCertificate: Uint8Array | undefined
  #state: 'handshaking' | 'established' | 'gone' = 'handshaking'
  #deadline: Timer | undefined
  #peerHasEnded = false
  #hasEnded = false

  constructor(socket: PlainSocket, ticket: Ticket, handlers: ListenHandlers<Ticket>, context: AcceptContext) {
    super({ address: socket.remoteAddress, port: socket.remotePort }, context)
    this.#plain = socket
    this.#ticket = ticket
    this.#handlers = handlers
    this.#context = context
  }

  get security(): LinkSecurity {
    const socket = this.#socket
    const alpn = socket?.alpnProtocol
    return {
      protocol: socket?.getTLSVersion() ?? '',
      cipher: socket?.getCipher()?.name ?? '',
      alpn: typeof alpn === 'string' ? alpn : '',
      peerCertificate: this.#peerCertificate,
    }
  }

  /** Starts TLS, with the deadline of `handshakeMsMax` from now. */
  handshake(tls: () => TlsOptions): void {
    const { limits, flusher } = this.#context
    this.#deadline = flusher.clock.after(limits.handshakeMsMax, () => this.abandon('timeout'))
    try {
      const [, socket] = this.#plain.upgradeTLS<TlsLink>({ data: this, tls: tls(), socket: socketHandlers })
      this.#socket = socket
    } catch {
      this.abandon('handshake')
    }
  }

  /** `succeeded` alone says nothing of a client certificate. */
  established(socket: Socket<TlsLink>, succeeded: boolean, error: unknown): void {
    if (this.#state !== 'handshaking') return
    const peer = succeeded ? welcomeOrNot(socket, this.#context.mode) : { reason: handshakeReason(error) }
    if ('reason' in peer) return this.abandon('handshake', peer.reason, peer.cause)
    this.#peerCertificate = peer.certificate
    this.#state = 'established'
    this.#ticket.established()
    this.#deadline?.cancel()
    this.#socket?.setKeepAlive(true, this.#context.limits.keepAliveMs)
    this.attach(this.#handlers.opened(this, this.#ticket))
  }

  data(bytes: Uint8Array): void {
    this.deliver(bytes)
  }

  drain(): void {
    this.writable()
  }

  end(): void {
    if (this.#state === 'handshaking') return this.abandon('handshake', 'closed')
    this.#peerHasEnded = true
    if (this.open) this.peerEnded()
    else if (this.#hasEnded) this.#socket?.end()
  }

  /** The runtime closed the socket; `end` says how it came to that. */
  gone(end: LinkEnd): void {
    if (this.#state === 'handshaking') return this.abandon('handshake', 'closed')
    this.#leave()
    this.over(end)
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return this.#socket === undefined ? -1 : this.#socket.write(bytes, start, end - start)
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  protected endTransport(): void {
    this.#socket?.resume() // A paused socket that is ended would never close.
    // Once `end` was called, the runtime does not let go of the descriptor of a peer that ignores it.
    this.#hasEnded = true
    if (this.#peerHasEnded) this.#socket?.end()
    else this.#socket?.shutdown()
  }

  protected cutTransport(): void {
    this.#leave()
    const socket = this.#socket ?? this.#plain
    socket.terminate()
  }

  /** Gives up before the handshake is done. */
  abandon(why: HandshakeFailure, reason?: HandshakeReason, cause?: SealwireError): void {
    if (this.#state !== 'handshaking') return
    this.terminate()
    this.#handlers.failed(this.remote, why, reason, cause)
  }

  /** Gives the ticket back, once. */
  #leave(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#deadline?.cancel()
    this.#ticket.release()
  }
}

function bind(options: TlsAcceptOptions, open: (socket: PlainSocket) => void): TCPSocketListener<undefined> {
  // What reaches these handlers besides `open` is not decrypted and not wanted.
  const socket: SocketHandler<undefined> = { open, drain() {}, error() {} }
  const listen: TCPSocketListenOptions<undefined> = { hostname: options.host, port: options.port, allowHalfOpen: true, socket }
  try {
    return Bun.listen(listen)
  } catch (cause) {
    throw listenError(options, cause)
  }
}

/** What the runtime is told about TLS; made anew only when the identity is another one. */
function tlsOptionsOf(
  { identity, applicationProtocol: protocol = applicationProtocol }: TlsAcceptOptions,
  mode: ClientCertificates | PeerRule,
): () => TlsOptions {
  let current = identity()
  let options = tlsOptions(current, mode, protocol)
  return () => {
    const asked = identity()
    if (asked === current) return options
    options = tlsOptions(asked, mode, protocol)
    current = asked
    return options
  }
}

type TlsOptions = ReturnType<typeof tlsOptions>

function tlsOptions(identity: TlsIdentity, mode: ClientCertificates | PeerRule, protocol: string) {
  const { secureOptions, ...clientCertificates } = clientCertificateOptions(mode, identity)
  return {
    ...clientCertificates,
    cert: identity.certificateChain,
    key: identity.key,
    ciphers: cipherSuites,
    minVersion: typeof mode === 'object' ? minVersionNumberOfPeers : minVersionNumber,
    secureOptions: serverPreference | secureOptions,
    ALPNProtocols: alpnWireBytes(protocol),
  }
}

/** The runtime's callbacks, which only find the link of their socket. */
const socketHandlers: SocketHandler<TlsLink> = {
  // A copy of a part of it is a tenth of a microsecond cheaper than of a Buffer.
  binaryType: 'uint8array',
  handshake: (socket, succeeded, error) => socket.data.established(socket, succeeded, error),
  data: (socket, bytes) => socket.data.data(bytes),
  drain: (socket) => socket.data.drain(),
  end: (socket) => socket.data.end(),
  close: (socket, error) => socket.data.gone(error === undefined || error === null ? 'ended' : 'reset'),
  error: (socket, error) => failure(socket.data, error),
}

/** A callback's own exception arrives here too: that is a bug and must not pass for a fault of the peer. */
function failure(link: TlsLink, error: Error & { code?: string }): void {
  if (error.code === undefined || SealwireError.is(error)) throw error
  link.terminate(error.code === 'ECONNRESET' ? 'reset' : 'corrupt')
}

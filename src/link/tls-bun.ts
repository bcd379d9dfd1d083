// TLS on Bun: sockets are accepted in the clear and upgraded one by one with the certificate of that moment, so a new
// certificate needs no new listener, and every connection is ours to bound from its first packet on.
//
//   accept ──admit──▶ handshaking ──handshake──▶ open ──▶ over
//             │no          │ failed, or longer than handshakeMsMax
//             └─▶ cut      └─▶ cut
//
// Only this file knows the runtime's sockets. Their traps and where each is met: a `handshake` callback always exists,
// else half-open sockets are invisible; the deadline is our own timer, the runtime has none; a short write is kept and
// continued in `drain`; `end` proves nothing about how the peer ended.

import type { Socket, SocketHandler, TCPSocketListenOptions, TCPSocketListener } from 'bun'
import type { Timer } from '../domain/index.ts'
import { SealwireError } from '../protocol/index.ts'
import { BufferedLink, type LinkContext } from './buffered-link.ts'
import type { HandshakeFailure, LinkEnd, LinkSecurity, Listener, ListenHandlers, Ticket } from './link.ts'
import { alpnWireBytes, applicationProtocol, cipherSuites, minVersionNumber, serverPreference, type TlsIdentity } from './tls-options.ts'

/** Where to listen, and as whom. */
export interface TlsListenOptions {
  /** Host name or address to listen on, IPv6 without brackets. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Asked at each accept, so that a renewed certificate serves the next connection. */
  readonly identity: () => TlsIdentity
}

/**
 * Starts listening.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export function listenTls<T extends Ticket>(options: TlsListenOptions, handlers: ListenHandlers<T>, context: LinkContext): Listener {
  const tls = tlsOptionsOf(options.identity)
  const listener = bind(options, (socket) => {
    const connection: { link?: TlsLink } = {}
    const ticket = handlers.admit(socket.remoteAddress, () => connection.link?.abandon('evicted'))
    if (ticket === undefined) return void socket.terminate()
    const link = new TlsLink(socket, ticket, handlers, context)
    connection.link = link
    link.handshake(tls())
  })
  const close = (): void => listener.stop(false)
  return { host: options.host, port: listener.port, close, [Symbol.asyncDispose]: async () => close() }
}

type PlainSocket = Socket<undefined>

class TlsLink extends BufferedLink {
  readonly #plain: PlainSocket
  readonly #ticket: Ticket
  readonly #handlers: ListenHandlers<Ticket>
  readonly #context: LinkContext
  #socket: Socket<TlsLink> | undefined
  #state: 'handshaking' | 'established' | 'gone' = 'handshaking'
  #deadline: Timer | undefined
  #peerHasEnded = false
  #hasEnded = false

  constructor(socket: PlainSocket, ticket: Ticket, handlers: ListenHandlers<Ticket>, context: LinkContext) {
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
    }
  }

  /** Starts TLS, with the deadline of `handshakeMsMax` from now. */
  handshake(tls: TlsOptions): void {
    const { limits, flusher } = this.#context
    this.#deadline = flusher.clock.after(limits.handshakeMsMax, () => this.abandon('timeout'))
    try {
      const [, socket] = this.#plain.upgradeTLS<TlsLink>({ data: this, tls, socket: socketHandlers })
      this.#socket = socket
    } catch {
      this.abandon('handshake')
    }
  }

  established(succeeded: boolean): void {
    if (this.#state !== 'handshaking') return
    if (!succeeded) return this.abandon('handshake')
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
    if (this.#state === 'handshaking') return this.abandon('handshake')
    this.#peerHasEnded = true
    if (this.open) this.peerEnded()
    else if (this.#hasEnded) this.#socket?.end()
  }

  /** The runtime closed the socket; `end` says how it came to that. */
  gone(end: LinkEnd): void {
    if (this.#state === 'handshaking') return this.abandon('handshake')
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
  abandon(why: HandshakeFailure): void {
    if (this.#state !== 'handshaking') return
    this.terminate()
    this.#handlers.failed(this.remote, why)
  }

  /** Gives the ticket back, once. */
  #leave(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#deadline?.cancel()
    this.#ticket.release()
  }
}

function bind(options: TlsListenOptions, open: (socket: PlainSocket) => void): TCPSocketListener<undefined> {
  // What reaches these handlers besides `open` is not decrypted and not wanted.
  const socket: SocketHandler<undefined> = { open, drain() {}, error() {} }
  const listen: TCPSocketListenOptions<undefined> = { hostname: options.host, port: options.port, allowHalfOpen: true, socket }
  try {
    return Bun.listen(listen)
  } catch (cause) {
    throw unavailable(options, cause)
  }
}

function unavailable({ host, port }: TlsListenOptions, cause: unknown): SealwireError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const { why, hint } = bindFailures.get(code) ?? { why: '', hint: 'check the name or address' }
  return new SealwireError('address_unavailable', `cannot listen on ${host}:${port}${why}`, { cause, hint })
}

/** What the system's codes mean to an operator. A name that cannot be resolved comes without a code. */
const bindFailures: ReadonlyMap<string, { readonly why: string; readonly hint: string }> = new Map([
  ['EADDRINUSE', { why: ': the port is in use', hint: 'choose another address, or stop what uses it' }],
  ['EADDRNOTAVAIL', { why: ': this is no address of this machine', hint: 'choose one that it has, such as 127.0.0.1' }],
  ['EACCES', { why: ': this needs more rights', hint: 'choose a port from 1024 on' }],
])

/** What the runtime is told about TLS; made anew only when the identity is another one. */
function tlsOptionsOf(identity: () => TlsIdentity): () => TlsOptions {
  let current = identity()
  let options = tlsOptions(current)
  return () => {
    const asked = identity()
    if (asked === current) return options
    current = asked
    options = tlsOptions(asked)
    return options
  }
}

type TlsOptions = ReturnType<typeof tlsOptions>

function tlsOptions(identity: TlsIdentity) {
  return {
    cert: identity.certificateChain,
    key: identity.key,
    ciphers: cipherSuites,
    minVersion: minVersionNumber,
    secureOptions: serverPreference,
    ALPNProtocols: alpnWireBytes(applicationProtocol),
  }
}

/** The runtime's callbacks, which only find the link of their socket. */
const socketHandlers: SocketHandler<TlsLink> = {
  handshake: (socket, succeeded) => socket.data.established(succeeded),
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

// Accepting TLS through node:tls, for Node. Sockets are accepted in the clear, and only those that were admitted are handed
// to a TLS server that itself listens nowhere: every connection is ours to bound from its first packet on.
//
//   accept ──admit──▶ handshaking ──secureConnection──▶ open ──▶ over
//             │no          │ failed, or longer than handshakeMsMax
//             └─▶ cut      └─▶ cut
//
// The traps of node:tls and where each is met: a handshake that fails or takes too long is reported and the socket kept, so
// the deadline is our own timer and whatever ends a handshake destroys its socket; clients of TLS 1.2 may renegotiate
// unless that is switched off; a list of ciphers without those of 1.3 means not to speak it; once its handshake is done, a
// socket must be destroyed before the one beneath it, or the process ends with a segmentation fault.

import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Timer } from '../../domain/index.ts'
import type { SealwireError } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { clientCertificateOptions, type UnwelcomePeer, type WelcomePeer, welcomeOrNot } from './client-certificate.ts'
import type { HandshakeFailure, Listener, ListenHandlers, RemoteAddress, Ticket } from '../link.ts'
import { bindServer } from '../tcp-listen.ts'
import { type HandshakeReason, handshakeReason } from './alert.ts'
import { NodeTlsLink } from './node-link.ts'
import {
  allCipherSuites,
  applicationProtocol,
  type ClientCertificates,
  minVersion,
  minVersionWithCertificate,
  noRenegotiation,
  type PeerRule,
  serverPreference,
  type TlsAcceptOptions,
  type TlsIdentity,
} from './options.ts'

/**
 * Starts listening; resolves when connections are accepted.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export async function listenNodeTls<T extends Ticket>(
  options: TlsAcceptOptions,
  handlers: ListenHandlers<T>,
  context: LinkContext,
): Promise<Listener> {
  const acceptor = new Acceptor(options, handlers, context)
  const server = createServer((socket) => acceptor.accept(socket))
  const port = await bindServer(server, options, context.limits.acceptQueueMax)
  const close = (): void => void server.close()
  return { host: options.host, port, close, [Symbol.asyncDispose]: async () => close() }
}

class Acceptor<T extends Ticket> {
  readonly #identity: () => TlsIdentity
  readonly #mode: ClientCertificates | PeerRule
  readonly #handlers: ListenHandlers<T>
  readonly #context: LinkContext
  readonly #tls: TlsServer
  #current: TlsIdentity
  /** By both ends' addresses: that is how the TLS server's sockets are told apart. */
  readonly #handshakes = new Map<string, Handshake<T>>()

  constructor(options: TlsAcceptOptions, handlers: ListenHandlers<T>, context: LinkContext) {
    const { identity, clientCertificates = 'off', applicationProtocol: protocol = applicationProtocol } = options
    this.#identity = identity
    this.#mode = clientCertificates
    this.#handlers = handlers
    this.#context = context
    this.#current = identity()
    this.#tls = createTlsServer({ ...secureContextOptions(this.#current, this.#mode), ALPNProtocols: [protocol] })
    this.#tls.on('secureConnection', (socket: TLSSocket) => this.#succeeded(socket))
    this.#tls.on('tlsClientError', (error: Error, socket: TLSSocket) => this.#failed(socket, { reason: handshakeReason(error) }))
  }

  accept(socket: Socket): void {
    socket.on('error', () => {}) // Its close follows, and says enough.
    const { remoteAddress: address, remotePort: port } = socket
    if (address === undefined || port === undefined) return void socket.destroy() // Gone before it was accepted.
    const pending: { handshake?: Handshake<T> } = {}
    const ticket = this.#handlers.admit(address, () => pending.handshake?.abandon('evicted'))
    if (ticket === undefined) return void socket.destroy()
    const handshake = new Handshake({ address, port }, socket, ticket, this.#handlers, this.#context)
    pending.handshake = handshake
    this.#remember(socket, handshake)
    try {
      this.#renewContext()
      this.#tls.emit('connection', socket)
    } catch {
      handshake.abandon('handshake')
    }
  }

  #remember(socket: Socket, handshake: Handshake<T>): void {
    const key = keyOf(socket)
    this.#handshakes.set(key, handshake)
    socket.once('close', () => {
      if (this.#handshakes.get(key) === handshake) this.#handshakes.delete(key)
    })
  }

  #succeeded(socket: TLSSocket): void {
    const handshake = this.#handshakes.get(keyOf(socket))
    const peer = welcomeOrNot(socket, this.#mode)
    if ('reason' in peer) return this.#failed(socket, peer)
    if (handshake === undefined) socket.destroy()
    else handshake.succeeded(socket, peer)
  }

  #failed(socket: TLSSocket, { reason, cause }: UnwelcomePeer): void {
    const handshake = this.#handshakes.get(keyOf(socket))
    socket.destroy()
    handshake?.abandon('handshake', reason, cause)
  }

  /** A renewed certificate serves the next connection. */
  #renewContext(): void {
    const asked = this.#identity()
    if (asked === this.#current) return
    this.#tls.setSecureContext(secureContextOptions(asked, this.#mode))
    this.#current = asked
  }
}

/** A connection from its accept to the end of its handshake, and its ticket to the end of its socket. */
class Handshake<T extends Ticket> {
  readonly #remote: RemoteAddress
  readonly #socket: Socket
  readonly #ticket: T
  readonly #handlers: ListenHandlers<T>
  readonly #context: LinkContext
  readonly #deadline: Timer
  #state: 'handshaking' | 'established' | 'gone' = 'handshaking'

  constructor(remote: RemoteAddress, socket: Socket, ticket: T, handlers: ListenHandlers<T>, context: LinkContext) {
    this.#remote = remote
    this.#socket = socket
    this.#ticket = ticket
    this.#handlers = handlers
    this.#context = context
    this.#deadline = context.flusher.clock.after(context.limits.handshakeMsMax, () => this.abandon('timeout'))
    socket.once('close', () => this.#closed())
  }

  succeeded(socket: TLSSocket, peer: WelcomePeer): void {
    if (this.#state !== 'handshaking') return void socket.destroy()
    this.#state = 'established'
    this.#deadline.cancel()
    this.#ticket.established()
    socket.allowHalfOpen = true // From now on a peer that has ended is still answered; in its handshake it was over.
    socket.setKeepAlive(true, this.#context.limits.keepAliveMs)
    const link = new NodeTlsLink(socket, this.#context, peer.certificate)
    link.attach(this.#handlers.opened(link, this.#ticket))
  }

  /** Gives up before the handshake is done. */
  abandon(why: HandshakeFailure, reason?: HandshakeReason, cause?: SealwireError): void {
    if (this.#state !== 'handshaking') return
    this.#leave()
    this.#socket.destroy()
    this.#handlers.failed(this.#remote, why, reason, cause)
  }

  #closed(): void {
    if (this.#state === 'handshaking') return this.abandon('handshake', 'closed')
    this.#leave()
  }

  /** Gives the ticket back, once. */
  #leave(): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    this.#deadline.cancel()
    this.#ticket.release()
  }
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}

function secureContextOptions(identity: TlsIdentity, mode: ClientCertificates | PeerRule) {
  const { secureOptions, ...clientCertificates } = clientCertificateOptions(mode, identity)
  return {
    ...clientCertificates,
    cert: identity.certificateChain,
    key: identity.key,
    ciphers: allCipherSuites,
    minVersion: typeof mode === 'object' ? minVersionWithCertificate : minVersion,
    secureOptions: serverPreference | noRenegotiation | secureOptions,
  } as const
}

// Accepting the sealed channel over TCP, through node:net on both runtimes. Every connection is ours to bound from its first
// packet on, and what is wrong with one before its handshake is done is answered by nothing but its end.
//
//   accept ──admit──▶ handshaking ──channel──▶ open ──▶ over
//             │no          │ failed, or longer than handshakeMsMax
//             └─▶ cut      └─▶ cut
//
// The first byte says which version the client speaks.

import { createServer, type Socket } from 'node:net'
import {
  type ChannelStep,
  ChannelServer,
  channelVersion,
  channelVersionSpoken,
  type SealedChannel,
  V1Channel,
  V1Server,
} from '../../channel/index.ts'
import type { Timer } from '../../domain/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import type { HandshakeFailure, LinkReceiver, Listener, ListenHandlers, RemoteAddress, Ticket } from '../link.ts'
import { SealedLink } from './link.ts'
import type { SealedListenOptions } from './options.ts'
import { SealedV1Link } from './v1-link.ts'
import { bindServer } from '../tcp-listen.ts'
import type { TcpLink } from '../tcp-link.ts'

/**
 * Starts listening; resolves when connections are accepted.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export async function listenSealed<T extends Ticket>(
  options: SealedListenOptions,
  handlers: ListenHandlers<T>,
  context: LinkContext,
): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, { options, handlers, context }))
  const port = await bindServer(server, options, context.limits.acceptQueueMax)
  const close = (): void => void server.close()
  return { host: options.host, port, close, [Symbol.asyncDispose]: async () => close() }
}

interface Place<T extends Ticket> {
  readonly options: SealedListenOptions
  readonly handlers: ListenHandlers<T>
  readonly context: LinkContext
}

function accept<T extends Ticket>(socket: Socket, place: Place<T>): void {
  socket.on('error', () => {}) // Its close follows, and says enough.
  const { remoteAddress: address, remotePort: port } = socket
  if (address === undefined || port === undefined) return void socket.destroy() // Gone before it was accepted.
  const pending: { handshake?: Handshake<T> } = {}
  const ticket = place.handlers.admit(address, () => pending.handshake?.abandon('evicted'))
  if (ticket === undefined) return void socket.destroy()
  pending.handshake = new Handshake({ address, port }, socket, ticket, place)
}

/** What either version makes of bytes. */
interface Handshaker {
  received(bytes: Uint8Array): ChannelStep<SealedChannel | V1Channel>
  /** Zeroes what is secret. */
  destroy?(): void
}

/** A connection from its accept to the end of its handshake, and its ticket to the end of its socket. */
class Handshake<T extends Ticket> {
  readonly #remote: RemoteAddress
  readonly #socket: Socket
  readonly #ticket: T
  readonly #place: Place<T>
  readonly #deadline: Timer
  #handshaker: Handshaker | undefined
  #state: 'handshaking' | 'established' | 'gone' = 'handshaking'

  constructor(remote: RemoteAddress, socket: Socket, ticket: T, place: Place<T>) {
    this.#remote = remote
    this.#socket = socket
    this.#ticket = ticket
    this.#place = place
    const { limits, flusher } = place.context
    this.#deadline = flusher.clock.after(limits.handshakeMsMax, () => this.abandon('timeout'))
    socket.on('data', this.#received)
    socket.once('end', () => this.abandon('handshake'))
    socket.once('close', () => this.#closed())
  }

  /** Gives up before the handshake is done. */
  abandon(why: HandshakeFailure): void {
    if (this.#state !== 'handshaking') return
    this.#leave()
    this.#handshaker?.destroy?.()
    this.#socket.destroy()
    this.#place.handlers.failed(this.#remote, why)
  }

  readonly #received = (bytes: Buffer): void => {
    if (this.#state !== 'handshaking') return
    const step = this.#advance(bytes)
    if (step === undefined) return this.abandon('handshake')
    if (step.send.length > 0) this.#socket.write(step.send)
    if (step.channel !== undefined) this.#succeeded(step.channel)
  }

  #advance(bytes: Uint8Array): ChannelStep<SealedChannel | V1Channel> | undefined {
    this.#handshaker ??= handshakerFor(bytes[0], this.#place)
    try {
      return this.#handshaker?.received(bytes)
    } catch {
      return undefined
    }
  }

  #succeeded(channel: SealedChannel | V1Channel): void {
    this.#state = 'established'
    this.#deadline.cancel()
    this.#ticket.established()
    const { context } = this.#place
    this.#socket.off('data', this.#received)
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, context.limits.keepAliveMs)
    const link = linkOver(this.#socket, channel, this.#remote, context)
    link.attach(this.#receiver(link))
  }

  #receiver(link: TcpLink): LinkReceiver {
    const { handlers, options } = this.#place
    if (link instanceof SealedV1Link && options.openedV1 !== undefined) return options.openedV1(link)
    return handlers.opened(link, this.#ticket)
  }

  #closed(): void {
    if (this.#state === 'handshaking') return this.abandon('handshake')
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

/** Who answers a client whose first byte this is; `undefined` for nobody. */
function handshakerFor<T extends Ticket>(firstByte = -1, { options, context }: Place<T>): Handshaker | undefined {
  const { limits, flusher } = context
  const version = channelVersion(firstByte)
  if (version === 1) return options.openedV1 === undefined ? undefined : new V1Server({ limits })
  if (version !== channelVersionSpoken) return undefined
  const { clock } = flusher
  const { current: staticKey, next } = options.keys()
  const greeting = () => ({
    server: options.serverId,
    versions: [channelVersionSpoken],
    time: clock.now(),
    limits: { recordBytesMax: limits.channelRecordBytesMax, ageMsMax: limits.channelAgeMsMax },
    ...(next === undefined ? {} : { next: { key: next.key.publicKey, until: next.until } }),
  })
  return new ChannelServer({ staticKey, nextKey: next?.key, greeting, clock, limits, patterns: options.patterns })
}

function linkOver(socket: Socket, channel: SealedChannel | V1Channel, remote: RemoteAddress, context: LinkContext): TcpLink {
  if (channel instanceof V1Channel) return new SealedV1Link(socket, channel, remote, context)
  // Who does not know the server yet (XX) shows a key that need not mean anything.
  const peerStaticKey = channel.pattern === 'IK' ? channel.peerKey : undefined
  return new SealedLink(socket, channel, { remote, peerStaticKey }, context)
}

// Accepting WebSockets over TLS, for browsers: a TLS listener of HTTP's application protocol, and on each of its links one
// request before frames. So admission, deadlines, backpressure and a renewed certificate are those of every TLS listener, on
// both runtimes; `established` is a connection whose upgrade is done (docs/decisions/0014).
//
//   accept ──admit──▶ TLS ──▶ asking ──101──▶ open ──▶ over
//             │no      │        │ another request, longer than handshakeMsMax since the accept
//             └─▶ cut  └─▶ cut  └─▶ answered and closed, or cut

import type { Timer } from '../../domain/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { answerUpgrade, tooLong, type UpgradeAnswer } from './http-upgrade.ts'
import type { HandshakeFailure, Link, LinkEnd, LinkReceiver, Listener, ListenHandlers, Ticket } from '../link.ts'
import { listenTls } from '../tls.ts'
import type { HandshakeReason } from '../tls/alert.ts'
import type { TlsListenOptions } from '../tls/options.ts'
import { WebSocketLink } from './link.ts'

/** Where to listen, and as whom. */
export interface WebListenOptions extends Pick<TlsListenOptions, 'host' | 'port' | 'identity'> {
  /** Pages that may connect beside those of the same host and port, such as `https://chat.example`. Default: none. */
  readonly origins?: readonly string[]
}

/**
 * Starts listening at `wss://HOST:PORT/sealwire`; resolves when connections are accepted.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export async function listenWeb<T extends Ticket>(
  { host, port, identity, origins = [] }: WebListenOptions,
  handlers: ListenHandlers<T>,
  context: LinkContext,
): Promise<Listener> {
  const place = { origins, handlers, context }
  return listenTls(
    { host, port, identity, applicationProtocol: 'http/1.1' },
    {
      admit: (address, evict) => Visitor.admit(address, evict, place),
      opened: (link, visitor: Visitor<T>) => visitor.begin(link),
      failed: (remote, why, reason) => handlers.failed(remote, why, reason),
    },
    // What is counted is what the links of the WebSockets are given.
    { ...context, traffic: undefined },
  )
}

interface Place<T extends Ticket> {
  readonly origins: readonly string[]
  readonly handlers: ListenHandlers<T>
  readonly context: LinkContext
}

/** A connection from its accept to its end; to the link below it is ticket and receiver. */
class Visitor<T extends Ticket> implements Ticket, LinkReceiver {
  readonly #place: Place<T>
  readonly #ticket: T
  readonly #acceptedAt: number
  #state: 'TLS' | 'asking' | 'answered' | 'open' | 'over' = 'TLS'
  #below: Link | undefined
  #transport: LinkReceiver | undefined
  #head: Uint8Array = new Uint8Array(0)
  #deadline: Timer | undefined
  #released = false

  private constructor(ticket: T, place: Place<T>) {
    this.#ticket = ticket
    this.#place = place
    this.#acceptedAt = place.context.flusher.clock.monotonic()
  }

  /** `undefined` for a connection that is not wanted. */
  static admit<T extends Ticket>(address: string, evict: () => void, place: Place<T>): Visitor<T> | undefined {
    const pending: { visitor?: Visitor<T> } = {}
    const ticket = place.handlers.admit(address, () => {
      evict()
      pending.visitor?.abandon('evicted')
    })
    if (ticket === undefined) return undefined
    pending.visitor = new Visitor(ticket, place)
    return pending.visitor
  }

  /** TLS is done, which is half of the handshake. */
  established(): void {}

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#ticket.release()
  }

  begin(below: Link): this {
    const { limits, flusher } = this.#place.context
    const leftMs = limits.handshakeMsMax - (flusher.clock.monotonic() - this.#acceptedAt)
    this.#state = 'asking'
    this.#below = below
    this.#deadline = flusher.clock.after(Math.max(0, leftMs), () => this.abandon('timeout'))
    return this
  }

  /** Gives up before the upgrade is done. */
  abandon(why: HandshakeFailure): void {
    if (this.#state !== 'asking') return
    this.#below?.terminate()
    this.release()
    this.#failed(why)
  }

  received(bytes: Uint8Array): void {
    if (this.#state === 'open') return this.#transport?.received(bytes)
    if (this.#state !== 'asking') return
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const end = Buffer.from(this.#head.buffer, this.#head.byteOffset, this.#head.length).indexOf(emptyLine)
    const { webRequestBytesMax } = this.#place.context.limits
    if (end > webRequestBytesMax || (end < 0 && this.#head.length > webRequestBytesMax)) return this.#answer(tooLong(), bytes)
    if (end < 0) return
    const request = Buffer.from(this.#head.subarray(0, end)).toString('latin1')
    this.#answer(answerUpgrade(request, this.#place.origins), this.#head.subarray(end + emptyLine.length))
  }

  drained(): void {
    this.#transport?.drained()
  }

  closed(end: LinkEnd): void {
    if (this.#state === 'open') return this.#transport?.closed(end)
    this.release()
    if (this.#state === 'asking') this.#failed('handshake', 'closed')
    else if (this.#state === 'answered') this.#failed('handshake', 'web')
  }

  /** `rest` came behind the request. */
  #answer({ isUpgraded, response }: UpgradeAnswer, rest: Uint8Array): void {
    const below = this.#below
    if (below === undefined) return
    this.#deadline?.cancel()
    this.#head = new Uint8Array(0)
    below.send(Buffer.from(response, 'latin1'))
    if (isUpgraded) return this.#open(below, rest)
    this.#state = 'answered'
    below.close()
  }

  #open(below: Link, rest: Uint8Array): void {
    const link = new WebSocketLink(below, 'server', this.#place.context)
    this.#state = 'open'
    this.#transport = link.transport
    this.#ticket.established()
    link.attach(this.#place.handlers.opened(link, this.#ticket))
    if (rest.length > 0) link.transport.received(rest)
  }

  #failed(why: HandshakeFailure, reason?: HandshakeReason): void {
    this.#state = 'over'
    this.#deadline?.cancel()
    if (this.#below !== undefined) this.#place.handlers.failed(this.#below.remote, why, reason)
  }
}

const emptyLine = '\r\n\r\n'

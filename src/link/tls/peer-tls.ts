// TLS between two devices, without a server in between. Both show their device certificate, and each side decides by itself,
// with the `verify` that it is given, whether the other one is whom it expects: nothing is delivered and nothing sent before.
// The runtime's own check has no say here, because a device certificate is neither for servers nor for a name; it is replaced
// on both sides alike, in this place and in client-certificate.ts, and nowhere else.
//
//   TLS 1.3 only, the protocol `sealwire-direct/1` or none at all, no name sent, no tickets, no early data.
//
// Who listens shows its certificate to whoever connects: TLS has it so. Who dials shows its own to the right one alone: it
// verifies before the last part of its handshake leaves.
//
// In TLS 1.3 who dials is done first. When the other side then refuses it, all that it sees is that the link ends, without a
// byte. So a link that was dialled counts for something only when the first bytes of the other side have come.

import { isIP } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { assert, type SealwireError } from '../../protocol/index.ts'
import type { LinkContext } from '../buffered-link.ts'
import { noTickets, verifiedPeer } from './client-certificate.ts'
import { anotherProtocol } from '../dial-error.ts'
import type { HandshakeFailure, Link, LinkReceiver, Listener, RemoteAddress, Ticket } from '../link.ts'
import type { HandshakeReason } from './alert.ts'
import { type ClientCertificate, socketOf } from './node-dial.ts'
import { type DialledLink, NodeTlsLink } from './node-link.ts'
import { allCipherSuites, minVersionWithCertificate, peerProtocol, type TlsIdentity, type VerifyPeer } from './options.ts'
import { acceptTls } from '../tls.ts'

/** Where another device may connect, and as whom we are there. */
export interface PeerListenOptions {
  /** An address of this machine, IPv6 without brackets; `::` is all of them. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Asked at each accept: our device certificate and its key. */
  readonly identity: () => ClientCertificate
  /** Who may come in: see `verifyPeer` of src/pki/peer-certificate.ts. */
  readonly verify: VerifyPeer
}

/** What is said of each connection to a {@link listenPeer}. */
export interface PeerHandlers {
  /** `link.security.peerCertificate` has been verified. */
  opened(link: Link): LinkReceiver
  /**
   * Somebody did not get in, and the connection is gone; he has had no byte. `reason` says what was wrong with his TLS: `protocol`,
   * `version`, `not_tls` …; with `client_certificate` goes what `verify` has thrown.
   */
  refused(remote: RemoteAddress, why: HandshakeFailure, reason?: HandshakeReason, cause?: SealwireError): void
}

/** Whom to dial, and as whom. */
export interface PeerDialOptions {
  /** An IP address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Our device certificate and its key. */
  readonly identity: ClientCertificate
  /** Who may be there: see `verifyPeer` of src/pki/peer-certificate.ts. */
  readonly verify: VerifyPeer
  /** Whole dial, TCP and TLS, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Waits for other devices; resolves when connections are accepted. At most `directHandshakesMax` are in their handshake at
 * once, each for `handshakeMsMax`: one more takes the place of the oldest. Closing ends those that are under way.
 * @throws {SealwireError} `address_unavailable` when the address is in use, not ours, or not allowed.
 */
export async function listenPeer(
  { host, port, identity, verify }: PeerListenOptions,
  handlers: PeerHandlers,
  context: LinkContext,
): Promise<Listener> {
  const places = new Places(context.limits.directHandshakesMax)
  const options = {
    host,
    port,
    identity: identityOf(identity),
    applicationProtocol: peerProtocol,
    clientCertificates: { verifyPeer: verify },
  }
  const listenHandlers = {
    admit: (_address: string, evict: () => void) => places.take(evict),
    opened: (link: Link) => handlers.opened(link),
    failed: handlers.refused.bind(handlers),
  }
  const listener = await acceptTls(options, listenHandlers, context)
  const close = (): void => {
    listener.close()
    places.clear()
  }
  return { host: listener.host, port: listener.port, close, [Symbol.asyncDispose]: async () => close() }
}

/**
 * Connects to another device, which has been verified when this resolves; whether it has let us in is known when it says
 * something.
 * @throws {SealwireError} `unreachable`: refused, no answer in time, no TLS 1.3, another protocol; what `verify` throws.
 */
export async function dialPeer(options: PeerDialOptions, context: LinkContext): Promise<DialledLink> {
  assert(isIP(options.host) !== 0, 'a device is dialled by its address')
  const verified: { certificate?: Uint8Array } = {}
  const shaken = (socket: TLSSocket): void => {
    if (socket.alpnProtocol !== peerProtocol) throw anotherProtocol(options)
    verified.certificate = verifiedPeer(socket, options.verify)
  }
  const socket = await socketOf(() => connect(connectionOptions(options)), options, context, { shaken })
  return new NodeTlsLink(socket, context, verified.certificate)
}

/** `rejectUnauthorized` is off because {@link verifiedPeer} stands in its place. */
function connectionOptions({ host, port, identity }: PeerDialOptions): ConnectionOptions & { readonly allowHalfOpen: boolean } {
  return {
    host,
    port,
    servername: '',
    cert: identity.chain,
    key: identity.key,
    ALPNProtocols: [peerProtocol],
    ciphers: allCipherSuites,
    minVersion: minVersionWithCertificate,
    secureOptions: noTickets,
    rejectUnauthorized: false,
    allowHalfOpen: true,
  }
}

/** The same certificate is the same identity: a listener makes its TLS anew for another one only. */
function identityOf(certificateOf: () => ClientCertificate): () => TlsIdentity {
  let current: TlsIdentity = { certificateChain: '', key: '' }
  return () => {
    const { chain, key } = certificateOf()
    if (chain !== current.certificateChain || key !== current.key) current = { certificateChain: chain, key }
    return current
  }
}

/** Those who are in their handshake, the oldest first. */
class Places {
  readonly #evictions = new Set<() => void>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  take(evict: () => void): Ticket {
    const [oldest] = this.#evictions
    if (this.#evictions.size >= this.#max) oldest?.()
    this.#evictions.add(evict)
    const leave = (): void => void this.#evictions.delete(evict)
    return { established: leave, release: leave }
  }

  /** Nobody is waited for any more. */
  clear(): void {
    for (const evict of this.#evictions) evict()
  }
}

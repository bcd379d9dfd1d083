// A link carries frames both ways between this process and one peer, whatever is underneath: TLS, the sealed channel,
// memory, WebSocket. Every adapter passes the same compliance suite (test/compliance/link.ts).
//
//   in:  one `received` call for all that one read brought. Nothing is delivered after `pause` but what was already in
//        flight; the receiver bounds what it holds.
//   out: `reserve`/`send` gather bytes in the output buffer; every link that was written to in one turn of the event
//        loop is flushed once at the turn's end, in one write; what `reserveLater` gathers may wait for a turn with less to
//        do. A peer that does not take its output is dropped: over `outputBytesMax`, or without progress for `outputStallMsMax`.
//   end: exactly one `closed`. An end, a reset and a corrupt record are told apart. A clean end and a truncated one are
//        not on TLS: the supported runtimes report both alike, so only a goodbye inside the protocol ends a session cleanly.

import type { FrameSink, SealwireError } from '../protocol/index.ts'
import type { HandshakeReason } from './tls/alert.ts'

/** Whom a link leads to. */
export interface RemoteAddress {
  /** IPv4 or IPv6 address as text, without brackets; `memory` for a link inside the process. */
  readonly address: string
  readonly port: number
}

/** What the handshake settled; empty strings where there is none. */
export interface LinkSecurity {
  /** `TLSv1.3`, `TLSv1.2`, `noise`, `sealed v1`, `memory`; `wss` of a browser's WebSocket, which tells no more. */
  readonly protocol: string
  readonly cipher: string
  /** The ALPN protocol both chose; empty when the peer offered none. */
  readonly alpn: string
  /**
   * DER of the client certificate of an accepted connection, verified against the device authorities; on a direct link that
   * of the other device, on both ends. `undefined` is an anonymous peer, and a server that we dialled.
   */
  readonly peerCertificate: Uint8Array | undefined
  /**
   * The static key that the peer has proved in the sealed channel: 32 bytes. That of the server we dialled, or that by which
   * an accepted client asks to be known (IK).
   */
  readonly peerStaticKey?: Uint8Array | undefined
}

/**
 * Why a link is over:
 * `ended` the peer closed (cleanly or not, see above) · `truncated` it ended before the peer had closed, on links that can
 * tell (the sealed channel, WebSocket) · `reset` the connection broke · `corrupt` a record failed authentication, or a WebSocket broke its rules · `refused` the
 * server wants another client certificate, or one at all · `slow_consumer` the peer did not take its output · `closed` we closed and everything was handed over · `terminated` we cut it.
 */
export type LinkEnd = 'ended' | 'truncated' | 'reset' | 'corrupt' | 'refused' | 'slow_consumer' | 'closed' | 'terminated'

/** Who is told what happens on a link. No method may throw. */
export interface LinkReceiver {
  /** All that one read brought. The receiver owns `bytes`. */
  received(bytes: Uint8Array): void
  /** The output fell under half of `outputBytesHigh` after `keepsUp` was false. */
  drained(): void
  /** The link is over; called once, nothing comes after it. */
  closed(end: LinkEnd): void
}

/** One connection to one peer. */
export interface Link extends FrameSink {
  readonly remote: RemoteAddress
  readonly security: LinkSecurity
  /** False from the moment the link is closing or over: what is written then is thrown away. */
  readonly open: boolean
  /** Output that the kernel has not taken yet, in bytes. */
  readonly queuedBytes: number
  /** False while the output is over `outputBytesHigh`: whoever produces it should pause. */
  readonly keepsUp: boolean
  /** As `reserve`, for what nobody waits for: while the process is busy it may be written up to `gatherMsMax` later. */
  reserveLater(count: number): number
  /** Appends a copy of `bytes` to the output. */
  send(bytes: Uint8Array): void
  /** Writes the output now instead of at the end of the turn. */
  flush(): void
  /** Stops reading. What is in flight may still be delivered. */
  pause(): void
  resume(): void
  /** Hands over the output, then closes. A peer that does not take it is cut after `outputStallMsMax`. */
  close(): void
  /** Cuts the link at once; what is queued is lost. */
  terminate(end?: LinkEnd): void
}

/** A listener's claim on a place for one connection; given back exactly once, however the connection ends. */
export interface Ticket {
  /** The handshake is done: the connection is not evicted any more. */
  established(): void
  release(): void
}

/** Why a handshake came to nothing: `evicted` is one that made room for another connection. */
export type HandshakeFailure = 'handshake' | 'timeout' | 'evicted'

/** What a server says to its listener about each connection, in this order. */
export interface ListenHandlers<T extends Ticket> {
  /**
   * At TCP accept, before any TLS: `undefined` drops the connection. Until it is established, `evict` cuts it to make
   * room for another.
   */
  admit(address: string, evict: () => void): T | undefined
  /** The handshake is done. */
  opened(link: Link, ticket: T): LinkReceiver
  /**
   * The handshake failed, took longer than `handshakeMsMax`, or had to make room; the connection is gone. `cause` is what
   * another device was refused with.
   */
  failed(remote: RemoteAddress, why: HandshakeFailure, reason?: HandshakeReason, cause?: SealwireError): void
}

/** A place where connections are accepted. */
export interface Listener extends AsyncDisposable {
  readonly host: string
  /** The port in use, also when 0 was asked for. */
  readonly port: number
  /** Stops accepting. Open links live on. */
  close(): void
}

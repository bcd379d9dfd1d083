// What meetings of devices work with.

import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import type { ClientCertificate, DialledLink, Listener, PeerDialOptions, PeerHandlers, PeerListenOptions } from '../../link/index.ts'
import type { Method, Params, Result } from '../../protocol/contract/index.ts'
import type { Checksum, Limits } from '../../protocol/index.ts'
import type { Randomness } from '../outbox/message-id.ts'
import type { Candidate } from './candidates.ts'
import type { PeerAnswers, PeerLink } from './peer-link.ts'
import type { Way } from './ways.ts'

/** What `Meetings` work with. */
export interface MeetingsParts {
  /** Calls the server, once. */
  readonly call: <M extends Method>(method: M, params: Params<M>) => Promise<Result<M>>
  /** Our device: its certificate and key, and the SHA-256 of its SubjectPublicKeyInfo in hex. */
  readonly identity: () => { readonly certificate: ClientCertificate; readonly spki: string }
  /** Those who sign for devices, as far as they are known here. The server names them, too. */
  readonly authorities: () => readonly X509Certificate[]
  /** Answers what other devices ask. */
  readonly answers: PeerAnswers
  readonly clock: Clock
  readonly limits: Limits
  /** For tokens. */
  readonly fill: Randomness
  /** From 0 to 1. */
  readonly random: () => number
  /** `listenPeer` and `dialPeer`. */
  readonly listen: (options: PeerListenOptions, handlers: PeerHandlers) => Promise<Listener>
  readonly dial: (options: PeerDialOptions) => Promise<DialledLink>
  /** Default: the portable one. */
  readonly checksum?: Checksum
  /** Where others connect. Default: all addresses of this machine, any port that is free. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Where others reach us besides, at most 8. */
  readonly announce?: readonly Candidate[] | undefined
  /** A link is up; `link.closed` tells its end. */
  linked(link: PeerLink): void
  /** One talks with somebody in another way than before. */
  changed(name: string, way: Way): void
}

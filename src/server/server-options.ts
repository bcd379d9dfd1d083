// What a server does, and what it is given to do it with.

import type { StaticKeys } from '../channel/index.ts'
import type { Clock, Randomness } from '../domain/index.ts'
import type { LinkContext, Listener, ListenHandlers, TlsIdentity } from '../link/index.ts'
import type { DeviceIssuer } from '../pki/index.ts'
import type { Limits } from '../protocol/index.ts'
import type { Store } from '../store/index.ts'
import type { RegistrationMode } from './accounts.ts'
import type { ConnectionTicket, Machine } from './admission.ts'
import type { LedgerSigner } from './money/ledger-signer.ts'
import type { Log } from './log.ts'
import type { MutualTls } from './devices/mutual-tls.ts'
import type { VerifySignature } from './money/signatures.ts'

/** A place to listen at or to dial. */
export interface Endpoint {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0 to 65535; to listen at port 0 is to let the system choose one. */
  readonly port: number
}

/** What a server does, all of it decided. */
export interface ServerOptions {
  readonly listen: readonly Endpoint[]
  readonly echo: readonly Endpoint[]
  /** Where clients without a certificate can join, and nothing else. Default: nowhere but at `listen`. */
  readonly joinListen?: readonly Endpoint[]
  /** Whether `listen` asks for device certificates; the identity has the authorities of devices then. Default: `off`. */
  readonly mutualTls?: MutualTls
  /** Where the sealed channel is spoken, for everything that is spoken over TLS. Default: nowhere. */
  readonly sealed?: readonly Endpoint[]
  /** Whether `sealed` also echoes for clients of version 1, which authenticates nobody. Default: false. */
  readonly sealedV1?: boolean
  /** Where browsers connect, with WebSockets. Default: nowhere. */
  readonly web?: readonly Endpoint[]
  /** Pages that may connect there beside those of the same host and port, such as `https://chat.example`. Default: none. */
  readonly webOrigins?: readonly string[]
  readonly registration: RegistrationMode
  /** Whether the classic dialect is answered. */
  readonly classic: boolean
  readonly limits: Limits
}

/** What a server is given to work with; the caller closes it after {@link Server.stop}. */
export interface ServerParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly machine: Machine
  /** Asked at each accept, so that a renewed certificate serves the next connection. */
  readonly identity: () => TlsIdentity
  /** Makes device certificates. Default: nobody can enrol a device. */
  readonly issueDevice?: DeviceIssuer
  /** The static keys of the sealed channel, asked at each handshake; needed where that is spoken. */
  readonly sealedKeys?: () => StaticKeys | undefined
  /** What signs receipts and checkpoints. Default: this server keeps no ledger, and nobody can pay. */
  readonly ledger?: LedgerSigner
  /** Folder for the content of files; it is made when there is the first. Default: this server keeps no files. */
  readonly files?: string
  /** Further ways in, for everything that is for everybody. Default: none but those of the options. */
  readonly inlets?: readonly Inlet[]
  /** For the ids of entries that the server makes; secrets are always the runtime's. Default: that of the runtime. */
  readonly fill?: Randomness
  /** How signatures of orders are checked. Default: away from the event loop. */
  readonly verify?: VerifySignature
}

/** Begins to accept connections of a kind of its own. */
export type Inlet = (handlers: ListenHandlers<ConnectionTicket>, context: LinkContext) => Promise<Listener>

/** How many of each are there: all of them 0 when everybody has left. */
export interface Census {
  /** Places that admission has given away. */
  readonly admitted: number
  readonly unauthenticated: number
  /** Connections whose device is being looked up. */
  readonly gates: number
  readonly sessions: number
  /** Logins under way; each ends with the answer of the store, also when its connection is over. */
  readonly arriving: number
  /** Sessions that logged in. */
  readonly present: number
  /** Sessions with an open inbox. */
  readonly inboxes: number
}

// The server: listeners, admission, sessions and services put together, and how they end. Nothing here knows what a
// frame is or what a dialect says.

import { crc32 as nativeChecksum } from 'node:zlib'
import type { Clock, Timer } from '../domain/index.ts'
import { Flusher, type Listener, type ListenHandlers, listenTls, type Ticket, type TlsIdentity } from '../link/index.ts'
import { type Checksum, crc32, type Limits } from '../protocol/index.ts'
import type { Store } from '../store/index.ts'
import { Accounts, type RegistrationMode } from './accounts.ts'
import { Admission, type ConnectionTicket, type Machine } from './admission.ts'
import { Chats } from './chats.ts'
import { ClassicDialect, classicError } from './classic.ts'
import type { ServerContext } from './context.ts'
import { EchoService } from './echo.ts'
import type { Log } from './log.ts'
import { Presence } from './presence.ts'
import { Session } from './session.ts'
import { Tally } from './tally.ts'

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
}

const sweepEveryMs = 500

/**
 * Starts a server.
 * @throws {SealwireError} `address_unavailable`, and nothing is left listening; `config_invalid` when the process may open
 * too few descriptors.
 */
export function startServer(options: ServerOptions, parts: ServerParts): Server {
  const server = new Server(options, parts)
  try {
    server.listen()
  } catch (reason) {
    server.closeListeners()
    throw reason
  }
  return server
}

/** A running server. */
export class Server {
  readonly #options: ServerOptions
  readonly #parts: ServerParts
  readonly #sessions = new Set<Session>()
  readonly #listeners: Listener[] = []
  readonly #flusher: Flusher
  readonly #admission: Admission
  readonly #presence: Presence
  readonly #accounts: Accounts
  readonly #echo: EchoService
  readonly #tally: Tally
  readonly #context: ServerContext
  readonly #sweep: Timer
  #connectionId = 0

  constructor(options: ServerOptions, parts: ServerParts) {
    const { limits } = options
    const { clock, log, store, machine } = parts
    this.#options = options
    this.#parts = parts
    this.#flusher = new Flusher(limits, clock)
    this.#tally = new Tally(clock, log)
    this.#admission = new Admission(limits, clock, machine, (why) => this.#tally.count('connections refused', why))
    if (this.#admission.connectionsMax < limits.connectionsMax) {
      log.info('connections bounded by descriptors', { connectionsMax: this.#admission.connectionsMax })
    }
    this.#presence = new Presence(clock, limits)
    this.#accounts = new Accounts({ registration: options.registration, limits }, { store, clock, log })
    this.#echo = new EchoService(limits, clock, { opened() {}, received() {}, closed() {} })
    this.#context = this.#makeContext()
    this.#sweep = clock.every(sweepEveryMs, () => this.#sweepSessions())
  }

  /** Where the server listens for frames, in the order asked for. */
  get endpoints(): readonly Endpoint[] {
    return this.#listeners.slice(0, this.#options.listen.length).map(({ host, port }) => ({ host, port }))
  }

  /** Where it echoes. */
  get echoEndpoints(): readonly Endpoint[] {
    return this.#listeners.slice(this.#options.listen.length).map(({ host, port }) => ({ host, port }))
  }

  /** @internal */
  listen(): void {
    const { identity } = this.#parts
    const context = { limits: this.#options.limits, flusher: this.#flusher }
    for (const endpoint of this.#options.listen) {
      this.#listeners.push(listenTls({ ...endpoint, identity }, this.#sessionHandlers(), context))
    }
    for (const endpoint of this.#options.echo) {
      this.#listeners.push(listenTls({ ...endpoint, identity }, this.#echoHandlers(), context))
    }
  }

  /** Stops accepting; open sessions live on. */
  closeListeners(): void {
    for (const listener of this.#listeners) listener.close()
  }

  /** Stops accepting, tells the sessions, lets them end for at most `drainMsMax`, and cuts the rest. */
  async stop(): Promise<void> {
    this.closeListeners()
    for (const session of this.#sessions) session.stop()
    this.#echo.closeAll()
    await this.#empty()
    for (const session of this.#sessions) session.link.terminate()
    this.#echo[Symbol.dispose]()
    this.#presence[Symbol.dispose]()
    this.#tally[Symbol.dispose]()
    this.#sweep.cancel()
    await this.#accounts.close()
  }

  #makeContext(): ServerContext {
    const { limits, classic } = this.#options
    const { clock, log } = this.#parts
    const context: ServerContext = {
      limits,
      clock,
      log,
      checksum,
      accounts: this.#accounts,
      presence: this.#presence,
      chats: new Chats(this.#presence, clock, limits),
      classic: classic ? (speaker) => new ClassicDialect(speaker, context) : undefined,
      lastWord: (link, error) => link.send(classicError(error.code)),
      forget: (session) => this.#sessions.delete(session),
    }
    return context
  }

  #sessionHandlers(): ListenHandlers<ConnectionTicket> {
    return {
      admit: (address, evict) => this.#admission.admit(address, evict),
      opened: (link, ticket) => {
        const session = new Session(++this.#connectionId, link, ticket, this.#context)
        this.#sessions.add(session)
        this.#parts.log.info('client connected', { connection: session.id, address: link.remote.address, tls: link.security.protocol })
        return session
      },
      failed: (_remote, why) => this.#tally.count('handshakes failed', why),
    }
  }

  #echoHandlers(): ListenHandlers<Ticket> {
    return {
      admit: (address) => this.#admission.admitEcho(address),
      opened: (link) => this.#echo.open(link),
      failed: (_remote, why) => this.#tally.count('handshakes failed', why),
    }
  }

  #sweepSessions(): void {
    const now = this.#parts.clock.monotonic()
    for (const session of this.#sessions) session.sweep(now)
  }

  /** Resolves when nobody is connected, at the latest after `drainMsMax`. */
  async #empty(): Promise<void> {
    const { clock } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = clock.every(20, () => {
      if (this.#admission.connections === 0) resolve()
    })
    const deadline = clock.after(this.#options.limits.drainMsMax, resolve)
    if (this.#admission.connections > 0) await promise
    check.cancel()
    deadline.cancel()
  }
}

/** Short frames are faster in JavaScript, long ones in the runtime's own code; they meet at about 100 bytes. */
const checksum: Checksum = (bytes, start, end) =>
  end - start < nativeFromBytes ? crc32(bytes, start, end) : nativeChecksum(bytes.subarray(start, end))
const nativeFromBytes = 100

// The server: listeners, admission, sessions and services put together, and how they end. Nothing here knows what a
// frame is or what a dialect says.

import { getRandomValues } from 'node:crypto'
import { crc32 as nativeChecksum } from 'node:zlib'
import type { StaticKeys } from '../channel/index.ts'
import type { Timer } from '../domain/index.ts'
import {
  Flusher,
  type Link,
  type LinkContext,
  type Listener,
  type ListenHandlers,
  type LinkReceiver,
  listenSealed,
  listenTls,
  listenWeb,
  type Ticket,
} from '../link/index.ts'
import { serverIdBytes } from '../pki/index.ts'
import { assert, type Checksum, crc32, type SealwireError } from '../protocol/index.ts'
import type { RevokedDevice } from '../store/index.ts'
import { Accounts } from './accounts.ts'
import { Admission, type ConnectionTicket } from './admission.ts'
import type { Participant } from './classic/chats.ts'
import type { ServerContext, Spared } from './context.ts'
import { deviceAuthorities } from './devices/authorities.ts'
import { DeviceGates, deviceProofOf, type GatedLink } from './devices/gates.ts'
import { Devices } from './devices.ts'
import { EchoService } from './echo.ts'
import { FileFolder } from './files/folder.ts'
import { Files } from './files.ts'
import { Counts } from './metrics/counts.ts'
import type { ServerInside } from './metrics/readings.ts'
import type { Money } from './money.ts'
import { type Services, startServices } from './services.ts'
import type { Census, Endpoint, ServerOptions, ServerParts } from './server-options.ts'
import { Session, type SessionOptions } from './session.ts'
import { Tally } from './tally.ts'

const sweepEveryMs = 500

/**
 * Starts a server; resolves when it listens everywhere.
 * @throws {SealwireError} `address_unavailable`, and nothing is left listening; `config_invalid` when the process may open
 * too few descriptors; those of the store.
 */
export async function startServer(options: ServerOptions, parts: ServerParts): Promise<Server> {
  const serverId = await parts.store.run('server.id', { fresh: getRandomValues(new Uint8Array(serverIdBytes)) })
  const server = new Server(options, parts, serverId)
  try {
    await server.listen()
  } catch (reason) {
    await server.stop()
    throw reason
  }
  return server
}

/** A running server. */
export class Server {
  readonly #options: ServerOptions
  readonly #parts: ServerParts
  readonly #sessions = new Set<Session>()
  readonly #endpoints = {
    listen: new Array<Listener>(),
    echo: new Array<Listener>(),
    joinListen: new Array<Listener>(),
    sealed: new Array<Listener>(),
    web: new Array<Listener>(),
    inlets: new Array<Listener>(),
  }
  readonly #flusher: Flusher
  readonly #admission: Admission
  readonly #accounts: Accounts
  readonly #files: Files
  readonly #services: Services
  readonly #devices: Devices
  readonly #gates: DeviceGates
  readonly #echo: EchoService
  readonly #tally: Tally
  readonly #counts = new Counts()
  readonly #context: ServerContext
  readonly #sweep: Timer
  #connectionId = 0

  /** @internal Made by `startServer`. */
  constructor(options: ServerOptions, parts: ServerParts, serverId: Uint8Array) {
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
    this.#accounts = new Accounts({ registration: options.registration, limits }, { store, clock, log })
    this.#files = new Files({ folder: folderOf(parts.files), store, clock, log, limits })
    this.#services = startServices({
      store,
      clock,
      log,
      limits,
      accounts: this.#accounts,
      files: this.#files,
      serverId,
      ledger: parts.ledger,
      fill: parts.fill,
      verify: parts.verify,
    })
    this.#devices = new Devices({
      ...{ store, clock, log, limits, serverId, issue: parts.issueDevice },
      authorities: deviceAuthorities(parts.identity, clock),
    })
    this.#gates = new DeviceGates({ limits, clock, log, devices: this.#devices })
    this.#echo = new EchoService(limits, clock, { opened() {}, received() {}, closed() {} })
    this.#context = this.#makeContext()
    this.#files.start()
    this.#services.money?.care.prove()
    this.#sweep = clock.every(sweepEveryMs, () => this.#sweepSessions())
  }

  /** Where the server listens for frames, in the order asked for. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints.listen.map(endpointOf)
  }

  /** Where it echoes. */
  get echoEndpoints(): readonly Endpoint[] {
    return this.#endpoints.echo.map(endpointOf)
  }

  /** Where it is for joining only. */
  get joinEndpoints(): readonly Endpoint[] {
    return this.#endpoints.joinListen.map(endpointOf)
  }

  /** Where it speaks the sealed channel. */
  get sealedEndpoints(): readonly Endpoint[] {
    return this.#endpoints.sealed.map(endpointOf)
  }

  /** Where browsers connect. */
  get webEndpoints(): readonly Endpoint[] {
    return this.#endpoints.web.map(endpointOf)
  }

  /** Its devices, for its operator. */
  get devices(): Devices {
    return this.#devices
  }

  /** Its files, for backups. */
  get files(): Files {
    return this.#files
  }

  /** Its money, for its operator; `undefined` where it keeps no ledger. */
  get money(): Money | undefined {
    return this.#services.money
  }

  /** @internal For who looks whether anything was left behind. */
  get census(): Census {
    const { presence, inboxes } = this.#services
    return {
      ...{ admitted: this.#admission.connections, unauthenticated: this.#admission.unauthenticated },
      ...{ gates: this.#gates.size, sessions: this.#sessions.size, arriving: presence.arriving },
      ...{ present: presence.size, inboxes: inboxes.size },
    }
  }

  /** @internal What its metrics are read from. */
  get inside(): ServerInside {
    const { census } = this
    const { money } = this.#services
    const own = { counts: this.#counts, sessions: this.#sessions, flusher: this.#flusher, tally: this.#tally }
    return { ...own, admission: this.#admission, echo: this.#echo, hashing: this.#accounts.hashing, signatures: money?.signatures, census }
  }

  /** @internal */
  async listen(): Promise<void> {
    const { identity } = this.#parts
    const context = { limits: this.#options.limits, flusher: this.#flusher, traffic: this.#counts.sent }
    const { listen, echo, joinListen = [], sealed = [], mutualTls: clientCertificates = 'off' } = this.#options
    for (const endpoint of listen) {
      this.#endpoints.listen.push(await listenTls({ ...endpoint, identity, clientCertificates }, this.#sessionHandlers(), context))
    }
    for (const endpoint of echo) this.#endpoints.echo.push(await listenTls({ ...endpoint, identity }, this.#echoHandlers(), context))
    for (const endpoint of joinListen) {
      this.#endpoints.joinListen.push(
        await listenTls({ ...endpoint, identity }, this.#sessionHandlers({ joinOnly: true, door: 'join' }), context),
      )
    }
    for (const endpoint of sealed) this.#endpoints.sealed.push(await this.#listenSealed(endpoint, context))
    for (const endpoint of this.#options.web ?? []) this.#endpoints.web.push(await this.#listenWeb(endpoint, context))
    for (const inlet of this.#parts.inlets ?? [])
      this.#endpoints.inlets.push(await inlet(this.#sessionHandlers({ door: 'inlet' }), context))
  }

  /** Browsers show no certificates: where those are required, a device becomes whole by its proof. */
  #listenWeb(endpoint: Endpoint, context: LinkContext): Promise<Listener> {
    const { webOrigins: origins = [], mutualTls } = this.#options
    const handlers = this.#sessionHandlers({ joinOnly: mutualTls === 'required', mayProve: true, door: 'web' })
    return listenWeb({ ...endpoint, identity: this.#parts.identity, origins }, handlers, context)
  }

  /** Where device certificates are required, only who proves the key of a device can do more than join. */
  async #listenSealed(endpoint: Endpoint, context: LinkContext): Promise<Listener> {
    const keys = (): StaticKeys => {
      const own = this.#parts.sealedKeys?.()
      assert(own !== undefined, 'the sealed channel without a key')
      return own
    }
    keys()
    const { sealedV1 = false, mutualTls } = this.#options
    const openedV1 = (link: Link): LinkReceiver => {
      this.#tally.count('sealed v1 connections', 'accepted')
      return this.#echo.open(link)
    }
    const options = { ...endpoint, keys, serverId: this.#devices.serverId, ...(sealedV1 ? { openedV1 } : {}) }
    return listenSealed(options, this.#sessionHandlers({ joinOnly: mutualTls === 'required', door: 'sealed' }), context)
  }

  /** Stops accepting, tells the sessions, lets them end for at most `drainMsMax`, and cuts the rest. */
  async stop(): Promise<void> {
    for (const listener of Object.values(this.#endpoints).flat()) listener.close()
    this.#context.chats.end()
    for (const session of this.#sessions) session.stop()
    this.#gates.endAll()
    this.#echo.closeAll()
    await this.#empty()
    for (const session of this.#sessions) session.link.terminate()
    this.#echo[Symbol.dispose]()
    this.#tally[Symbol.dispose]()
    this.#sweep.cancel()
    await this.#accounts.close()
    await this.#services.close()
    await this.#files.close()
  }

  /**
   * Ends the sessions of the account with this key, those about to begin too, and returns how many had begun: what a ban
   * or another password must do after it is stored. The peers hear `error`.
   */
  endSessions(key: string, error: SealwireError, except?: Participant): number {
    const count = this.#services.presence.end(key, error, except)
    if (count > 0) this.#parts.log.info('sessions ended', { count, code: error.code })
    return count
  }

  /** The same for an account that was banned: no direct link with one of its devices is good any more. */
  endBanned(key: string, error: SealwireError): void {
    this.endSessions(key, error)
    this.#services.direct.banned(key)
  }

  /** Ends the connections of a device, and those with the token of its installation: what revoking it must do after it is stored. */
  endDevice({ device: { id, spkiHash }, account, token }: RevokedDevice, error: SealwireError, except?: Spared): void {
    for (const session of this.#sessions) {
      const isIts = session.device !== undefined && Buffer.compare(session.device.spkiHash, spkiHash) === 0
      if (isIts && session !== except?.speaker) session.fail(error)
    }
    if (token !== undefined) this.#services.presence.endToken(account.key, token, error, except?.participant)
    this.#gates.end(spkiHash)
    this.#services.direct.revoked(account.key, id)
  }

  #makeContext(): ServerContext {
    const { limits, classic, mutualTls = 'off' } = this.#options
    const { clock, log, store } = this.#parts
    const port = (): number | undefined => this.#endpoints.listen[0]?.port
    return {
      devices: this.#devices,
      mutualTls,
      get port() {
        return port()
      },
      endDevice: (revoked, error, except) => this.endDevice(revoked, error, except),
      limits,
      clock,
      log,
      counts: this.#counts,
      checksum,
      store,
      accounts: this.#accounts,
      files: this.#files,
      ...this.#services,
      classic,
      endSessions: (key, error, except) => this.endSessions(key, error, except),
      forget: (session) => this.#sessions.delete(session),
    }
  }

  #sessionHandlers(options: SessionOptions = {}): ListenHandlers<ConnectionTicket> {
    return {
      admit: (address, evict) => this.#admission.admit(address, evict),
      opened: (link, ticket) => {
        const connection = ++this.#connectionId
        const proof = deviceProofOf(link)
        if (proof === undefined) return this.#begin({ link, connection }, ticket, options)
        const { door } = options
        return this.#gates.enter({ link, connection }, proof, (device) =>
          this.#begin({ link, connection }, ticket, { ...(door && { door }), device }),
        )
      },
      failed: (_remote, why, reason) => this.#tally.count('handshakes failed', reason ?? why),
    }
  }

  #begin({ link, connection }: GatedLink, ticket: ConnectionTicket, options: SessionOptions): Session {
    const session = new Session(connection, link, ticket, this.#context, options)
    this.#sessions.add(session)
    this.#counts.opened.add(session.door)
    const { address } = link.remote
    this.#parts.log.info('client connected', {
      connection: session.id,
      address,
      tls: link.security.protocol,
      ...(options.device === undefined ? {} : { device: options.device.id }),
    })
    return session
  }

  #echoHandlers(): ListenHandlers<Ticket> {
    return {
      admit: (address) => this.#admission.admitEcho(address),
      opened: (link) => this.#echo.open(link),
      failed: (_remote, why, reason) => this.#tally.count('handshakes failed', reason ?? why),
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

function folderOf(path: string | undefined): FileFolder | undefined {
  return path === undefined ? undefined : new FileFolder(path)
}

function endpointOf({ host, port }: Listener): Endpoint {
  return { host, port }
}

/** Short frames are faster in JavaScript, long ones in the runtime's own code; they meet at about 200 bytes, a view of them included. */
const checksum: Checksum = (bytes, start, end) =>
  end - start < nativeFromBytes ? crc32(bytes, start, end) : nativeChecksum(bytes.subarray(start, end))
const nativeFromBytes = 200

// The network of a world: devices dial, the one server accepts, connections are cut and devices are cut off, all by chance.

import type { DialledLink, LinkContext, Listener, ListenHandlers } from '../../src/link/index.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import type { ConnectionTicket } from '../../src/server/admission.ts'
import type { Chance } from './chance.ts'
import type { Schedule } from './schedule.ts'
import { SimLink } from './sim-link.ts'
import { Wire, type WireDelays } from './wire.ts'

/** Who dials. */
export interface Dialler {
  readonly name: string
  /** By which the server knows the device, 32 bytes. */
  readonly x25519: Uint8Array
}

/** The two ends of a connection; the client's is there once it has heard that the server took it. */
export interface Connection {
  readonly dialler: Dialler
  readonly server: SimLink
  readonly client: SimLink
  /** When the server took it. */
  readonly since: number
}

interface Accepting {
  readonly handlers: ListenHandlers<ConnectionTicket>
  readonly context: LinkContext
}

/** An end that breaks may take so long to notice. */
const noticeMs = { usual: 500, long: 20_000 }

export class Network {
  readonly #schedule: Schedule
  readonly #chance: Chance
  readonly #connections = new Set<Connection>()
  /** Until when a device is cut off. */
  readonly #heldUntil = new Map<string, number>()
  #accepting: Accepting | undefined
  #number = 0

  constructor(schedule: Schedule, chance: Chance) {
    this.#schedule = schedule
    this.#chance = chance
  }

  /** Those of which one end at least is there. */
  get connections(): readonly Connection[] {
    return [...this.#connections]
  }

  /** A server begins to accept; there is one at a time. */
  readonly listen = async (handlers: ListenHandlers<ConnectionTicket>, context: LinkContext): Promise<Listener> => {
    const accepting = { handlers, context }
    this.#accepting = accepting
    const close = (): void => {
      if (this.#accepting === accepting) this.#accepting = undefined
    }
    return { host: 'simulated', port: 1, close, [Symbol.asyncDispose]: async () => close() }
  }

  /** Connects a device. @throws {SealwireError} `unreachable`. */
  async dial(dialler: Dialler, context: LinkContext, signal: AbortSignal | undefined, isAlive: () => boolean): Promise<DialledLink> {
    const what = `${dialler.name}: dial`
    await this.#schedule.pause(this.#chance.delay(20, 1_000), what)
    const accepting = this.#accepting
    if (!isAlive() || isAborted(signal) || accepting === undefined || this.isHeld(dialler)) throw unreachable()
    const connection = this.#connect(dialler, accepting, context)
    if (connection === undefined) throw unreachable()
    await this.#schedule.pause(this.#chance.delay(20, 1_000), what)
    if (isAlive() && !isAborted(signal)) return connection.client
    connection.client.kill()
    throw unreachable()
  }

  /** Whether nothing gets through to or from a device. */
  isHeld({ name }: Dialler): boolean {
    return (this.#heldUntil.get(name) ?? 0) > this.#schedule.now
  }

  /** Cuts a device off for so many ms. Nothing is lost by that alone. */
  hold({ name }: Dialler, ms: number): void {
    this.#heldUntil.set(name, this.#schedule.now + ms)
  }

  /** Everybody is reached again. */
  release(): void {
    this.#heldUntil.clear()
  }

  /** Breaks a connection. Each end hears of it when it does, and what is on its way may still arrive before. */
  cut({ client, server }: Connection): void {
    client.breakOut(this.#noticeMs())
    server.breakOut(this.#noticeMs())
  }

  /** The server was killed. */
  killServer(): void {
    this.#accepting = undefined
    for (const { server } of this.#connections) server.kill(this.#noticeMs())
  }

  /** The program of a device was killed. */
  killClient({ name }: Dialler): void {
    for (const { dialler, client } of this.#connections) if (dialler.name === name) client.kill(this.#noticeMs())
  }

  #noticeMs(): number {
    return this.#chance.delay(noticeMs.usual, noticeMs.long)
  }

  #connect(dialler: Dialler, { handlers, context }: Accepting, own: LinkContext): Connection | undefined {
    const ticket = handlers.admit(dialler.name, () => {})
    if (ticket === undefined) return undefined
    ticket.established()
    const number = ++this.#number
    const { name, x25519: peerStaticKey } = dialler
    const left = (): void => {
      if (!connection.server.isThere && !connection.client.isThere) this.#connections.delete(connection)
    }
    const server = new SimLink({ remote: { address: name, port: number }, context, peerStaticKey, gone: left })
    const client = new SimLink({ remote: { address: 'server', port: 1 }, context: own, gone: left })
    const connection: Connection = { dialler, server, client, since: this.#schedule.now }
    this.#connections.add(connection)
    const usualMs = this.#chance.between(1, 60)
    const delays = { usualMs, longMs: usualMs * this.#chance.between(2, 40) }
    const up = this.#wire(`${name} ${number} up`, dialler, delays, server, client)
    const down = this.#wire(`${name} ${number} down`, dialler, delays, client, server)
    client.connect(up, down)
    server.connect(down, up)
    this.#open(server, handlers, ticket)
    return connection
  }

  #wire(what: string, dialler: Dialler, delays: WireDelays, to: SimLink, from: SimLink): Wire {
    const parts = { schedule: this.#schedule, chance: this.#chance, what, delays, isHeld: () => this.isHeld(dialler) }
    return new Wire(parts, to, () => from.roomier())
  }

  #open(link: SimLink, handlers: ListenHandlers<ConnectionTicket>, ticket: ConnectionTicket): void {
    const receiver = handlers.opened(link, ticket)
    link.attach({
      received: (bytes) => receiver.received(bytes),
      drained: () => receiver.drained(),
      closed: (end) => {
        ticket.release()
        receiver.closed(end)
      },
    })
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function unreachable(): SealwireError {
  return new SealwireError('unreachable', 'the network does not reach the server')
}

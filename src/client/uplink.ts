// The connection of somebody who is to stay connected. It is made again whenever it is lost.
//
//   connecting ──logged in──▶ online ──lost──▶ offline ──wait over, wake()──▶ connecting
//       └──failed──▶ offline         └──too old: the next one is made before it goes──▶ online
//   any ──close(), a refusal that is final──▶ closed

import type { Clock, Timer } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { ParsedEvent } from '../protocol/contract/index.ts'
import type { Client, DrainOptions } from './client.ts'
import { isFinal } from './refusals.ts'
import { Retries, SilenceWatch } from './retry.ts'

/** A connection that is logged in. */
export interface LoggedIn {
  readonly client: Client
  /** The name of the account, as its owner wrote it. */
  readonly name: string
  /** The installation: whose place in the inbox it is. */
  readonly device: string
  /** How long the connection may last, in ms. Default: for ever. */
  readonly ageMsMax?: number
}

/** Whether there is a connection. */
export type UplinkState = 'connecting' | 'online' | 'offline' | 'closed'

/** Who is told what happens. */
export interface UplinkUser {
  online(session: LoggedIn): void
  /** Of the connection that is the current one. */
  event(event: ParsedEvent): void
  changed(state: UplinkState, reason: SealwireError | undefined): void
}

export interface UplinkParts {
  /** Dials and logs in. */
  readonly open: (signal: AbortSignal) => Promise<LoggedIn>
  /** Goes on for ever with a server that cuts every connection. Default: it ends when the first eight were cut. */
  readonly patient?: boolean
  readonly clock: Clock
  readonly limits: Limits
  /** From 0 to 1. */
  readonly random: () => number
}

type State =
  | { readonly name: 'connecting'; readonly abort: AbortController }
  | { readonly name: 'online'; readonly session: LoggedIn; readonly since: number; readonly watch: SilenceWatch }
  | { readonly name: 'offline'; readonly retry: Timer }
  | { readonly name: 'closed'; readonly reason: SealwireError | undefined }

export class Uplink {
  readonly #parts: UplinkParts
  readonly #user: UplinkUser
  readonly #waiting = new Set<PromiseWithResolvers<LoggedIn>>()
  readonly #retries: Retries
  #state: State
  /** Makes the next connection before this one is too old. */
  #renewal: Timer | undefined
  /** Whether it was online once. */
  #wasOnline = false
  /** The server has ended the session: unless the next login succeeds, this is why. */
  #ended: SealwireError | undefined

  /** Begins to connect in the next turn. */
  constructor(parts: UplinkParts, user: UplinkUser) {
    this.#parts = parts
    this.#user = user
    this.#retries = new Retries(parts)
    this.#state = { name: 'connecting', abort: new AbortController() }
    queueMicrotask(() => {
      if (this.#state.name === 'connecting') void this.#attempt(this.#state.abort.signal)
    })
  }

  get state(): UplinkState {
    return this.#state.name
  }

  /** The connection that there is now. */
  get session(): LoggedIn | undefined {
    return this.#state.name === 'online' ? this.#state.session : undefined
  }

  /** Resolves as soon as there is a connection. @throws {SealwireError} why there will be none; `unreachable` when the signal aborts. */
  async ready(signal?: AbortSignal): Promise<LoggedIn> {
    if (this.#state.name === 'online') return this.#state.session
    if (this.#state.name === 'closed') throw this.#refusal()
    if (signal?.aborted === true) throw givenUp()
    const waiting = Promise.withResolvers<LoggedIn>()
    const abort = (): void => waiting.reject(givenUp())
    signal?.addEventListener('abort', abort, { once: true })
    this.#waiting.add(waiting)
    try {
      return await waiting.promise
    } finally {
      this.#waiting.delete(waiting)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The network may be back, or another one: connects at once, or looks whether the connection is still alive. */
  wake(): void {
    if (this.#state.name === 'online') return this.#state.watch.ping()
    if (this.#state.name !== 'offline') return
    this.#state.retry.cancel()
    this.#connect()
  }

  /** Ends for good. `reason` is what everybody who waits is told; without one it was our own wish. The rest is as `drain` has it. */
  async close(reason?: SealwireError, options: DrainOptions = {}): Promise<void> {
    const before = this.#state
    if (before.name === 'closed') return
    this.#enter({ name: 'closed', reason }, reason)
    for (const waiting of this.#waiting) waiting.reject(this.#refusal())
    if (before.name === 'connecting') before.abort.abort()
    if (before.name === 'offline') before.retry.cancel()
    if (before.name === 'online') await before.session.client.drain(options)
  }

  #connect(): void {
    const abort = new AbortController()
    this.#enter({ name: 'connecting', abort }, undefined)
    void this.#attempt(abort.signal)
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      const session = await this.#parts.open(signal)
      if (this.#state.name === 'connecting') this.#adopt(session)
      else session.client.close()
    } catch (reason) {
      if (this.#state.name === 'connecting') this.#failed(reason)
    }
  }

  #failed(reason: unknown): void {
    const error = SealwireError.from(reason)
    if (isFinal(reason)) return void this.close(error)
    if (this.#ended !== undefined && error.code !== 'unreachable') return void this.close(this.#ended)
    if (this.#isStrange(error)) return void this.close(notLetIn(error))
    this.#wait(error)
  }

  /** A device that is not let in is cut without a word, at every try; so is everybody while a proxy's server is away. */
  #isStrange({ code }: SealwireError): boolean {
    const { patient = false } = this.#parts
    return code === 'connection_lost' && !patient && !this.#wasOnline && this.#retries.failures >= strangeTriesMax
  }

  #wait(reason: SealwireError): void {
    const retry = this.#parts.clock.after(this.#retries.nextMs(), () => this.#connect())
    this.#enter({ name: 'offline', retry }, reason)
  }

  #adopt(session: LoggedIn): void {
    const before = this.#state
    this.#ended = undefined
    this.#wasOnline = true
    const watch = new SilenceWatch(session.client, this.#parts)
    this.#enter({ name: 'online', session, since: this.#parts.clock.monotonic(), watch }, undefined)
    this.#user.online(session)
    this.#renewAfter(session, renewalPart)
    for (const waiting of this.#waiting) waiting.resolve(session)
    void this.#pump(session)
    // What it was asked is still answered.
    if (before.name === 'online') void before.session.client.drain()
  }

  async #pump(session: LoggedIn): Promise<void> {
    try {
      for await (const event of session.client.events()) {
        if (this.session === session) this.#tell(session, event)
      }
    } catch {
      // `closed` has the same reason.
    }
    const reason = await session.client.closed
    if (this.session === session) this.#lost(reason ?? new SealwireError('connection_lost', 'the server did not answer any more'))
  }

  /** A bug in who hears it ends the session: who has heard a part of it only would be wrong for as long as it lasts. */
  #tell(session: LoggedIn, event: ParsedEvent): void {
    try {
      this.#user.event(event)
    } catch (cause) {
      this.#lost(new SealwireError('internal', 'internal error', { cause }))
      session.client.close()
    }
  }

  #lost(reason: SealwireError): void {
    if (this.#state.name !== 'online') return
    this.#retries.wasOpen(this.#state.since)
    if (reason.code === 'account_banned') return void this.close(reason)
    if (reason.code === 'session_ended') this.#ended = reason
    this.#wait(reason)
  }

  /** After a part of its life. */
  #renewAfter(session: LoggedIn, part: number): void {
    if (session.ageMsMax === undefined || this.session !== session) return
    this.#renewal = this.#parts.clock.after(session.ageMsMax * part, () => void this.#renew(session))
  }

  /** Makes the next connection while this one still works. */
  async #renew(session: LoggedIn): Promise<void> {
    try {
      const next = await this.#parts.open(new AbortController().signal)
      if (this.session === session) this.#adopt(next)
      else next.client.close()
    } catch {
      // It lasts a little longer yet.
      this.#renewAfter(session, (1 - renewalPart) / 4)
    }
  }

  #enter(state: State, reason: SealwireError | undefined): void {
    if (this.#state.name === 'online') this.#state.watch[Symbol.dispose]()
    this.#renewal?.cancel()
    this.#state = state
    this.#user.changed(state.name, reason)
  }

  #refusal(): SealwireError {
    const reason = this.#state.name === 'closed' ? this.#state.reason : undefined
    return reason ?? new SealwireError('connection_lost', 'this client was closed')
  }
}

/** The part of a connection's life after which the next one is made. */
const renewalPart = 0.9

/** A server ends each connection of a device that was revoked without a word: who begins with that is told after half a minute. */
const strangeTriesMax = limitTable.uplinkStrangeTriesMax.value

function notLetIn(cause: SealwireError): SealwireError {
  return new SealwireError('connection_lost', `${cause.sentence}, again and again`, {
    cause,
    hint: 'if it stays so, this device was revoked or banned, or its certificate has expired',
  })
}

function givenUp(): SealwireError {
  return new SealwireError('unreachable', 'the wait for a connection was given up')
}

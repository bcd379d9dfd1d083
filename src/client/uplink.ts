// The connection of somebody who is to stay connected. It is made again whenever it is lost.
//
//   connecting ──logged in──▶ online ──lost──▶ offline ──wait over, wake()──▶ connecting
//       └──failed──▶ offline         └──too old: the next one is made before it goes──▶ online
//   any ──close(), a refusal that is final──▶ closed
//
// Waits have full jitter: a random part of 0.5 s, 1 s, 2 s … 30 s, so that the clients of a server that comes back do not
// come all at once.

import type { Clock, Timer } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { ParsedEvent } from '../protocol/contract/index.ts'
import type { Client } from './client.ts'
import { isFinal } from './refusals.ts'

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
  | { readonly name: 'online'; readonly session: LoggedIn; readonly since: number; readonly timers: Set<Timer> }
  | { readonly name: 'offline'; readonly retry: Timer }
  | { readonly name: 'closed'; readonly reason: SealwireError | undefined }

export class Uplink {
  readonly #parts: UplinkParts
  readonly #user: UplinkUser
  readonly #waiting = new Set<PromiseWithResolvers<LoggedIn>>()
  #state: State
  /** Tries in a row that brought nothing. */
  #failures = 0
  /** Whether it was online once. */
  #wasOnline = false
  /** The server has ended the session: unless the next login succeeds, this is why. */
  #ended: SealwireError | undefined

  /** Begins to connect in the next turn. */
  constructor(parts: UplinkParts, user: UplinkUser) {
    this.#parts = parts
    this.#user = user
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
    if (this.#state.name === 'online') return this.#ping(this.#state.session, () => {})
    if (this.#state.name !== 'offline') return
    this.#state.retry.cancel()
    this.#connect()
  }

  /** Ends for good. `reason` is what everybody who waits is told; without one it was our own wish. */
  async close(reason?: SealwireError): Promise<void> {
    const before = this.#state
    if (before.name === 'closed') return
    this.#enter({ name: 'closed', reason }, reason)
    for (const waiting of this.#waiting) waiting.reject(this.#refusal())
    if (before.name === 'connecting') before.abort.abort()
    if (before.name === 'offline') before.retry.cancel()
    if (before.name === 'online') await before.session.client.drain()
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
    // A bug does not go away by itself.
    if (!SealwireError.is(reason) || isFinal(error)) return void this.close(error)
    if (this.#ended !== undefined && error.code !== 'unreachable') return void this.close(this.#ended)
    if (this.#isStrange(error)) return void this.close(notLetIn(error))
    this.#wait(error)
  }

  /** A device that is not let in is cut without a word, at every try; so is everybody while a proxy's server is away. */
  #isStrange({ code }: SealwireError): boolean {
    const { patient = false } = this.#parts
    return code === 'connection_lost' && !patient && !this.#wasOnline && this.#failures >= strangeTriesMax
  }

  #wait(reason: SealwireError): void {
    const { clock, limits, random } = this.#parts
    const longest = Math.min(limits.clientRetryMsMax, limits.clientRetryMs * 2 ** Math.min(this.#failures++, 30))
    this.#enter({ name: 'offline', retry: clock.after(random() * longest, () => this.#connect()) }, reason)
  }

  #adopt(session: LoggedIn): void {
    const { clock } = this.#parts
    const before = this.#state
    this.#ended = undefined
    this.#wasOnline = true
    const timers = new Set<Timer>()
    this.#enter({ name: 'online', session, since: clock.monotonic(), timers }, undefined)
    this.#user.online(session)
    this.#watch(session)
    if (session.ageMsMax !== undefined) this.#timer(session.ageMsMax * renewalPart, () => void this.#renew(session))
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
    const { clock, limits } = this.#parts
    // Whoever is thrown out again and again waits longer and longer.
    if (clock.monotonic() - this.#state.since >= limits.clientRetryMs) this.#failures = 0
    if (reason.code === 'account_banned') return void this.close(reason)
    if (reason.code === 'session_ended') this.#ended = reason
    this.#wait(reason)
  }

  /** Makes the next connection while this one still works. */
  async #renew(session: LoggedIn): Promise<void> {
    try {
      const next = await this.#parts.open(new AbortController().signal)
      if (this.session === session) this.#adopt(next)
      else next.client.close()
    } catch {
      // It lasts a little longer yet.
      const leftMs = (session.ageMsMax ?? 0) * (1 - renewalPart)
      if (this.session === session) this.#timer(leftMs / 4, () => void this.#renew(session))
    }
  }

  /** Pings a server that has been silent for long. */
  #watch(session: LoggedIn): void {
    const { clock, limits } = this.#parts
    const silentMs = clock.monotonic() - session.client.heardAt
    if (silentMs >= limits.clientIdleMsMax) return this.#ping(session, () => this.#watch(session))
    this.#timer(limits.clientIdleMsMax - silentMs, () => this.#watch(session))
  }

  #ping(session: LoggedIn, answered: () => void): void {
    const deadline = this.#timer(this.#parts.limits.clientPingMsMax, () => session.client.close())
    session.client.request('session.ping', {}).then(
      () => {
        deadline?.cancel()
        answered()
      },
      () => {}, // The connection is over, or its deadline comes.
    )
  }

  /** A timer of the connection that there is now. */
  #timer(ms: number, action: () => void): Timer | undefined {
    if (this.#state.name !== 'online') return undefined
    const { timers } = this.#state
    const timer = this.#parts.clock.after(ms, () => {
      timers.delete(timer)
      action()
    })
    timers.add(timer)
    return timer
  }

  #enter(state: State, reason: SealwireError | undefined): void {
    if (this.#state.name === 'online') for (const timer of this.#state.timers) timer.cancel()
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

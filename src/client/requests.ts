// The requests of one connection that have no answer yet. At most `clientRequestsMax` of them: one more is refused.
//
//   ask ──the link keeps up──▶ sent ──Result, Fault──▶ gone
//    │                          └──deadline, abort──▶ given up ──Result, Fault: ignored──▶ gone
//    └──▶ unsent ──drained──▶ sent
//            └──deadline, abort──▶ gone, and never sent
//
// A request that was given up keeps its place until its answer comes, because the other side still works for it.

import type { Clock, Timer } from '../domain/index.ts'
import { SealwireError } from '../protocol/index.ts'
import {
  checkResultIn,
  contractCommands,
  encodeRequestIn,
  type MethodIn,
  type MethodTable,
  type ParamsIn,
  parseParamsIn,
  requestIdMax,
  type ResultIn,
} from '../protocol/contract/index.ts'
import type { Connection } from './connection.ts'

/** Who answers, and the bounds of the table. */
export interface RequestsConfig<T extends MethodTable> {
  /** What can be asked. */
  readonly methods: T
  /** Who is asked, for people. */
  readonly other: string
  readonly requestsMax: number
  /** How long a request may wait for its answer, in ms. */
  readonly requestMsMax: number
  /** The largest body of a frame that the other side takes. */
  readonly bodyBytesMax: number
}

/** Somebody who waits for an answer. */
interface Asker {
  /** When it stops to wait, on the monotonic clock. */
  readonly deadline: number
  /** Throws `malformed` for what is no result of its method. */
  accept(result: unknown): void
  reject(error: SealwireError): void
  /** Stops to listen to the signal. */
  release(): void
}

export class Requests<T extends MethodTable> {
  readonly #config: RequestsConfig<T>
  readonly #connection: Connection
  readonly #clock: Clock
  /** By id, in the order in which they were made; `undefined` is one that was given up. */
  readonly #askers = new Map<number, Asker | undefined>()
  /** Bodies that wait for the link, in their order. */
  readonly #unsent = new Map<number, Uint8Array>()
  #lastId = 0
  /** How many still wait for their answer. */
  #waiting = 0
  #deadline: Timer | undefined
  #idle: PromiseWithResolvers<void> | undefined

  constructor(config: RequestsConfig<T>, connection: Connection, clock: Clock) {
    this.#config = config
    this.#connection = connection
    this.#clock = clock
  }

  /**
   * Sends a request as soon as the link takes it, and resolves with its result.
   * @throws {SealwireError} `busy`, `malformed` or `message_too_large` when it is not sent at all. The promise rejects with the
   * refusal of the other side, with `unknown_outcome` when it was given up, with `busy` when it could not be sent in time, and with
   * the reason for which the connection ended.
   */
  ask<M extends MethodIn<T>>(method: M, params: ParamsIn<T, M>, signal: AbortSignal | undefined): Promise<ResultIn<T, M>> {
    if (this.#askers.size >= this.#config.requestsMax) throw new SealwireError('busy', 'too many requests wait for their answers')
    const id = this.#freeId()
    const body = this.#encode(id, method, params)
    const { promise, resolve, reject } = Promise.withResolvers<ResultIn<T, M>>()
    const abort = (): void => this.#giveUp(id, new SealwireError('unknown_outcome', 'the request was given up'))
    signal?.addEventListener('abort', abort, { once: true })
    this.#askers.set(id, {
      deadline: this.#clock.monotonic() + this.#config.requestMsMax,
      accept: (result) => resolve(checkResultIn<T, M>(this.#config.methods, method, result)),
      reject,
      release: () => signal?.removeEventListener('abort', abort),
    })
    this.#waiting++
    this.#watch()
    this.#unsent.set(id, body)
    this.drained()
    return promise
  }

  /** @throws {SealwireError} `unexpected` when nobody asked, `malformed` when it is no result of the method. */
  answered(id: number, result: unknown): void {
    this.#asker(id)?.accept(result)
    this.#settled(id)
  }

  /** @throws {SealwireError} `unexpected` when nobody asked. */
  refused(id: number, error: SealwireError): void {
    this.#asker(id)?.reject(error)
    this.#settled(id)
  }

  /** The link takes more. */
  drained(): void {
    for (const [id, body] of this.#unsent) {
      if (!this.#connection.keepsUp) return
      this.#unsent.delete(id)
      this.#connection.send(contractCommands.request, body)
    }
  }

  /** Resolves when nobody waits for an answer. */
  async idle(): Promise<void> {
    if (this.#waiting === 0) return
    this.#idle ??= Promise.withResolvers<void>()
    await this.#idle.promise
  }

  /** Nothing will be answered any more. */
  end(reason: SealwireError): void {
    for (const [id, asker] of this.#askers) {
      asker?.reject(reason)
      this.#settled(id)
    }
    this.#unsent.clear()
    this.#deadline?.cancel()
  }

  #encode<M extends MethodIn<T>>(id: number, method: M, params: ParamsIn<T, M>): Uint8Array {
    const { methods, bodyBytesMax, other } = this.#config
    const body = encodeRequestIn(methods, id, method, parseParamsIn<T, M>(methods, method, params))
    if (body.length <= bodyBytesMax) return body
    throw new SealwireError('message_too_large', `a request of ${body.length} bytes is over the ${bodyBytesMax} of ${other}`)
  }

  #freeId(): number {
    do this.#lastId = this.#lastId === requestIdMax ? 1 : this.#lastId + 1
    while (this.#askers.has(this.#lastId))
    return this.#lastId
  }

  #asker(id: number): Asker | undefined {
    if (this.#askers.has(id) && !this.#unsent.has(id)) return this.#askers.get(id)
    throw new SealwireError('unexpected', `${this.#config.other} answered what nobody had asked`)
  }

  #settled(id: number): void {
    const asker = this.#askers.get(id)
    this.#askers.delete(id)
    if (asker !== undefined) this.#released(asker)
  }

  #giveUp(id: number, error: SealwireError): void {
    const asker = this.#askers.get(id)
    if (asker === undefined) return
    if (this.#unsent.delete(id)) this.#askers.delete(id)
    else this.#askers.set(id, undefined)
    asker.reject(error)
    this.#released(asker)
  }

  #released(asker: Asker): void {
    asker.release()
    this.#waiting--
    if (this.#waiting > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** All wait equally long, so one timer for the oldest is enough. It is not moved when that one is answered. */
  #watch(): void {
    if (this.#deadline !== undefined) return
    for (const asker of this.#askers.values()) {
      if (asker === undefined) continue
      this.#deadline = this.#clock.after(Math.max(0, asker.deadline - this.#clock.monotonic()), () => this.#giveUpLate())
      return
    }
  }

  #giveUpLate(): void {
    this.#deadline = undefined
    const now = this.#clock.monotonic()
    for (const [id, asker] of this.#askers) {
      if (asker === undefined) continue
      if (asker.deadline > now) break
      this.#giveUp(id, this.#late(id))
    }
    this.#watch()
  }

  #late(id: number): SealwireError {
    const { other, requestMsMax } = this.#config
    const seconds = requestMsMax / 1000
    if (this.#unsent.has(id)) return new SealwireError('busy', `${other} did not take the request within ${seconds} s`)
    return new SealwireError('unknown_outcome', `no answer came within ${seconds} s`)
  }
}

// Calls of methods over whichever connection there is. A call that cannot be made yet waits for a connection, no longer than a
// request may take. What may be asked twice is asked again when the connection was lost in the middle.

import type { Clock } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { Method, Params, Result } from '../protocol/contract/index.ts'
import { newMessageId, parseMessageId, type Randomness } from './outbox/message-id.ts'
import { isPassing } from './refusals.ts'
import { longestRetryMs } from './retry.ts'
import type { LoggedIn, Uplink } from './uplink.ts'

/** How a call is made. */
export interface CallOptions {
  /** Ends the wait, not what the server does. */
  readonly signal?: AbortSignal | undefined
}

export interface CallsParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly fill: Randomness
}

export class Calls {
  readonly #uplink: Uplink
  readonly #parts: CallsParts

  constructor(uplink: Uplink, parts: CallsParts) {
    this.#uplink = uplink
    this.#parts = parts
  }

  /**
   * Calls a method once.
   * @throws {SealwireError} the server's refusal; `unreachable` when there is no connection in time; `connection_lost` or
   * `unknown_outcome` when it is not known whether it was done.
   */
  async once<M extends Method>(method: M, params: Params<M>, { signal }: CallOptions = {}): Promise<Result<M>> {
    const { client } = await this.ready(signal)
    return client.request(method, params, signal === undefined ? {} : { signal })
  }

  /** Calls a method of which doing it twice is the same as doing it once: it survives lost connections. */
  async again<M extends Method>(method: M, params: Params<M>, { signal }: CallOptions = {}): Promise<Result<M>> {
    for (let tries = 1; ; tries++) {
      const { client } = await this.ready(signal)
      try {
        return await client.request(method, params, signal === undefined ? {} : { signal })
      } catch (reason) {
        const error = SealwireError.from(reason)
        if (signal?.aborted === true || tries >= triesMax || !isPassing(error) || isFull(method, error)) throw error
        if (!error.fatal) await this.pause(tries)
      }
    }
  }

  /** Waits longer after each try. */
  async pause(tries: number): Promise<void> {
    const { clock, limits } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    clock.after(longestRetryMs(limits, tries - 1), resolve)
    await promise
  }

  /** A fresh id, as text. */
  newId(): string {
    return newMessageId(this.#parts.clock.now(), this.#parts.fill)
  }

  /** A fresh id, or the one given, as bytes. @throws {TypeError} for what is no id. */
  idBytes(id: string = this.newId()): Uint8Array {
    return parseMessageId(id)
  }

  /** The connection, as soon as there is one. @throws {SealwireError} `unreachable` when there is none in time; why there will be none. */
  async ready(signal: AbortSignal | undefined): Promise<LoggedIn> {
    const abort = new AbortController()
    const timer = this.#parts.clock.after(this.#parts.limits.clientRequestMsMax, () => abort.abort())
    try {
      return await this.#uplink.ready(signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]))
    } finally {
      timer.cancel()
    }
  }
}

/** Whether there are too many of something, or it is too early: that is as true in some seconds. */
function isFull(method: Method, { code }: SealwireError): boolean {
  return code === 'busy' && bounded.has(method)
}

const bounded: ReadonlySet<Method> = new Set(['contact.request', 'contact.accept', 'room.create'])
const triesMax = limitTable.callTriesMax.value

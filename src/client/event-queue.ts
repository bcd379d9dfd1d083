// Events that nobody has taken yet. A reader that is awake takes what one read brought before the next read comes, however
// many events that were; so the bound is looked at when more was read, and says that the reader really lags behind.

import { SealwireError } from '../protocol/index.ts'
import type { ParsedEvent } from '../protocol/contract/index.ts'

type Step = IteratorResult<ParsedEvent, undefined>

export class EventQueue {
  readonly #eventsMax: number
  readonly #events: ParsedEvent[] = []
  #reader: EventReader | undefined
  #end: { readonly reason: SealwireError | undefined } | undefined

  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax
  }

  /** @throws {SealwireError} `overrun` when too many wait. */
  check(): void {
    if (this.#events.length <= this.#eventsMax) return
    throw new SealwireError('overrun', `more than ${this.#eventsMax} events were not taken`, { hint: 'read events() all the time' })
  }

  push(event: ParsedEvent): void {
    if (this.#reader?.hand(event) !== true) this.#events.push(event)
  }

  /** No more come. A reader still gets what waits, then the reason, or, without one, a plain end. */
  end(reason: SealwireError | undefined): void {
    this.#end = { reason }
    this.#reader?.end(reason)
  }

  /**
   * An iterator over the events from now on, until the signal.
   * @throws {TypeError} while there is another one that has not ended.
   */
  read(signal: AbortSignal | undefined): AsyncIterableIterator<ParsedEvent> {
    if (this.#reader !== undefined) throw new TypeError('events() was called while another iterator of it is open')
    const reader = new EventReader(this, signal)
    this.#reader = reader
    if (signal?.aborted === true) reader.stop()
    return reader
  }

  /** @internal */
  take(): ParsedEvent | undefined {
    return this.#events.shift()
  }

  /** @internal How the events end; `undefined` while more may come. */
  get ending(): { readonly reason: SealwireError | undefined } | undefined {
    return this.#end
  }

  /** @internal */
  leave(): void {
    this.#reader = undefined
  }
}

class EventReader implements AsyncIterableIterator<ParsedEvent> {
  readonly #queue: EventQueue
  readonly #signal: AbortSignal | undefined
  readonly #waiting: PromiseWithResolvers<Step>[] = []
  #done = false

  constructor(queue: EventQueue, signal: AbortSignal | undefined) {
    this.#queue = queue
    this.#signal = signal
    signal?.addEventListener('abort', this.stop, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Step> {
    if (this.#done) return over
    const event = this.#queue.take()
    if (event !== undefined) return { done: false, value: event }
    const { ending } = this.#queue
    if (ending !== undefined) {
      this.stop()
      if (ending.reason !== undefined) throw ending.reason
      return over
    }
    const waiting = Promise.withResolvers<Step>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  async return(): Promise<Step> {
    this.stop()
    return over
  }

  /** True when somebody waited for it. */
  hand(event: ParsedEvent): boolean {
    const waiting = this.#waiting.shift()
    waiting?.resolve({ done: false, value: event })
    return waiting !== undefined
  }

  /** Tells the first who waits why, the others that it is over. */
  end(reason: SealwireError | undefined): void {
    if (this.#waiting.length === 0) return
    if (reason !== undefined) this.#waiting.shift()?.reject(reason)
    this.stop()
  }

  readonly stop = (): void => {
    if (this.#done) return
    this.#done = true
    this.#signal?.removeEventListener('abort', this.stop)
    this.#queue.leave()
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(over)
  }
}

const over: Step = Object.freeze({ done: true, value: undefined })

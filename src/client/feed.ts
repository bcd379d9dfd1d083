// Values on their way to one reader, and to several. A reader that lags behind loses the oldest of what it has not taken, so
// this is for what is true now and not for what must arrive.

import type { SealwireError } from '../protocol/index.ts'

/** A queue that is read with `for await`. It ends for its reader when everything was taken. */
export class Feed<T> implements AsyncIterableIterator<T> {
  readonly #max: number
  readonly #signal: AbortSignal | undefined
  readonly #left: (feed: Feed<T>) => void
  readonly #taken: (value: T) => void
  readonly #values: T[] = []
  readonly #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = []
  #end: { readonly reason: SealwireError | undefined } | undefined

  constructor(
    max: number,
    signal: AbortSignal | undefined,
    left: (feed: Feed<T>) => void = () => {},
    taken: (value: T) => void = () => {},
  ) {
    this.#max = max
    this.#signal = signal
    this.#left = left
    this.#taken = taken
    signal?.addEventListener('abort', this.stop, { once: true })
    if (signal?.aborted === true) this.stop()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  push(value: T): void {
    if (this.#end !== undefined) return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting.resolve(this.#hand(value))
    this.#values.push(value)
    if (this.#values.length > this.#max) this.#values.shift()
  }

  /** No more come. The reader gets what waits, then the reason once, or, without one, a plain end. */
  end(reason: SealwireError | undefined): void {
    if (this.#end !== undefined) return
    const [first, ...others] = this.#waiting.splice(0)
    if (reason !== undefined) first?.reject(reason)
    else first?.resolve(over)
    for (const waiting of others) waiting.resolve(over)
    this.#end = { reason: first === undefined ? reason : undefined }
    this.#release()
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const [value] = this.#values.splice(0, 1)
    if (value !== undefined) return this.#hand(value)
    if (this.#end === undefined) {
      const waiting = Promise.withResolvers<IteratorResult<T, undefined>>()
      this.#waiting.push(waiting)
      return waiting.promise
    }
    const { reason } = this.#end
    this.#end = { reason: undefined }
    if (reason !== undefined) throw reason
    return over
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.stop()
    return over
  }

  readonly stop = (): void => {
    this.#values.length = 0
    this.end(undefined)
  }

  #hand(value: T): IteratorResult<T, undefined> {
    this.#taken(value)
    return { done: false, value }
  }

  #release(): void {
    this.#signal?.removeEventListener('abort', this.stop)
    this.#left(this)
  }
}

/** Tells everybody who reads. */
export class Broadcast<T> {
  readonly #max: number
  readonly #feeds = new Set<Feed<T>>()
  #end: { readonly reason: SealwireError | undefined } | undefined

  constructor(max: number) {
    this.#max = max
  }

  push(value: T): void {
    for (const feed of this.#feeds) feed.push(value)
  }

  end(reason: SealwireError | undefined): void {
    this.#end = { reason }
    for (const feed of this.#feeds) feed.end(reason)
  }

  /** What comes from now on, behind `first`; `taken` is told of each that the reader gets. */
  read(signal: AbortSignal | undefined, first: readonly T[] = [], taken?: (value: T) => void): AsyncIterableIterator<T> {
    const feed: Feed<T> = new Feed(this.#max, signal, (left) => this.#feeds.delete(left), taken)
    if (signal?.aborted === true) return feed
    for (const value of first) feed.push(value)
    if (this.#end === undefined) this.#feeds.add(feed)
    else feed.end(this.#end.reason)
    return feed
  }
}

const over = Object.freeze({ done: true, value: undefined })

// Whose turn it is: a bounded number at once, a bounded number waiting, first come, first served. Whoever gives up waiting
// leaves the queue at once, and the place is free for another.

import { SealwireError } from '../protocol/index.ts'

/** How wide and how long a queue is. */
export interface TurnsOptions {
  /** How many at once. */
  readonly width: number
  /** How many wait; more are answered `busy`. */
  readonly waitingMax: number
}

/** How one waits in a queue. */
export interface WaitOptions {
  /** Gives the place in the queue back; an action that has begun is not stopped. */
  readonly signal?: AbortSignal | undefined
}

/** A queue as others see it. */
export type Queue = Pick<Turns, 'overflows' | 'running' | 'waiting'>

/** One queue. */
export class Turns {
  readonly #options: TurnsOptions
  #running = 0
  #overflows = 0
  /** In the order of arrival. */
  readonly #waiting = new Set<() => void>()

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#running === 0
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get running(): number {
    return this.#running
  }

  /** How many were answered `busy`. */
  get overflows(): number {
    return this.#overflows
  }

  /**
   * Runs `action` when its turn comes.
   * @throws {SealwireError} `busy` when too many wait; `connection_lost` when the signal aborts the wait.
   */
  async run<T>(action: () => Promise<T>, { signal }: WaitOptions = {}): Promise<T> {
    if (signal?.aborted) throw gaveUp(signal)
    if (this.#running < this.#options.width) this.#running++
    else await this.#wait(signal)
    try {
      return await action()
    } finally {
      this.#passOn()
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size >= this.#options.waitingMax) {
      this.#overflows++
      throw new SealwireError('busy', 'too many wait already')
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      this.#waiting.delete(turn)
      if (signal !== undefined) reject(gaveUp(signal))
    }
    const turn = (): void => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    this.#waiting.add(turn)
    signal?.addEventListener('abort', leave, { once: true })
    return promise
  }

  /** The turn goes to the next in line without becoming free in between, so that nobody overtakes. */
  #passOn(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

/** Turns for each key on its own: one address, or one account seen from one address. */
export class Lanes {
  readonly #options: TurnsOptions
  readonly #lanes = new Map<string, Turns>()

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** The keys that are in use. */
  get size(): number {
    return this.#lanes.size
  }

  /** Like {@link Turns.run}, among those with the same key. */
  async run<T>(key: string, action: () => Promise<T>, options: WaitOptions = {}): Promise<T> {
    const lane = this.#lanes.get(key) ?? new Turns(this.#options)
    this.#lanes.set(key, lane)
    try {
      return await lane.run(action, options)
    } finally {
      if (lane.isIdle) this.#lanes.delete(key)
    }
  }
}

function gaveUp(signal: AbortSignal): SealwireError {
  const reason: unknown = signal.reason
  return SealwireError.is(reason) ? reason : new SealwireError('connection_lost', 'the peer hung up before its turn', { cause: reason })
}

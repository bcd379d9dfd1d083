// How somebody stays connected: how long it waits before it connects again, and how it notices that nothing comes any more.

import type { Clock, Timer } from '../domain/index.ts'
import type { Limits } from '../protocol/index.ts'
import type { Client } from './client.ts'

type RetryLimits = Pick<Limits, 'clientRetryMs' | 'clientRetryMsMax'>

/** The longest wait after so many failures in a row, in ms: 0.5 s, 1 s, 2 s … 30 s. */
export function longestRetryMs({ clientRetryMs, clientRetryMsMax }: RetryLimits, failures: number): number {
  return Math.min(clientRetryMsMax, clientRetryMs * 2 ** Math.min(failures, 30))
}

export interface RetriesParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly limits: RetryLimits
  /** From 0 to 1. */
  readonly random: () => number
}

/** Tries of a connection. Their waits have full jitter, so that the clients of a server that comes back do not come all at once. */
export class Retries {
  readonly #parts: RetriesParts
  #failures = 0

  constructor(parts: RetriesParts) {
    this.#parts = parts
  }

  /** In a row, which brought nothing. */
  get failures(): number {
    return this.#failures
  }

  /** How long to wait before the next try, in ms. */
  nextMs(): number {
    const { limits, random } = this.#parts
    return random() * longestRetryMs(limits, this.#failures++)
  }

  /** A connection is over that began at `since`: whoever is thrown out again and again waits longer and longer. */
  wasOpen(since: number): void {
    const { clock, limits } = this.#parts
    if (clock.monotonic() - since >= limits.clientRetryMs) this.#failures = 0
  }
}

export interface SilenceParts {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly limits: Pick<Limits, 'clientIdleMsMax' | 'clientPingMsMax'>
}

/**
 * Pings a server when it, or this client, has been silent for long: either takes the other for gone. Closes a connection on which not
 * even that is answered; until it is disposed.
 */
export class SilenceWatch implements Disposable {
  readonly #client: Pick<Client, 'request' | 'heardAt' | 'saidAt' | 'close'>
  readonly #parts: SilenceParts
  #timer: Timer | undefined
  #isPinging = false
  #isOver = false

  constructor(client: Pick<Client, 'request' | 'heardAt' | 'saidAt' | 'close'>, parts: SilenceParts) {
    this.#client = client
    this.#parts = parts
    this.#look()
  }

  /** Looks now whether the connection is still alive. */
  ping(): void {
    if (this.#isPinging || this.#isOver) return
    this.#isPinging = true
    const askedAt = this.#parts.clock.monotonic()
    // A ping that was refused was heard, and says that the server is there.
    this.#after(this.#parts.limits.clientPingMsMax, () => (this.#client.heardAt <= askedAt ? this.#client.close() : this.#look()))
    this.#client.request('session.ping', {}).then(
      () => this.#look(),
      () => {}, // The connection is over, or its deadline comes.
    )
  }

  #look(): void {
    const { clock, limits } = this.#parts
    const leftMs = Math.min(this.#client.heardAt, this.#client.saidAt) + limits.clientIdleMsMax - clock.monotonic()
    this.#isPinging = false
    if (leftMs <= 0) this.ping()
    else this.#after(leftMs, () => this.#look())
  }

  #after(ms: number, action: () => void): void {
    this.#timer?.cancel()
    if (!this.#isOver) this.#timer = this.#parts.clock.after(ms, action)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#timer?.cancel()
  }
}

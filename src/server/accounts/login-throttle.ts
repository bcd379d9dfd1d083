// How failed logins slow down the next ones: the rules of domain/throttle.ts with the counts of the store. What the store
// cannot count is counted in memory.

import { type Clock, loginWaitMs, pairWindowMs, type ThrottleKeys } from '../../domain/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Store } from '../../store/index.ts'
import type { Log } from '../log.ts'
import { UnsavedFailures } from './unsaved-failures.ts'

export class LoginThrottle {
  readonly #limits: Limits
  readonly #store: Pick<Store, 'run'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #log: Log
  readonly #unsaved: UnsavedFailures

  constructor(limits: Limits, parts: { readonly store: Pick<Store, 'run'>; readonly clock: Pick<Clock, 'now'>; readonly log: Log }) {
    this.#limits = limits
    this.#store = parts.store
    this.#clock = parts.clock
    this.#log = parts.log
    this.#unsaved = new UnsavedFailures(limits.throttlesTrackedMax)
  }

  /**
   * Whether the store remembers failures of the account from this address.
   * @throws {SealwireError} `rate_limited` when a login under these keys has to wait; those of the store.
   */
  async check(keys: ThrottleKeys): Promise<boolean> {
    const rows = await this.#store.run('throttle.read', { keys: [keys.pair, keys.address] })
    const unsaved = this.#unsaved.read([keys.pair, keys.address])
    const waitMs = Math.max(...[rows, unsaved].map((failures) => loginWaitMs(failures, keys, this.#clock.now(), this.#limits)))
    if (waitMs > 0) throw new SealwireError('rate_limited', `too many failed logins, try again in ${Math.ceil(waitMs / 1000)} s`)
    return rows.some((row) => row.key === keys.pair)
  }

  async countFailure({ pair, address }: ThrottleKeys, connection: number | undefined): Promise<void> {
    await Promise.all([this.#count(pair, pairWindowMs(this.#limits), connection), this.countAddress(address, connection)])
  }

  /** For a failure that names no account. */
  async countAddress(address: string, connection: number | undefined): Promise<void> {
    await this.#count(address, this.#limits.loginAddressWindowMs, connection)
  }

  /** The owner has logged in. A disk on which nothing can be written keeps nobody out who knows the password. */
  async forgive(pair: string, isStored: boolean, connection: number | undefined): Promise<void> {
    this.#unsaved.clear(pair)
    if (!isStored) return
    try {
      await this.#store.run('throttle.clear', { keys: [pair] })
    } catch (reason) {
      this.#log.warning('failed logins not forgotten', { connection, why: SealwireError.from(reason).code })
    }
  }

  async #count(key: string, windowMs: number, connection: number | undefined): Promise<void> {
    const [at, window] = [BigInt(this.#clock.now()), BigInt(windowMs)]
    try {
      await this.#store.run('throttle.fail', { keys: [key], at, windowMs: window })
    } catch (reason) {
      this.#unsaved.fail(key, at, window)
      this.#log.warning('failed login counted in memory only', { connection, why: SealwireError.from(reason).code })
    }
  }
}

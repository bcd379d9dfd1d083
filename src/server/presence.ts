// Who is here: the sessions of each account, and the rate its messages share however many sessions it has.

import { type Clock, type Timer, TokenBucket } from '../domain/index.ts'
import { type Limits, SealwireError } from '../protocol/index.ts'
import type { Participant } from './chats.ts'

interface AccountPresence {
  readonly sessions: Participant[]
  readonly messages: TokenBucket
}

const nobody: readonly Participant[] = Object.freeze([])
const forgetEveryMs = 10_000

export class Presence implements Disposable {
  /** By account key. A Map, because a name may be `__proto__`. */
  readonly #accounts = new Map<string, AccountPresence>()
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #sweep: Timer

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#limits = limits
    this.#sweep = clock.every(forgetEveryMs, () => this.#forget())
  }

  [Symbol.dispose](): void {
    this.#sweep.cancel()
  }

  /** The sessions of an account, oldest first. */
  sessionsOf(key: string): readonly Participant[] {
    return this.#accounts.get(key)?.sessions ?? nobody
  }

  /**
   * Adds a session and returns the rate that its messages share with those of the account's other sessions.
   * @throws {SealwireError} `busy` when the account has `sessionsPerAccountMax` sessions.
   */
  enter(session: Participant): TokenBucket {
    const account = this.#account(session.key)
    if (account.sessions.length >= this.#limits.sessionsPerAccountMax) {
      throw new SealwireError('busy', 'this account has too many sessions already')
    }
    account.sessions.push(session)
    return account.messages
  }

  leave(session: Participant): void {
    const sessions = this.#accounts.get(session.key)?.sessions
    const at = sessions?.indexOf(session) ?? -1
    if (at >= 0) sessions?.splice(at, 1)
  }

  #account(key: string): AccountPresence {
    const known = this.#accounts.get(key)
    if (known !== undefined) return known
    const { messagesPerSecondPerAccountMax: rate, messagesBurstPerAccountMax: burst } = this.#limits
    const account = { sessions: [], messages: new TokenBucket(rate, burst, this.#clock.monotonic()) }
    this.#accounts.set(key, account)
    return account
  }

  /** An account that left is remembered until its rate is whole again, so that coming back does not renew it. */
  #forget(): void {
    const { messagesPerSecondPerAccountMax: rate, messagesBurstPerAccountMax: burst } = this.#limits
    const now = this.#clock.monotonic()
    for (const [key, account] of this.#accounts) {
      if (account.sessions.length === 0 && account.messages.available(now) >= Math.min(burst, burst - rate)) this.#accounts.delete(key)
    }
  }
}

// Who is here: the sessions of each account, the rates its requests share however many sessions it has, and what it says
// about others. What it says about others lives as long as it has a session or a login under way, so that nothing that
// happens while somebody logs in is missed, and nothing is kept of those who have gone.

import { type Clock, type Timer, TokenBucket } from '../../domain/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Privacy, SecretHash, Visibility } from '../../store/index.ts'
import { Arrival } from '../session/arrival.ts'
import type { Participant } from '../classic/chats.ts'
import { isSameToken } from '../accounts/session-token.ts'

/** How an account stands to others, by their numbers; one object for all its sessions, changed as the store is. */
export interface Standing {
  readonly contacts: Set<bigint>
  /** Whom it wants to hear nothing of. */
  readonly blocks: Set<bigint>
  visibility: Visibility
  /** What it lets others know. */
  privacy: Privacy
}

/** Hears of whom others find here from now on, and of whom not any more. */
export interface PresenceWatcher {
  came(first: Participant): void
  went(last: Participant): void
}

/** What an account may ask for, in all its sessions together: what it says and changes, pages that it reads, and offers of direct links. */
export interface Rates {
  readonly messages: TokenBucket
  readonly reads: TokenBucket
  /** Of direct links: each takes {@link offerTokens}. */
  readonly offers: TokenBucket
}

interface AccountPresence {
  readonly sessions: Participant[]
  readonly rates: Rates
  standing: Standing | undefined
}

const nobody: readonly Participant[] = Object.freeze([])
const forgetEveryMs = 10_000
/** What an offer takes of its rate: buckets count by the second, and offers are bounded by the minute. */
export const offerTokens = 60

export class Presence implements Disposable {
  /** By account key. A Map, because a name may be `__proto__`. */
  readonly #accounts = new Map<string, AccountPresence>()
  /** Logins under way, by the key they are for, whether there is such an account or not. */
  readonly #arrivals = new Map<string, Set<Arrival>>()
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #sweep: Timer
  readonly #watcher: PresenceWatcher | undefined

  constructor(clock: Clock, limits: Limits, watcher?: PresenceWatcher) {
    this.#clock = clock
    this.#limits = limits
    this.#watcher = watcher
    this.#sweep = clock.every(forgetEveryMs, () => this.#forget())
  }

  [Symbol.dispose](): void {
    this.#sweep.cancel()
  }

  /** Sessions of all accounts. */
  get size(): number {
    return [...this.#accounts.values()].reduce((sum, { sessions }) => sum + sessions.length, 0)
  }

  /** Logins under way. */
  get arriving(): number {
    return [...this.#arrivals.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** The sessions of an account that others find, oldest first: not those that are for joining only. */
  sessionsOf(key: string): readonly Participant[] {
    return this.#allOf(key).filter(isFound)
  }

  /** The oldest session of every account that is here, of those that others find. */
  *people(): Iterable<Participant> {
    for (const { sessions } of this.#accounts.values()) {
      const first = sessions.find(isFound)
      if (first !== undefined) yield first
    }
  }

  /** A login begins; its end must be told. */
  arrive(tokenHash?: SecretHash): Arrival {
    return new Arrival(this, tokenHash)
  }

  /** How an account stands to others, while it is here or about to be. */
  standingOf(key: string): Standing | undefined {
    return this.#accounts.get(key)?.standing
  }

  /** `loaded` is how the account stands to others, unless that is known already; what is in force is returned. */
  settle(key: string, loaded: Standing): Standing {
    const account = this.#account(key)
    account.standing ??= loaded
    return account.standing
  }

  /**
   * Adds a session and returns the rates that it shares with the account's other sessions.
   * @throws {SealwireError} `busy` when the account has `sessionsPerAccountMax` sessions.
   */
  enter(session: Participant): Rates {
    this.requireRoom(session.key)
    const account = this.#account(session.key)
    account.sessions.push(session)
    if (isFound(session) && account.sessions.filter(isFound).length === 1) this.#watcher?.came(session)
    return account.rates
  }

  leave(session: Participant): void {
    const sessions = this.#accounts.get(session.key)?.sessions
    const at = sessions?.indexOf(session) ?? -1
    if (at >= 0) sessions?.splice(at, 1)
    this.#release(session.key)
    if (at >= 0 && isFound(session) && !sessions?.some(isFound)) this.#watcher?.went(session)
  }

  /** Ends every session of an account but `except`, and its logins under way; returns how many sessions those were. */
  end(key: string, error: SealwireError, except?: Participant): number {
    for (const arrival of this.#arrivals.get(key) ?? []) arrival.ended = error
    const ending = this.#allOf(key).filter((session) => session !== except)
    for (const session of ending) session.end(error)
    return ending.length
  }

  /** Ends the sessions of an account that came with this token but `except`, and its logins under way with it. */
  endToken(key: string, tokenHash: SecretHash, error: SealwireError, except?: Participant): void {
    for (const arrival of this.#arrivals.get(key) ?? []) if (isSameToken(arrival.tokenHash, tokenHash)) arrival.ended = error
    const ending = this.#allOf(key).filter((session) => session !== except && isSameToken(session.tokenHash, tokenHash))
    for (const session of ending) session.end(error)
  }

  /** @throws {SealwireError} `busy` when there is no room for one more session of the account. */
  requireRoom(key: string): void {
    if (this.#allOf(key).length < this.#limits.sessionsPerAccountMax) return
    throw new SealwireError('busy', 'this account has too many sessions already')
  }

  /** For {@link Arrival}. */
  expect(key: string, arrival: Arrival): void {
    const arrivals = this.#arrivals.get(key) ?? new Set()
    this.#arrivals.set(key, arrivals.add(arrival))
  }

  /** For {@link Arrival}. */
  expectNoMore(key: string, arrival: Arrival): void {
    const arrivals = this.#arrivals.get(key)
    arrivals?.delete(arrival)
    if (arrivals?.size === 0) this.#arrivals.delete(key)
    this.#release(key)
  }

  #allOf(key: string): readonly Participant[] {
    return this.#accounts.get(key)?.sessions ?? nobody
  }

  #account(key: string): AccountPresence {
    const known = this.#accounts.get(key)
    if (known !== undefined) return known
    const account = { sessions: [], rates: fullRates(this.#limits, this.#clock.monotonic()), standing: undefined }
    this.#accounts.set(key, account)
    return account
  }

  /** Nobody is here and nobody is about to be: the next one asks the store again. */
  #release(key: string): void {
    const account = this.#accounts.get(key)
    if (account !== undefined && account.sessions.length === 0 && !this.#arrivals.has(key)) account.standing = undefined
  }

  /** An account that left is remembered until its rates are whole again, so that coming back does not renew it. */
  #forget(): void {
    const now = this.#clock.monotonic()
    for (const [key, account] of this.#accounts) {
      if (account.sessions.length > 0 || account.standing !== undefined) continue
      if (areWhole(account.rates, this.#limits, now)) this.#accounts.delete(key)
    }
  }
}

/** Of each rate, its tokens a second and at once. */
function ratesOf(limits: Limits): { readonly [R in keyof Rates]: readonly [perSecond: number, burst: number] } {
  return {
    messages: [limits.messagesPerSecondPerAccountMax, limits.messagesBurstPerAccountMax],
    reads: [limits.readsPerSecondPerAccountMax, limits.readsBurstPerAccountMax],
    offers: [limits.directOffersPerMinuteMax, limits.directOffersBurstMax * offerTokens],
  }
}

function fullRates(limits: Limits, now: number): Rates {
  const { messages, reads, offers } = ratesOf(limits)
  return { messages: new TokenBucket(...messages, now), reads: new TokenBucket(...reads, now), offers: new TokenBucket(...offers, now) }
}

/** Within a second of it, that is. */
function areWhole(rates: Rates, limits: Limits, now: number): boolean {
  const whole = ratesOf(limits)
  return (['messages', 'reads', 'offers'] as const).every((which) => {
    const [perSecond, burst] = whole[which]
    return rates[which].available(now) >= Math.min(burst, burst - perSecond)
  })
}

function isFound({ joinOnly = false }: Participant): boolean {
  return !joinOnly
}

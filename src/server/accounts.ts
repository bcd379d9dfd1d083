// Accounts: who may register, and who is who they say. Knows nothing of frames or dialects.
//
// A guesser learns nothing: a name that nobody has and a wrong password cost the same work, the same writes and the same
// answer. Nor does it gain from trying many at once: the logins of one account from one address are checked one after the
// other, each after the failures before it were counted, and an address has no more checks under way than hashes
// run at once. Nor can it fill the hash queue for others: its further logins wait in the address's own line.

import { type Clock, loginWaitMs, pairWindowMs, parseName, parsePassword, type ThrottleKeys, throttleKeys } from '../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { Account, Store } from '../store/index.ts'
import type { Log } from './log.ts'
import { PasswordHasher } from './password-hasher.ts'
import { Lanes } from './turns.ts'
import { UnsavedFailures } from './unsaved-failures.ts'

/** `open`: anybody; `invite`: with an invitation, which nobody can give out yet; `closed`: nobody. */
export type RegistrationMode = 'open' | 'invite' | 'closed'

/** How accounts behave. */
export interface AccountsOptions {
  readonly registration: RegistrationMode
  readonly limits: Limits
}

/** What accounts work with; whoever made the parts closes them. */
export interface AccountsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** What a peer says of itself, and where it says it from. */
export interface Credentials {
  readonly name: string
  readonly password: string
  /** The peer's IP address. */
  readonly address: string
  /** Aborted when the peer hangs up: its place in the queues becomes free. */
  readonly signal?: AbortSignal | undefined
}

/** An account without its secrets. */
export type AccountIdentity = Pick<Account, 'id' | 'name' | 'key'>

/** The accounts of a server. */
export class Accounts implements AsyncDisposable {
  readonly #options: AccountsOptions
  readonly #parts: AccountsParts
  readonly #hasher: PasswordHasher
  readonly #pairs: Lanes
  readonly #addresses: Lanes
  readonly #unsaved: UnsavedFailures
  /** Hashes being replaced after their owners were let in. */
  readonly #rehashes = new Set<Promise<void>>()

  constructor(options: AccountsOptions, parts: AccountsParts) {
    const { passwordHashConcurrencyMax: width, passwordHashQueueMax: waitingMax } = options.limits
    this.#options = options
    this.#parts = parts
    this.#hasher = new PasswordHasher(options.limits)
    this.#unsaved = new UnsavedFailures(options.limits.throttlesTrackedMax)
    this.#pairs = new Lanes({ width: 1, waitingMax })
    this.#addresses = new Lanes({ width, waitingMax })
  }

  /**
   * The key under which the owner of a name is found, whether there is one or not.
   * @throws {SealwireError} `name_invalid`.
   */
  keyOf(name: string): string {
    return parseName(name, this.#options.limits).key
  }

  /**
   * Makes an account; it is durable when the promise resolves.
   * @throws {SealwireError} `registration_closed`, `name_invalid`, `password_invalid`, `name_taken`, `busy`; those of the
   * store; `connection_lost` when the signal aborts the wait.
   */
  async register(credentials: Credentials): Promise<AccountIdentity> {
    const { limits, registration } = this.#options
    if (registration !== 'open') throw new SealwireError('registration_closed', 'this server takes no registrations from strangers')
    const name = parseName(credentials.name, limits)
    const password = parsePassword(credentials.password, limits)
    const { address } = throttleKeys(name.key, credentials.address)
    const { store, clock, log } = this.#parts
    const account = await this.#addresses.run(
      address,
      async () => {
        // The store decides in the end (and compares skeletons too); asking first saves a hash.
        if ((await store.run('account.find', { key: name.key })) !== undefined) throw new SealwireError('name_taken', 'the name is taken')
        const passwordHash = await this.#hasher.hash(password, credentials)
        return store.run('account.create', { ...name, passwordHash, createdAt: BigInt(clock.now()) })
      },
      credentials,
    )
    log.info('account registered', { account: account.name, address: credentials.address })
    return identityOf(account)
  }

  /**
   * The account that the name and the password belong to.
   * @throws {SealwireError} `name_invalid`; `login_refused` for an unknown name and for a wrong password alike;
   * `rate_limited` after too many failures; `busy`; those of the store; `connection_lost` when the signal aborts the wait.
   */
  async login(credentials: Credentials): Promise<AccountIdentity> {
    const { key } = parseName(credentials.name, this.#options.limits)
    const password = possiblePassword(credentials.password)
    const keys = throttleKeys(key, credentials.address)
    const check = (): Promise<Account> => this.#check(key, password, keys, credentials)
    // Always in this order, so that no two logins wait for each other.
    const account = await this.#pairs.run(keys.pair, () => this.#addresses.run(keys.address, check, credentials), credentials)
    return identityOf(account)
  }

  /** Resolves when no hash is being replaced any more. Wants the logins to have ended. */
  async close(): Promise<void> {
    while (this.#rehashes.size > 0) await Promise.all(this.#rehashes)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #check(key: string, password: string, keys: ThrottleKeys, { address, signal }: Credentials): Promise<Account> {
    const { store, clock, log } = this.#parts
    const [rows, account] = await Promise.all([
      store.run('throttle.read', { keys: [keys.pair, keys.address] }),
      store.run('account.find', { key }),
    ])
    const unsaved = this.#unsaved.read([keys.pair, keys.address])
    const waitMs = Math.max(...[rows, unsaved].map((failures) => loginWaitMs(failures, keys, clock.now(), this.#options.limits)))
    if (waitMs > 0) throw rateLimited(waitMs)
    const isRight = await this.#hasher.verify(password, account?.passwordHash, { signal })
    if (account === undefined || !isRight) {
      await this.#countFailure(keys)
      // Not the name as it was typed: people type passwords there.
      log.info('login refused', { account: account?.name, address })
      throw loginRefused()
    }
    this.#unsaved.clear(keys.pair)
    if (rows.some((row) => row.key === keys.pair)) await this.#forgive(keys.pair)
    this.#rehashWhenWeak(account, password)
    return account
  }

  async #countFailure({ pair, address }: ThrottleKeys): Promise<void> {
    const { limits } = this.#options
    await Promise.all([this.#count(pair, pairWindowMs(limits)), this.#count(address, limits.loginAddressWindowMs)])
  }

  /** A disk on which nothing can be written keeps nobody out who knows the password. */
  async #forgive(key: string): Promise<void> {
    try {
      await this.#parts.store.run('throttle.clear', { keys: [key] })
    } catch (reason) {
      this.#parts.log.warning('failed logins not forgotten', { why: SealwireError.from(reason).code })
    }
  }

  async #count(key: string, windowMs: number): Promise<void> {
    const { store, clock, log } = this.#parts
    const [at, window] = [BigInt(clock.now()), BigInt(windowMs)]
    try {
      await store.run('throttle.fail', { keys: [key], at, windowMs: window })
    } catch (reason) {
      this.#unsaved.fail(key, at, window)
      log.warning('failed login counted in memory only', { why: SealwireError.from(reason).code })
    }
  }

  /** Its owner does not wait for it; when it fails, the next login tries again. */
  #rehashWhenWeak({ id, passwordHash: from }: Account, password: string): void {
    if (!this.#hasher.needsRehash(from)) return
    const { store, log } = this.#parts
    const rehash = this.#hasher
      .hash(password)
      .then((to) => store.run('account.rehash', { id, from, to }))
      .then(
        () => log.debug('password rehashed', { id }),
        (reason: unknown) => log.debug('password not rehashed', { id, why: SealwireError.from(reason).code }),
      )
      .finally(() => this.#rehashes.delete(rehash))
    this.#rehashes.add(rehash)
  }
}

/**
 * A password as far as any password can have been registered with it, whatever the limits were then.
 * @throws {SealwireError} `login_refused`, without any work: no account has a password of such a length.
 */
function possiblePassword(text: string): string {
  const { passwordCharactersMin, passwordCharactersMax } = limitTable
  try {
    return parsePassword(text, { passwordCharactersMin: passwordCharactersMin.min, passwordCharactersMax: passwordCharactersMax.max })
  } catch (cause) {
    throw SealwireError.from(cause).code === 'password_invalid' ? loginRefused() : cause
  }
}

function identityOf({ id, name, key }: Account): AccountIdentity {
  return { id, name, key }
}

function loginRefused(): SealwireError {
  return new SealwireError('login_refused', 'wrong name or password')
}

function rateLimited(waitMs: number): SealwireError {
  return new SealwireError('rate_limited', `too many failed logins, try again in ${Math.ceil(waitMs / 1000)} s`)
}

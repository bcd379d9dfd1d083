// Accounts: who may register, and who is who they say. Knows nothing of frames or dialects.
//
// A guesser learns nothing: a name that nobody has and a wrong password cost the same work, the same writes and the same
// answer. Nor does it gain from trying many at once: the logins of one account from one address are checked one after the
// other, each after the failures before it were counted, and an address has no more checks under way than hashes
// run at once. Nor can it fill the hash queue for others: its further logins wait in the address's own line.

import { type Clock, parseName, parsePassword, type ThrottleKeys, throttleKeys } from '../domain/index.ts'
import { invitationHash } from '../pki/index.ts'
import { limitTable, SealwireError } from '../protocol/index.ts'
import type { Account, Input, Output, Store } from '../store/index.ts'
import type { Credentials, DeviceLinkUse, Origin, PasswordChange, Registration, Resumption } from './accounts/credentials.ts'
import type { Log } from './log.ts'
import { LoginThrottle } from './accounts/login-throttle.ts'
import { PasswordHasher } from './accounts/password-hasher.ts'
import { type AccountsOptions, Registrar, type RegistrationMode } from './accounts/registrar.ts'
import { tokenHash } from './accounts/session-token.ts'
import { Lanes, type Queue } from './turns.ts'

export type { Credentials, Origin, PasswordChange, Registration, Resumption } from './accounts/credentials.ts'
export type { AccountsOptions, RegistrationMode } from './accounts/registrar.ts'

/** What accounts work with; whoever made the parts closes them. */
export interface AccountsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** An account without its secrets. */
export type AccountIdentity = Pick<Account, 'id' | 'name' | 'key' | 'visibility'>

/** The accounts of a server. */
export class Accounts implements AsyncDisposable {
  readonly #options: AccountsOptions
  readonly #parts: AccountsParts
  readonly #hasher: PasswordHasher
  readonly #throttle: LoginThrottle
  readonly #registrar: Registrar
  readonly #pairs: Lanes
  readonly #addresses: Lanes
  /** Hashes being replaced after their owners were let in. */
  readonly #rehashes = new Set<Promise<void>>()

  constructor(options: AccountsOptions, parts: AccountsParts) {
    const { passwordHashConcurrencyMax: width, passwordHashQueueMax: waitingMax } = options.limits
    this.#options = options
    this.#parts = parts
    this.#hasher = new PasswordHasher(options.limits)
    this.#throttle = new LoginThrottle(options.limits, parts)
    this.#pairs = new Lanes({ width: 1, waitingMax })
    this.#addresses = new Lanes({ width, waitingMax })
    this.#registrar = new Registrar(options, { ...parts, hasher: this.#hasher, addresses: this.#addresses })
  }

  /** The queue of password hashes. */
  get hashing(): Queue {
    return this.#hasher.queue
  }

  /** Who may register. */
  get registration(): RegistrationMode {
    return this.#options.registration
  }

  /**
   * The key under which the owner of a name is found, whether there is one or not.
   * @throws {SealwireError} `name_invalid`.
   */
  keyOf(name: string): string {
    return parseName(name, this.#options.limits).key
  }

  /**
   * Makes an account, with its token and with one use of its invitation; it is durable when the promise resolves.
   * @throws {SealwireError} `registration_closed`, `name_invalid`, `password_invalid`, `invitation_invalid`,
   * `invitation_used`, `invitation_expired`, `name_taken`, `busy`; those of the store; `connection_lost` when the signal
   * aborts the wait.
   */
  async register(registration: Registration): Promise<AccountIdentity> {
    const account = await this.#registrar.register(registration)
    this.#parts.log.info('account registered', { account: account.name, ...placeOf(registration) })
    return identityOf(account)
  }

  /**
   * The account that the name and the password belong to.
   * @throws {SealwireError} `name_invalid`; `login_refused` for an unknown name, a wrong password and an account without
   * one alike; `account_banned` to who knows the password; `rate_limited` after too many failures; `busy`; those of the
   * store; `connection_lost` when the signal aborts the wait.
   */
  async login(credentials: Credentials): Promise<AccountIdentity> {
    const { key } = parseName(credentials.name, this.#options.limits)
    const password = possiblePassword(credentials.password)
    credentials.arrival?.named(key)
    return this.#inTurn(throttleKeys(key, credentials.address), credentials, async (keys) => {
      const find = (): Promise<Account | undefined> => this.#parts.store.run('account.find', { key })
      const account = await this.#prove(find, password, keys, credentials)
      if (account.bannedAt !== undefined) throw banned()
      credentials.arrival?.proven()
      await this.#storeToken(account, credentials)
      this.#rehashWhenWeak(account, password, credentials.connection)
      return identityOf(account)
    })
  }

  /**
   * The account that a token belongs to.
   * @throws {SealwireError} `login_refused` for a token that is not good or not any more; `account_banned`, `rate_limited`,
   * `busy`; those of the store; `connection_lost` when the signal aborts the wait.
   */
  async resume({ token, arrival, ...origin }: Resumption): Promise<AccountIdentity> {
    const { store, log } = this.#parts
    // Nobody's name is empty: only what the address did counts.
    const keys = throttleKeys('', origin.address)
    const use = { hash: tokenHash(token), idleMsMax: BigInt(this.#options.limits.tokenIdleMsMax) }
    return this.#addresses.run(
      keys.address,
      async () => {
        await this.#throttle.check(keys)
        const account = await store.run('token.use', { ...use, at: this.#now() })
        if (account === undefined) {
          await this.#throttle.countAddress(keys.address, origin.connection)
          log.info('login refused', { account: undefined, ...placeOf(origin) })
          throw new SealwireError('login_refused', 'the token is not good, or not any more')
        }
        arrival?.named(account.key)
        if (account.bannedAt !== undefined) throw banned()
        arrival?.proven()
        return identityOf(account)
      },
      origin,
    )
  }

  /**
   * The account that a link for another device is of; it is used up and the token stored when the promise resolves.
   * @throws {SealwireError} `invitation_invalid`, `invitation_expired`, `account_banned`, `rate_limited`, `busy`; those of the
   * store; `connection_lost` when the signal aborts the wait.
   */
  async useLink({ secret, newToken, arrival, ...origin }: DeviceLinkUse): Promise<AccountIdentity> {
    const { store, log } = this.#parts
    const keys = throttleKeys('', origin.address)
    return this.#addresses.run(
      keys.address,
      async () => {
        await this.#throttle.check(keys)
        const { id, key } = await this.#useLink(
          { hash: invitationHash(secret), token: tokenHash(newToken), at: this.#now() },
          keys,
          origin.connection,
        )
        arrival?.named(key)
        const account = await store.run('account.findById', { id })
        if (account === undefined || account.bannedAt !== undefined) throw banned()
        arrival?.proven()
        log.info('link for another device used', { account: account.name, ...placeOf(origin) })
        return identityOf(account)
      },
      origin,
    )
  }

  async #useLink(use: Input<'device.useLink'>, keys: ThrottleKeys, connection: number | undefined): Promise<Output<'device.useLink'>> {
    try {
      return await this.#parts.store.run('device.useLink', use)
    } catch (reason) {
      if (SealwireError.from(reason).code === 'invitation_invalid') await this.#throttle.countAddress(keys.address, connection)
      throw reason
    }
  }

  /**
   * Sets the password; it is durable when the promise resolves. Ending the other sessions is up to the caller.
   * @throws {SealwireError} `password_invalid`; `login_refused` when `current` is not the password; `rate_limited`, `busy`;
   * those of the store; `connection_lost` when the signal aborts the wait.
   */
  async changePassword(change: PasswordChange): Promise<void> {
    const { id, key, keepToken } = change
    const { store, log } = this.#parts
    const next = parsePassword(change.next, this.#options.limits)
    const current = change.current === undefined ? undefined : possiblePassword(change.current)
    const name = await this.#inTurn(throttleKeys(key, change.address), change, async (keys) => {
      const account = await store.run('account.findById', { id })
      // What is missing is no guess: it costs its owner no delay.
      if (account?.passwordHash !== undefined && current === undefined) throw loginRefused()
      if (account?.passwordHash !== undefined) await this.#prove(async () => account, current ?? '', keys, change)
      const passwordHash = await this.#hasher.hash(next, change)
      // Somebody else who knows the password may have set another one meanwhile, and ended this session.
      if (change.signal?.aborted) throw new SealwireError('connection_lost', 'the session ended before the password was set')
      if (!(await store.run('account.setPassword', { id, passwordHash, keepToken }))) throw loginRefused()
      return account?.name
    })
    log.info('password changed', { account: name, ...placeOf(change) })
  }

  /** Resolves when no hash is being replaced any more. Wants the logins to have ended. */
  async close(): Promise<void> {
    while (this.#rehashes.size > 0) await Promise.all(this.#rehashes)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #now(): bigint {
    return BigInt(this.#parts.clock.now())
  }

  /** In the store before the hash can be replaced by a stronger one: a token belongs to a login with the password in force. */
  async #storeToken({ id, passwordHash }: Account, credentials: Credentials): Promise<void> {
    const { newToken } = credentials
    if (newToken === undefined) return
    const token = { hash: tokenHash(newToken), at: this.#now() }
    if (!(await this.#parts.store.run('token.create', { ...token, accountId: id, passwordHash }))) throw loginRefused()
  }

  /** Runs `action` when the account and the address have their turn: always in this order, so that no two wait for each other. */
  #inTurn<T>(keys: ThrottleKeys, origin: Origin, action: (keys: ThrottleKeys) => Promise<T>): Promise<T> {
    return this.#pairs.run(keys.pair, () => this.#addresses.run(keys.address, () => action(keys), origin), origin)
  }

  /** The account found, if the password is its own. */
  async #prove(find: () => Promise<Account | undefined>, password: string, keys: ThrottleKeys, origin: Origin): Promise<Account> {
    const [hasFailed, account] = await Promise.all([this.#throttle.check(keys), find()])
    const isRight = await this.#hasher.verify(password, account?.passwordHash, { signal: origin.signal })
    if (account === undefined || !isRight) {
      await this.#throttle.countFailure(keys, origin.connection)
      // Not the name as it was typed: people type passwords there.
      this.#parts.log.info('login refused', { account: account?.name, ...placeOf(origin) })
      throw loginRefused()
    }
    await this.#throttle.forgive(keys.pair, hasFailed, origin.connection)
    return account
  }

  /** Its owner does not wait for it; when it fails, the next login tries again. */
  #rehashWhenWeak({ id, passwordHash: from }: Account, password: string, connection: number | undefined): void {
    if (from === undefined || !this.#hasher.needsRehash(from)) return
    const { store, log } = this.#parts
    const rehash = this.#hasher
      .hash(password)
      .then((to) => store.run('account.rehash', { id, from, to }))
      .then(
        () => log.debug('password rehashed', { connection, id }),
        (reason: unknown) => log.debug('password not rehashed', { connection, id, why: SealwireError.from(reason).code }),
      )
      .finally(() => this.#rehashes.delete(rehash))
    this.#rehashes.add(rehash)
  }
}

/** For the log. */
function placeOf({ connection, address }: Origin) {
  return { connection, address }
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

/** What a session needs to know of its account. */
export function identityOf({ id, name, key, visibility }: Account): AccountIdentity {
  return { id, name, key, visibility }
}

function loginRefused(): SealwireError {
  return new SealwireError('login_refused', 'wrong name or password')
}

function banned(): SealwireError {
  return new SealwireError('account_banned', 'the account is banned on this server')
}

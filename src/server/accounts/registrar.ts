// Who may have an account. What costs much comes after what may refuse: the mode, the name, the invitation, the taken name,
// and only then a hash.

import { type Clock, parseName, parsePassword, throttleKeys } from '../../domain/index.ts'
import { invitationHash } from '../../pki/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Account, Enrolment, InvitationUse, Store } from '../../store/index.ts'
import type { Registration } from './credentials.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { tokenHash } from './session-token.ts'
import type { Lanes } from '../turns.ts'

/** `open`: anybody; `invite`: with an invitation; `closed`: nobody. */
export type RegistrationMode = 'open' | 'invite' | 'closed'

/** How accounts behave. */
export interface AccountsOptions {
  readonly registration: RegistrationMode
  readonly limits: Limits
}

/** What a registrar works with. */
export interface RegistrarParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly hasher: PasswordHasher
  /** The lines in which addresses wait. */
  readonly addresses: Lanes
}

export class Registrar {
  readonly #options: AccountsOptions
  readonly #parts: RegistrarParts

  constructor(options: AccountsOptions, parts: RegistrarParts) {
    this.#options = options
    this.#parts = parts
  }

  /** As `Accounts.register`. */
  async register(registration: Registration): Promise<Account> {
    const { limits } = this.#options
    this.#requireOpen(registration)
    const name = parseName(registration.name, limits)
    const password = registration.password === undefined ? undefined : parsePassword(registration.password, limits)
    registration.arrival?.named(name.key)
    const { address } = throttleKeys(name.key, registration.address)
    const { store, hasher, addresses } = this.#parts
    const create = async (): Promise<Account> => {
      const [createdAt, enrolment] = [this.#now(), this.#enrolment(registration)]
      // The store decides in the end (and compares skeletons too); asking first saves a hash.
      await this.#requireGood(enrolment.invitation)
      if ((await store.run('account.find', { key: name.key })) !== undefined) throw new SealwireError('name_taken', 'the name is taken')
      const passwordHash = password === undefined ? undefined : await hasher.hash(password, registration)
      return store.run('account.create', { ...name, passwordHash, createdAt, ...enrolment })
    }
    return addresses.run(address, create, registration)
  }

  #now(): bigint {
    return BigInt(this.#parts.clock.now())
  }

  #requireOpen({ invitation }: Registration): void {
    const mode = this.#options.registration
    if (mode === 'open' || (mode === 'invite' && invitation !== undefined)) return
    const from = mode === 'invite' ? 'from who was invited only' : 'from nobody'
    throw new SealwireError('registration_closed', `this server takes registrations ${from}`)
  }

  #enrolment({ invitation, newToken }: Registration): Enrolment {
    const at = this.#now()
    return {
      invitation: invitation && { hash: invitationHash(invitation), at },
      token: newToken && { hash: tokenHash(newToken), at },
    }
  }

  async #requireGood(invitation: InvitationUse | undefined): Promise<void> {
    if (invitation === undefined) return
    const state = await this.#parts.store.run('invitation.check', invitation)
    if (state === 'unknown') throw new SealwireError('invitation_invalid', 'this server knows no such invitation')
    if (state === 'used') throw new SealwireError('invitation_used', 'the invitation has been used')
    if (state === 'expired') throw new SealwireError('invitation_expired', 'the invitation has expired')
  }
}

// From the name that somebody typed to the number of an account. Numbers and names never change, so that what was found once
// needs no second look; whether an account may do something is decided elsewhere.

import { SealwireError } from '../../protocol/index.ts'
import type { Store } from '../../store/index.ts'
import type { Accounts } from '../accounts.ts'
import { Recent } from '../../domain/recent.ts'

/** What names work with. */
export interface NamesParts {
  readonly accounts: Pick<Accounts, 'keyOf'>
  readonly store: Pick<Store, 'run'>
  readonly peersRememberedMax: number
}

export class Names {
  readonly #parts: NamesParts
  readonly #known: Recent<string, bigint>

  constructor(parts: NamesParts) {
    this.#parts = parts
    this.#known = new Recent(parts.peersRememberedMax)
  }

  /**
   * The account of another name than the own; at once where it is known.
   * @throws {SealwireError} `is_self`, `not_found`, `name_invalid`; those of the store.
   */
  idOf(me: { readonly id: bigint }, name: string): bigint | Promise<bigint> {
    const id = this.#known.find(name)
    return id === undefined ? this.#find(me, name) : other(me, id)
  }

  async #find(me: { readonly id: bigint }, name: string): Promise<bigint> {
    const account = await this.#parts.store.run('account.find', { key: this.#parts.accounts.keyOf(name) })
    if (account === undefined) throw new SealwireError('not_found', 'there is no account of that name')
    this.#known.add(name, account.id)
    return other(me, account.id)
  }
}

function other(me: { readonly id: bigint }, id: bigint): bigint {
  if (id === me.id) throw new SealwireError('is_self', 'that is your own name')
  return id
}

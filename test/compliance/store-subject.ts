// What the suites of the stores share.

import { createHash } from 'node:crypto'
import type { Limits } from '../../src/protocol/index.ts'
import type { Account, Input, NewAccount, OperationName, Output } from '../../src/store/index.ts'

/** A store under test. The synchronous one is given promises, so that one suite fits both. */
export interface StoreSubject {
  run<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>>
  /** Closes the store and opens it again on what it has left. */
  reopen(): Promise<void>
  close(): Promise<void>
}

/** Declares a test that gets an empty store. */
export type WithStore = (title: string, body: (store: StoreSubject) => Promise<void>, overrides?: Partial<Limits>) => void

/** An account whose every name is `name` but where `other` says otherwise. */
export function newAccount(name: string, other: Partial<NewAccount> = {}): NewAccount {
  return { name, key: name, skeleton: `~${name}`, passwordHash: '$argon2id$x', createdAt: 1n, ...other }
}

/** Makes an account of each name. */
export function people(store: StoreSubject, ...names: readonly string[]): Promise<readonly Account[]> {
  return Promise.all(names.map((name) => store.run('account.create', newAccount(name))))
}

/** The number of an account, whatever is missing. */
export function idOf(account: Account | undefined): bigint {
  return account?.id ?? -1n
}

/** What a store is given instead of a secret. */
export function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}

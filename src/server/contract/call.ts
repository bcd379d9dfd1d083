// What a handler of the contract is given. Whether there is an account follows from the method's row: a handler of a method
// that may be called before login has none to name.

import type { Method, methods, Params, Result } from '../../protocol/contract/index.ts'
import type { Posted } from '../../store/index.ts'
import type { AccountIdentity, Origin } from '../accounts.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../session/dialect.ts'
import type { ContractParticipant } from './participant.ts'

/** The session as the methods that log in use it. */
export interface ContractSession {
  readonly speaker: Speaker
  /** What device.prove has to sign on this connection, until when on the monotonic clock; `undefined` when nothing was asked for. */
  challenge: { readonly nonce: Uint8Array; readonly until: number } | undefined
  /**
   * Proves an account and makes the session one of its sessions; `token` is what it can come back with, if anything.
   * `device`, asked once the proof was good, is the device that it belongs to: such a session has an inbox. Default: none.
   * @throws {SealwireError} what the proof throws; `busy`; `session_ended`.
   */
  logIn(
    token: Uint8Array | undefined,
    prove: (origin: Origin) => Promise<AccountIdentity>,
    device?: () => string | undefined,
  ): Promise<AccountIdentity>
}

/** What every handler is given. */
export interface SessionCall<M extends Method> {
  readonly session: ContractSession
  readonly params: Params<M>
  readonly server: ServerContext
}

/** What a handler of a method that wants a login is given. */
export interface AccountCall<M extends Method> extends SessionCall<M> {
  readonly account: ContractParticipant
}

/** What the handler of a method is given. */
export type Call<M extends Method> = (typeof methods)[M]['when'] extends 'after login' ? AccountCall<M> : SessionCall<M>

/** What a handler answers; without a promise when it can, because then nothing waits. */
export type Answer<M extends Method> = Result<M> | Promise<Result<M>> | InStore<Result<M>>

/** The answer to a request that is all in the store's queue: what is asked for behind it comes behind it whenever it is begun. */
export class InStore<T> {
  readonly posted: Promise<Posted>
  /** What is answered when it is stored. */
  readonly result: (posted: Posted) => T

  constructor(posted: Promise<Posted>, result: (posted: Posted) => T) {
    this.posted = posted
    this.result = result
  }
}

/** Carries out one method. What it throws, or rejects with, is the Fault. */
export type Handler<M extends Method> = (call: Call<M>) => Answer<M>

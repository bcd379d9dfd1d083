// What a handler of the contract is given. Whether there is an account follows from the method's row: a handler of a method
// that may be called before login has none to name.

import type { Method, methods, Params, Result } from '../../protocol/contract/index.ts'
import type { AccountIdentity, Origin } from '../accounts.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from '../dialect.ts'
import type { ContractParticipant } from './participant.ts'

/** The session as the methods that log in use it. */
export interface ContractSession {
  readonly speaker: Speaker
  /**
   * Proves an account and makes the session one of its sessions; `token` is what it can come back with, if anything.
   * @throws {SealwireError} what the proof throws; `busy`; `session_ended`.
   */
  logIn(token: Uint8Array | undefined, prove: (origin: Origin) => Promise<AccountIdentity>): Promise<AccountIdentity>
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
export type Answer<M extends Method> = Result<M> | Promise<Result<M>>

/** Carries out one method. What it throws, or rejects with, is the Fault. */
export type Handler<M extends Method> = (call: Call<M>) => Answer<M>

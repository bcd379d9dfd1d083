// How a session becomes one of an account, whatever the dialect and whatever the proof.

import { type Code, SealwireError } from '../../protocol/index.ts'
import type { SecretHash } from '../../store/index.ts'
import type { AccountIdentity, Origin } from '../accounts.ts'
import type { ServerContext } from '../context.ts'
import type { Speaker } from './dialect.ts'
import type { Standing } from '../people/presence.ts'

/** What a dialect brings: the proof, and how the session enters once it was good. */
export interface Login {
  readonly prove: (origin: Origin) => Promise<AccountIdentity>
  /** Of the token that it is proved with, or that it is given. Default: none. */
  readonly tokenHash?: SecretHash | undefined
  /** Makes the session a participant. @throws {SealwireError} `busy`. */
  readonly enter: (account: AccountIdentity, standing: Standing) => void
}

/** Returns the account. @throws {SealwireError} what the proof throws; `session_ended` when the sessions of the account were ended meanwhile. */
export async function logIn(speaker: Speaker, server: ServerContext, { prove, tokenHash, enter }: Login): Promise<AccountIdentity> {
  const arrival = server.presence.arrive(tokenHash)
  speaker.loginArrived()
  try {
    const account = await prove({ address: speaker.address, connection: speaker.id, signal: speaker.signal, arrival })
    const standing = await server.people.standingOf(account)
    if (arrival.ended !== undefined) throw arrival.ended
    if (speaker.signal.aborted) throw new SealwireError('connection_lost', 'the peer hung up while it logged in')
    enter(account, standing)
    speaker.authenticated()
    server.counts.logins++
    server.log.info('logged in', { connection: speaker.id, account: account.name })
    return account
  } catch (reason) {
    const { code, fatal } = SealwireError.from(reason)
    if (isOurs(code)) server.log.warning('login failed', { connection: speaker.id, code })
    if (!fatal) speaker.loginRefused()
    throw reason
  } finally {
    arrival.over()
  }
}

/** The store could not do it: no fault of the client's, and something for the operator to look at. */
export function isOurs(code: Code): boolean {
  return code === 'storage_full' || code === 'unavailable' || code === 'unknown_outcome'
}

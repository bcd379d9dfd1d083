// What peers say of themselves, and what they want of the accounts.

import type { SecretHash } from '../../store/index.ts'
import type { Arrival } from '../session/arrival.ts'

/** Where somebody who says something of themselves says it from. */
export interface Origin {
  /** The peer's IP address. */
  readonly address: string
  /** The number of the connection, for the log. Default: it is not told. */
  readonly connection?: number | undefined
  /** Aborted when the peer hangs up: its place in the queues becomes free. */
  readonly signal?: AbortSignal | undefined
  /** Told how far a login has come. */
  readonly arrival?: Arrival | undefined
}

/** What a peer says of itself. */
export interface Credentials extends Origin {
  readonly name: string
  readonly password: string
  /** A token made for this login, to be good from now on. */
  readonly newToken?: Uint8Array | undefined
}

/** Who wants an account. Without a password only a token proves it. */
export interface Registration extends Omit<Credentials, 'password'> {
  readonly password?: string | undefined
  readonly invitation?: Uint8Array | undefined
}

/** A token of an earlier login. */
export interface Resumption extends Origin {
  readonly token: Uint8Array
}

/** The secret of a link for another device. */
export interface DeviceLinkUse extends Origin {
  readonly secret: Uint8Array
  /** A token made for this login, to be good from now on. */
  readonly newToken: Uint8Array
}

/** Another password for an account. */
export interface PasswordChange extends Origin {
  readonly id: bigint
  readonly key: string
  /** Asked for when the account has a password. */
  readonly current?: string | undefined
  readonly next: string
  /** Every other token is worth nothing afterwards. */
  readonly keepToken: SecretHash | undefined
}

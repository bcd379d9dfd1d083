// `connect` for programs on Node and Bun. What it needs of them is loaded when it is called, so that whoever imports `sealwire`
// for its errors and limits alone loads neither TLS nor a database.

import type { CallOptions } from './calls.ts'
import type { DirectOptions } from './direct/direct.ts'
import type { Sealwire } from './sealwire.ts'

/** How `connect` connects. */
export interface ConnectOptions extends CallOptions {
  /** The name to join with, when the home has not joined yet. */
  readonly name?: string
  /** A password for the account that is made when joining. Default: none; the home is then the only way into the account. */
  readonly password?: string
  /** The home folder. Default: the variable SEALWIRE_HOME, else `~/.sealwire`, as the command line. */
  readonly home?: string
  /** Resolve before there is a connection, so that a program without network can send into its outbox. Default: false. */
  readonly offline?: boolean
  /**
   * Lets contacts connect to this device, and connects to theirs: what is said goes over the link as well, sooner. It shows them
   * addresses of this machine, and that somebody is here. Default: false.
   */
  readonly direct?: boolean | DirectOptions
  /** Told what could not be noted in the home, or not be renewed; the next connection tries again. Default: nobody is. */
  readonly warn?: (what: string, reason: unknown) => void
}

/**
 * Connects to a server and stays connected: as a new account with an invite link, `sealwire://…` or `sealed://…`, and from then on,
 * with the same call, as that account; or as somebody who has joined from the home folder at this path. Without a first
 * argument, from the default home. Resolves with the first connection, for which it waits as long as the signal lets it.
 * @throws {SealwireError} `link_invalid`, `invitation_used` and whatever else joining is refused with; `unreachable` when the server of
 * a link is not there, or the signal aborts; `untrusted`, `login_refused`, `account_banned`; `config_invalid` when nobody has joined
 * from this home, or somebody else; `key_unsafe`, `data_unusable`.
 * @throws {TypeError} for a link without a name to join with.
 */
export async function connect(linkOrHome?: string, options: ConnectOptions = {}): Promise<Sealwire> {
  const { openSealwire } = await import('./home/open-sealwire.ts')
  return openSealwire(linkOrHome, options)
}

// What every session of a server shares.

import type { Clock } from '../domain/index.ts'
import type { Checksum, Limits, SealwireError } from '../protocol/index.ts'
import type { Accounts } from './accounts.ts'
import type { Chats, Participant } from './chats.ts'
import type { Devices } from './devices.ts'
import type { Speaker } from './dialect.ts'
import type { Log } from './log.ts'
import type { MutualTls } from './mutual-tls.ts'
import type { People } from './people.ts'
import type { Presence } from './presence.ts'
import type { Session } from './session.ts'

export interface ServerContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly checksum: Checksum
  readonly accounts: Accounts
  readonly presence: Presence
  readonly people: People
  readonly chats: Chats
  readonly devices: Devices
  /** Whether device certificates are asked for. */
  readonly mutualTls: MutualTls
  /** Of the first listener that is for everybody; `undefined` before it listens. */
  readonly port: number | undefined
  /** Whether the classic dialect is answered. */
  readonly classic: boolean
  /**
   * Ends the sessions of an account, those about to begin too, and returns how many had begun. The peers hear `error`, and
   * whoever talked with them that they left.
   */
  endSessions(key: string, error: SealwireError, except?: Participant): number
  /** Ends the connections of the device whose key has this hash; the peers hear `error`. */
  endDevice(spkiHash: Uint8Array, error: SealwireError, except?: Speaker): void
  /** The session's link is over. */
  forget(session: Session): void
}

// What every session of a server shares.

import type { Clock } from '../domain/index.ts'
import type { Checksum, Limits, SealwireError } from '../protocol/index.ts'
import type { RevokedDevice, Store } from '../store/index.ts'
import type { Accounts } from './accounts.ts'
import type { Audience } from './messages/audience.ts'
import type { Bridge } from './classic/bridge.ts'
import type { Chats, Participant } from './classic/chats.ts'
import type { Contacts } from './people/contacts.ts'
import type { Conversations } from './messages/conversations.ts'
import type { Devices } from './devices.ts'
import type { Speaker } from './session/dialect.ts'
import type { Direct } from './direct.ts'
import type { Files } from './files.ts'
import type { Inboxes } from './messages/inboxes.ts'
import type { Log } from './log.ts'
import type { Marks } from './messages/marks.ts'
import type { Messages } from './messages.ts'
import type { Counts } from './metrics/counts.ts'
import type { Money } from './money.ts'
import type { MutualTls } from './devices/mutual-tls.ts'
import type { Names } from './accounts/names.ts'
import type { People } from './people.ts'
import type { Presence } from './people/presence.ts'
import type { Rooms } from './rooms.ts'
import type { Session } from './session.ts'

/** Whose session is not ended, because it is to be answered first. */
export interface Spared {
  readonly speaker: Speaker
  readonly participant: Participant
}

export interface ServerContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly counts: Counts
  readonly checksum: Checksum
  readonly store: Pick<Store, 'run'>
  readonly accounts: Accounts
  readonly names: Names
  readonly presence: Presence
  readonly people: People
  readonly chats: Chats
  readonly bridge: Bridge
  readonly audience: Audience
  readonly contacts: Contacts
  readonly conversations: Conversations
  readonly messages: Messages
  readonly inboxes: Inboxes
  readonly marks: Marks
  readonly devices: Devices
  readonly files: Files
  readonly rooms: Rooms
  readonly direct: Direct
  /** `undefined` where the server keeps no ledger. */
  readonly money: Money | undefined
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
  /** Ends the connections of a device that was revoked, and those of its token; the peers hear `error`. */
  endDevice(revoked: RevokedDevice, error: SealwireError, except?: Spared): void
  /** The session's link is over. */
  forget(session: Session): void
}

// What every session of a server shares.

import type { Clock } from '../domain/index.ts'
import type { Link } from '../link/index.ts'
import type { Checksum, Limits, SealwireError } from '../protocol/index.ts'
import type { Accounts } from './accounts.ts'
import type { Chats } from './chats.ts'
import type { Dialect, Speaker } from './dialect.ts'
import type { Log } from './log.ts'
import type { Presence } from './presence.ts'
import type { Session } from './session.ts'

export interface ServerContext {
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly checksum: Checksum
  readonly accounts: Accounts
  readonly presence: Presence
  readonly chats: Chats
  /** Makes the classic dialect of a session; `undefined` when the operator has not asked for it. */
  readonly classic: ((speaker: Speaker) => Dialect) | undefined
  /** Tells a peer why its connection ends. */
  lastWord(link: Link, error: SealwireError): void
  /** The session's link is over. */
  forget(session: Session): void
}

// A dialect turns packets into calls of the services and what happens there into packets. A session has one, chosen by
// its first frame.

import type { Link } from '../link/index.ts'
import type { Packet } from '../protocol/index.ts'

/** What a dialect may ask of its session. */
export interface Speaker {
  /** Number of the connection in the log. */
  readonly id: number
  readonly link: Link
  readonly address: string
  /** Aborted when the session is over. */
  readonly signal: AbortSignal
  /** Resolves when the peer takes its output again. */
  caughtUp(): Promise<void>
  loginArrived(): void
  loginRefused(): void
  authenticated(): void
}

export interface Dialect {
  /**
   * Answers one packet. A promise means that the answer has to wait; nothing else of the session is dispatched before it
   * settles, and `packet.body` stays valid until then. Throws, or rejects, only what ends the session.
   */
  dispatch(packet: Packet): Promise<void> | undefined
  /** The session is over. */
  closed(): void
}

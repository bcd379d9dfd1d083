// A dialect turns packets into calls of the services and what happens there into packets. A session has one, chosen by
// its first frame.

import type { Link } from '../../link/index.ts'
import type { Method } from '../../protocol/contract/index.ts'
import type { Packet, SealwireError } from '../../protocol/index.ts'
import type { ConnectedDevice } from '../devices.ts'

/** What a dialect may ask of its session. */
export interface Speaker {
  /** Number of the connection in the log. */
  readonly id: number
  readonly link: Link
  readonly address: string
  /** On the monotonic clock: the same for everything that is dispatched in one go. */
  readonly now: number
  /** The device at the other end: by its certificate, or enrolled on this connection. */
  device: ConnectedDevice | undefined
  /** Whether this connection is for joining, and for nothing else. */
  joinOnly: boolean
  /** Whether device.prove makes a connection for joining one for everything. */
  readonly mayProve: boolean
  /** Aborted when the session is over. */
  readonly signal: AbortSignal
  /** Resolves when the peer takes its output again. */
  caughtUp(): Promise<void>
  loginArrived(): void
  loginRefused(): void
  authenticated(): void
  /** The peer gives signs of life: from now on its silence says that it is gone. */
  pinged(): void
  /** Everything is said: what is written goes out, and the connection ends. */
  finish(): void
  /** Ends the session at once, with a last word in the dialect. */
  fail(error: SealwireError): void
}

export interface Dialect {
  readonly name: 'contract' | 'classic' | 'none'
  /** The request that ended the session, if one did: its method. */
  readonly fatalMethod?: Method | undefined
  /**
   * Answers one packet. A promise means that the answer has to wait; nothing else of the session is dispatched before it
   * settles, and `packet.body` stays valid until then. Throws, or rejects, only what ends the session.
   */
  dispatch(packet: Packet): Promise<void> | undefined
  /** Resolves when everything that was dispatched is answered; `undefined` when it is, and where nothing is dispatched before that. */
  idle?(): Promise<void> | undefined
  /** One frame that tells the peer why its connection ends. */
  lastWord(error: SealwireError): Uint8Array
  /** The session is over. */
  closed(): void
}

// What a Sealwire and the part of it that makes direct links have to do with each other. The part is made by whoever knows the
// runtime: there are sockets in it, which browsers do not have.

import type { Clock } from '../../domain/clock.ts'
import type { ParsedEvent } from '../../protocol/contract/index.ts'
import type { Limits, SealwireError } from '../../protocol/index.ts'
import type { Calls } from '../calls.ts'
import type { FilesDirect } from '../files.ts'
import type { Inbox, InboxTap } from '../inbox.ts'
import type { DirectOrders } from '../payments/live.ts'
import type { Randomness } from '../outbox/message-id.ts'
import type { OutboxTap } from '../outbox.ts'
import type { LoggedIn } from '../uplink.ts'
import type { Direct, Handed } from './direct.ts'

/** What the part works with. */
export interface DirectCore {
  readonly calls: Calls
  readonly clock: Clock
  readonly limits: Limits
  readonly fill: Randomness
  /** From 0 to 1. */
  readonly random: () => number
  /** The connection to the server that there is now. */
  readonly session: () => LoggedIn | undefined
  /** What the program reads now. */
  readonly inbox: () => Inbox | undefined
}

/** What brings orders works with. */
export interface HandedCore {
  readonly calls: Pick<Calls, 'again'>
  readonly clock: Pick<Clock, 'after'>
  /** The connection to the server that there is now. */
  readonly session: () => object | undefined
}

/** Brings what was handed over to other programs, where there are no direct links. */
export interface HandedPart extends Handed {
  /** There is a connection to the server. */
  online(): void
  close(reason: SealwireError | undefined): void
}

/** Makes direct links, and is told what happens besides. */
export interface DirectPart extends Direct {
  readonly talk: InboxTap & OutboxTap
  readonly files: FilesDirect
  readonly orders: DirectOrders
  /** There is a connection to the server. */
  online(session: LoggedIn): void
  /** It is lost. */
  offline(): void
  event(event: ParsedEvent): void
  /** The network may be back. */
  wake(): void
  /** Ends all links. Resolves when what the program has done with is kept. */
  close(reason: SealwireError | undefined): Promise<void>
}

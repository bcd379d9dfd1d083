// Direct links, as programs use them. They are made by meetings.ts; what is said over them by talk.ts, money by direct-pay.ts.

import type { CallOptions } from '../calls.ts'
import type { Candidate } from './candidates.ts'
import type { Way } from './ways.ts'

/** Where a device lets contacts connect. */
export interface DirectOptions {
  /** An address of this machine. Default: all of them. */
  readonly host?: string
  /** Default: any that is free. */
  readonly port?: number
  /** Where contacts reach this device besides, such as a router that passes a port on. */
  readonly announce?: readonly Candidate[]
}

/** A contact, and how one talks with them now. */
export interface WayTo {
  readonly name: string
  readonly way: Way
}

/** A message of ours that a device of theirs has stored. */
export interface DirectDelivery {
  readonly id: string
  readonly name: string
  readonly device: string
}

/** The place of a message that came directly, now that the server has given it one. */
export interface Placed {
  readonly id: string
  readonly conversation: number
  readonly seq: number
  /** When it was stored, milliseconds since 1970. */
  readonly at: number
}

/** Money that a contact has signed and handed over. It is worth nothing until it is settled. */
export interface HeldOrder {
  readonly from: string
  readonly id: string
  /** Minor units. */
  readonly minor: bigint
  readonly unit: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly state: 'unsettled' | 'settled' | 'refused'
  /** Why it is refused. */
  readonly reason?: string
}

/** Payments that contacts have handed over: `me.handed`. */
export interface Handed {
  /** Money that was handed over and is not settled, and what becomes of it. */
  held(options?: CallOptions): AsyncIterableIterator<HeldOrder>
}

/** Direct links to contacts: `me.direct`. */
export interface Direct extends Handed {
  /** Wishes for a link with a contact, from now on; `send` and `conversation` do so by themselves. */
  reach(name: string): void
  /** Wishes for none any more; one that there is ends. */
  leave(name: string): void
  /** How one talks with somebody now. */
  way(name: string): Way
  /** How one talks with whom, now, and each change that follows. */
  ways(options?: CallOptions): AsyncIterableIterator<WayTo>
  /** What devices of contacts have stored, from now on. */
  deliveries(options?: CallOptions): AsyncIterableIterator<DirectDelivery>
  /** The places of what came directly, from now on. */
  placed(options?: CallOptions): AsyncIterableIterator<Placed>
}

// How money is moved and asked for.

import type { CallOptions } from '../calls.ts'
import type { OrderId } from './orders.ts'
import type { Amount } from './units.ts'

/** What every order may have. */
export interface OrderOptions extends CallOptions {
  /** The same again is the same order; it is good for a day after the id was made. Default: a fresh one. */
  readonly id?: OrderId | undefined
}

/** What a payment may have beside whom and how much. */
export interface PayOptions extends OrderOptions {
  /** Default: the standard unit of the server; of a capture and a refund, the unit of what they are about, and another is refused. */
  readonly unit?: string | undefined
  /** At most 200 characters. */
  readonly memo?: string | undefined
  /** Of the payment request that it pays; see `payRequest`. */
  readonly request?: OrderId | undefined
}

/** One of the payees of a split. */
export interface SplitShare {
  readonly name: string
  readonly amount: Amount
  readonly memo?: string | undefined
}

/** What is put aside for how long. */
export interface HoldOptions extends Omit<PayOptions, 'request'> {
  /** At most 30 days. Default: 7. */
  readonly livesMs?: number
}

/** How somebody is asked to pay. */
export interface RequestOptions extends Omit<PayOptions, 'request'> {
  /** Default: 30 days. */
  readonly livesMs?: number
}

/** How much of a request is paid. */
export interface PayRequestOptions extends Omit<PayOptions, 'request' | 'unit'> {
  /** Default: all of what is still asked for. */
  readonly amount?: Amount
}

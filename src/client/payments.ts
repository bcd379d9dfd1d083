// Paying and being paid. Orders are made and signed in payments/orders.ts, what there is to see is in payments/views.ts. Whatever
// moves money has an id, and the same again under the same id moves nothing twice.

import { SealwireError } from '../protocol/index.ts'
import type { CallOptions } from './calls.ts'
import type { HoldOptions, OrderOptions, PayOptions, PayRequestOptions, RequestOptions, SplitShare } from './payments/options.ts'
import { givenIdBytes, idBytes, type Made, momentAfter, type OrderId, Orders, type OrdersParts } from './payments/orders.ts'
import { type PaymentRequest, readRequest, type Transfer } from './payments/results.ts'
import { signed, type SigningParts } from './payments/signed.ts'
import { type Amount, textOf } from './payments/units.ts'
import { type PaymentsCall, PaymentViews, type ViewsParts } from './payments/views.ts'

export type { OrderOptions, PayOptions, SplitShare } from './payments/options.ts'
export type { OrderId } from './payments/orders.ts'
export type { PaymentChange, PaymentRequest, Transfer } from './payments/results.ts'
export type { OrderSigner } from './payments/signed.ts'
export type { Amount } from './payments/units.ts'

/** What payments work with. */
export interface PaymentsParts extends ViewsParts, Pick<OrdersParts, 'server' | 'hash'> {
  readonly sign: SigningParts['sign']
  /** Sends an order, again and again until it is known what became of it. Default: `call`. */
  readonly order?: SigningParts['order']
  /** A fresh id. */
  readonly newId: () => OrderId
}

/** Money of the own account. Orders are signed by a device: where there is none they reject with `device_required`. */
export class Payments extends PaymentViews {
  readonly #call: PaymentsCall
  readonly #newId: () => OrderId
  readonly #orders: Orders
  readonly #signing: SigningParts

  /** @internal */
  constructor({ order, server, sign, hash, newId, ...parts }: PaymentsParts) {
    super(parts)
    const { call, ask = call } = parts
    this.#call = call
    this.#newId = newId
    this.#orders = new Orders({
      ...{ units: this.known, server, hash },
      find: (name, options) => ask('payment.find', { name }, options),
      transfer: (payer, id, options) => call('payment.transfer', { id, payer }, options),
    })
    this.#signing = { sign, order: order ?? ((params, options) => call('payment.order', params, options)) }
  }

  /**
   * Pays somebody. Resolves once it is posted, on the disk of the server. Without an answer the same order is sent again until there
   * is one: nothing is paid twice.
   * @throws {SealwireError} when nothing was paid: `insufficient_funds`, `limit_exceeded`, `frozen`, `not_found`, `amount_invalid`, `is_self`,
   * `expired`, `gone`, `ledger_broken`; `conflict` when the id stands for something else; `device_required`; `unreachable`. And
   * `unknown_outcome` when it may have been paid: the signal aborted, or this was closed, before the answer came.
   * @throws {TypeError} for an amount that is a number, and an id that is none.
   */
  async pay(name: string, amount: Amount, options: PayOptions = {}): Promise<Transfer> {
    const { unit, request, ...asked } = options
    const to = { name, amount, unit, livesMs: day, request: request === undefined ? undefined : givenIdBytes(request) }
    return this.#order(asked, (all) => this.#orders.pay('pay', to, all))
  }

  /** Puts money aside for somebody, who takes it with `capture`; when its time is over it comes back by itself. @throws as {@link pay}. */
  async hold(name: string, amount: Amount, options: HoldOptions = {}): Promise<Transfer> {
    const { unit, livesMs = 7 * day, ...asked } = options
    return this.#order(asked, (all) => this.#orders.pay('hold', { name, amount, unit, livesMs }, all))
  }

  /** Pays several, 2 to 50, all or nobody. @throws as {@link pay}; `malformed` for another number of payees, or the same one twice. */
  async split(shares: readonly SplitShare[], options: Omit<PayOptions, 'memo' | 'request'> = {}): Promise<Transfer> {
    const { unit, ...asked } = options
    return this.#order(asked, (all) => this.#orders.split({ parts: shares, unit, livesMs: day }, all))
  }

  /** Takes some or all of what `payer` has put aside; the rest goes back. @throws as {@link pay}; `gone` when it is over. */
  async capture(payer: string, hold: OrderId, amount: Amount, options: OrderOptions & Pick<PayOptions, 'unit'> = {}): Promise<Transfer> {
    const { unit, ...asked } = options
    return this.#order(asked, (all) => this.#orders.capture({ payer, id: givenIdBytes(hold), unit }, amount, all))
  }

  /** Lets what `payer` has put aside go back. @throws as {@link capture}. */
  async void(payer: string, hold: OrderId, options: OrderOptions = {}): Promise<Transfer> {
    return this.#order(options, (all) => this.#orders.void({ payer, id: givenIdBytes(hold) }, all))
  }

  /** Pays some or all of a payment back to `payer`, never more than it was. @throws as {@link pay}. */
  async refund(payer: string, original: OrderId, amount: Amount, options: Omit<PayOptions, 'request'> = {}): Promise<Transfer> {
    const { unit, ...asked } = options
    return this.#order(asked, (all) => this.#orders.refund({ payer, id: givenIdBytes(original), unit }, amount, all))
  }

  /**
   * Asks somebody to pay. It moves nothing.
   * @throws {SealwireError} `not_found`, `is_self`, `amount_invalid`, `busy` when too many are open, `conflict` when the id stands for
   * something else.
   * @throws {TypeError} as {@link pay}.
   */
  async request(name: string, amount: Amount, options: RequestOptions = {}): Promise<PaymentRequest> {
    const { memo, livesMs, unit: code, ...asked } = options
    const { id, signal } = this.#asked(asked)
    const unit = await this.unit(code, { signal })
    const params = { id, name, unit: unit.unit, amount: textOf(amount, unit), ...(memo === undefined ? {} : { memo }) }
    // Counted from the id: said again, it is the same request.
    const ends = livesMs === undefined ? {} : { expiresAt: momentAfter(id, livesMs) }
    return readRequest(await this.#call('payment.request', { ...params, ...ends }, { signal }))
  }

  /** Pays all that a request still asks for, or a part; never more. @throws as {@link pay}; `gone` when it is over. */
  async payRequest(request: PaymentRequest, options: PayRequestOptions = {}): Promise<Transfer> {
    const { amount = request.minor - request.paidMinor, ...others } = options
    if (amount === 0n) throw new SealwireError('gone', 'the request is paid')
    return this.pay(request.from, amount, { ...others, unit: request.unit, request: request.id })
  }

  /** Takes back a request of one's own. @throws {SealwireError} `not_found`, `gone`. */
  async cancel(request: OrderId, options: CallOptions = {}): Promise<PaymentRequest> {
    return this.#settle(request, options)
  }

  /** Turns down what somebody asks for. @throws as {@link cancel}. */
  async decline(request: OrderId, options: CallOptions = {}): Promise<PaymentRequest> {
    return this.#settle(request, options)
  }

  async #settle(request: OrderId, options: CallOptions): Promise<PaymentRequest> {
    return readRequest(await this.#call('payment.settle', { id: givenIdBytes(request) }, options))
  }

  async #order<O extends OrderOptions>(options: O, make: (asked: Asked<O>) => Promise<Made>): Promise<Transfer> {
    const asked = this.#asked(options)
    return signed(make(asked), this.#signing, { signal: asked.signal })
  }

  #asked<O extends OrderOptions>({ id = this.#newId(), ...options }: O): Asked<O> {
    return { ...options, id: idBytes(id) }
  }
}

/** The same with the id that was given, or a fresh one. */
type Asked<O extends OrderOptions> = Omit<O, 'id'> & { readonly id: Uint8Array }

const day = 24 * 60 * 60 * 1000

// What is to be seen of money: nothing here moves or signs anything.

import { SealwireError } from '../../protocol/index.ts'
import type { Method, Params, Result } from '../../protocol/contract/index.ts'
import type { CallOptions } from '../calls.ts'
import { Broadcast } from '../feed.ts'
import { givenIdBytes, type OrderId } from './orders.ts'
import { holdPages, requestPages, type RequestsOptions, statementPages, type StatementOptions } from './pages.ts'
import {
  type Balance,
  type PaymentChange,
  type PaymentRequest,
  type PaymentUnit,
  readBalance,
  readTransfer,
  type StatementLine,
  type Transfer,
} from './results.ts'
import { type Amount, PaymentUnits, textOf } from './units.ts'

/** Calls a method of which doing it twice is the same as doing it once; retries are its business. */
export type PaymentsCall = <M extends Extract<Method, `payment.${string}`>>(
  method: M,
  params: Params<M>,
  options: CallOptions,
) => Promise<Result<M>>

/** What is needed to look. */
export interface ViewsParts {
  readonly call: PaymentsCall
  /** Calls what is asked before an order is made, also which units there are. Default: `call`. */
  readonly ask?: PaymentsCall
  /** Default: nothing is told. */
  readonly changes?: Broadcast<PaymentChange>
}

/** Whose order it was. */
export interface SignerOptions extends CallOptions {
  /** Default: the own account. */
  readonly signer?: string | undefined
}

export class PaymentViews {
  readonly #call: PaymentsCall
  readonly #changes: Broadcast<PaymentChange>
  /** @internal */
  protected readonly known: PaymentUnits

  /** @internal */
  constructor({ call, ask = call, changes = new Broadcast(0) }: ViewsParts) {
    this.#call = call
    this.#changes = changes
    this.known = new PaymentUnits((options) => ask('payment.units', {}, options))
  }

  /** The unit of this code, or the standard one. @throws {SealwireError} `not_found`. */
  unit(code?: string, options: CallOptions = {}): Promise<PaymentUnit> {
    return this.known.unit(code, options)
  }

  /** The units of this server, the standard one first. */
  async units(options: CallOptions = {}): Promise<readonly PaymentUnit[]> {
    return (await this.#call('payment.units', {}, options)).units
  }

  /** An amount as decimal text with all its places. @throws {SealwireError} `amount_invalid`, `not_found`. */
  async amountText(amount: Amount, code?: string, options: CallOptions = {}): Promise<string> {
    return textOf(amount, await this.unit(code, options))
  }

  /** What there is in one unit. Default: the standard one. @throws {SealwireError} `not_found`. */
  async balance(code?: string, options: CallOptions = {}): Promise<Balance> {
    const { unit } = await this.unit(code, options)
    const { balances } = await this.#call('payment.balance', { unit }, options)
    const [found] = balances
    if (found === undefined) throw new SealwireError('not_found', `this server has no unit ${unit}`)
    return readBalance(found)
  }

  /** What there is in each unit, the standard one first. */
  async balances(options: CallOptions = {}): Promise<readonly Balance[]> {
    return (await this.#call('payment.balance', {}, options)).balances.map(readBalance)
  }

  /** What moved, newest first; pages are asked for as they are needed. */
  statement(options: StatementOptions = {}): AsyncGenerator<StatementLine, void, undefined> {
    return statementPages((params) => this.#call('payment.statement', params, { signal: options.signal }), options)
  }

  /** What is on hold, put aside by the own account or for it, newest first; pages are asked for as they are needed. */
  holds(options: CallOptions = {}): AsyncGenerator<Transfer, void, undefined> {
    return holdPages((params) => this.#call('payment.holds', params, options))
  }

  /** Requests of and to the own account, newest first; pages are asked for as they are needed. */
  requests(options: RequestsOptions = {}): AsyncGenerator<PaymentRequest, void, undefined> {
    return requestPages((params) => this.#call('payment.requests', params, { signal: options.signal }), options)
  }

  /** What became of an order of one's own, or of `signer`. @throws {SealwireError} `not_found`: it was not carried out. */
  async transfer(id: OrderId, { signer, signal }: SignerOptions = {}): Promise<Transfer> {
    return readTransfer(await this.#call('payment.transfer', { id: givenIdBytes(id), ...payerOf(signer) }, { signal }))
  }

  /**
   * The receipt of a transfer, by the id of its order, or by the number of its posting: what the server has signed, to be kept, and to
   * be checked by anybody without the server (`sealwire verify`).
   * @throws {SealwireError} `not_found`.
   */
  async receipt(which: OrderId | number, { signer, signal }: SignerOptions = {}): Promise<Uint8Array> {
    const params = typeof which === 'number' ? { posting: which } : { id: givenIdBytes(which), ...payerOf(signer) }
    return (await this.#call('payment.receipt', params, { signal })).receipt
  }

  /** What others and other devices change from now on; live, and lost where nobody listens: `statement` has everything. */
  changes({ signal }: CallOptions = {}): AsyncIterableIterator<PaymentChange> {
    return this.#changes.read(signal)
  }
}

function payerOf(signer: string | undefined): { readonly payer?: string } {
  return signer === undefined ? {} : { payer: signer }
}

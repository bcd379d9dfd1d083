// Paying and being paid. An order is signed here, and what decides what it says is its id and what was asked for alone, so that
// the same call under the same id makes the same bytes: whatever becomes of connections and programs, it is carried out once.

import { formatAmount, parseAmount } from '../domain/money.ts'
import { SealwireError } from '../protocol/index.ts'
import type { Params, Result } from '../protocol/contract/index.ts'
import { encodeOrder, type Order, orderPurposes } from '../protocol/contract/order.ts'

/** Decimal text in a unit, such as `12.50`, or whole minor units. Never a number. */
export type Amount = string | bigint

/** Signs with the Ed25519 key of the device: a COSE_Sign1 of the payload for this purpose. */
export type OrderSigner = (payload: Uint8Array, purpose: string) => Promise<Uint8Array>

/** What became of a transfer. */
export type Transfer = Result<'payment.order'>

type Units = Result<'payment.units'>
type UnitRow = Units['units'][number]

export interface PaymentsParts {
  /** Calls a method; retries are its business. */
  readonly call: <M extends 'payment.units' | 'payment.find' | 'payment.order'>(method: M, params: Params<M>) => Promise<Result<M>>
  /** Number of the server, of its Welcome. */
  readonly server: Uint8Array
  readonly sign: OrderSigner
  /** SHA-256. */
  readonly hash: (bytes: Uint8Array) => Promise<Uint8Array>
}

/** What a payment may have beside whom and how much. */
export interface PayOptions {
  /** 16 bytes, a UUID of version 7: the same again is the same payment. */
  readonly id: Uint8Array
  /** Default: the standard unit of the server. */
  readonly unit?: string | undefined
  readonly memo?: string | undefined
  /** Of the payment request that it pays. */
  readonly request?: Uint8Array | undefined
}

export class Payments {
  readonly #parts: PaymentsParts
  #units: Promise<Units> | undefined

  constructor(parts: PaymentsParts) {
    this.#parts = parts
  }

  /** The unit of this code, or the standard one. @throws {SealwireError} `not_found`. */
  async unit(code?: string): Promise<UnitRow> {
    const { units } = await this.#known()
    const found = units.find(({ unit, standard }) => (code === undefined ? standard : unit === code))
    if (found === undefined) throw new SealwireError('not_found', `this server has no unit ${code ?? 'of its own'}`)
    return found
  }

  /** An amount as decimal text with all its places. @throws {SealwireError} `amount_invalid`. */
  async amountText(amount: Amount, code?: string): Promise<string> {
    const { decimals } = await this.unit(code)
    return formatAmount(minorOf(amount, decimals), BigInt(decimals))
  }

  /** Pays somebody. @throws {SealwireError} `insufficient_funds`, `limit_exceeded`, `frozen`, `amount_invalid`, `conflict`, `expired` … */
  pay(name: string, amount: Amount, options: PayOptions): Promise<Transfer> {
    return this.#payOrHold('pay', name, amount, options, expiryOf(options.id, payLivesMs))
  }

  /** Puts money aside for somebody, who takes it with `capture`; after `livesMs` (at most 30 days) it comes back by itself. */
  hold(name: string, amount: Amount, { livesMs, ...options }: PayOptions & { readonly livesMs: number }): Promise<Transfer> {
    return this.#payOrHold('hold', name, amount, options, expiryOf(options.id, livesMs))
  }

  /** Takes some or all of what `payer` has put aside; the rest goes back. */
  async capture(payer: string, hold: Uint8Array, amount: Amount, { id, unit }: Pick<PayOptions, 'id' | 'unit'>): Promise<Transfer> {
    const { decimals } = await this.unit(unit)
    const holdPayer = await this.#account(payer)
    return this.#order({ kind: 'capture', ...(await this.#self('payee', id)), holdPayer, hold, amount: minorOf(amount, decimals) })
  }

  /** Lets what `payer` has put aside go back. */
  async void(payer: string, hold: Uint8Array, { id }: Pick<PayOptions, 'id'>): Promise<Transfer> {
    return this.#order({ kind: 'void', ...(await this.#self('actor', id)), holdPayer: await this.#account(payer), hold })
  }

  /** Pays some or all of a payment back to `payer`. */
  async refund(payer: string, original: Uint8Array, amount: Amount, { id, unit, memo }: PayOptions): Promise<Transfer> {
    const { decimals } = await this.unit(unit)
    const originalPayer = await this.#account(payer)
    const memoHash = await this.#memoHash(memo)
    const order = {
      kind: 'refund',
      ...(await this.#self('payee', id)),
      originalPayer,
      original,
      amount: minorOf(amount, decimals),
      memoHash,
    } as const
    return this.#order(order, memo)
  }

  async #payOrHold(kind: 'pay' | 'hold', name: string, amount: Amount, { id, unit: code, memo, request }: PayOptions, expiresAt: bigint) {
    const { unit, decimals } = await this.unit(code)
    const payee = await this.#account(name)
    const memoHash = await this.#memoHash(memo)
    const order = { kind, ...(await this.#self('payer', id)), payee, unit, amount: minorOf(amount, decimals), expiresAt, memoHash }
    return this.#order(order, memo, request)
  }

  /** Who signs stands first in every order. */
  async #self<K extends 'payer' | 'payee' | 'actor'>(as: K, id: Uint8Array) {
    const { account } = await this.#known()
    return { server: this.#parts.server, id, [as]: BigInt(account) } as { server: Uint8Array; id: Uint8Array } & Record<K, bigint>
  }

  async #account(name: string): Promise<bigint> {
    return BigInt((await this.#parts.call('payment.find', { name })).account)
  }

  #memoHash(memo = ''): Promise<Uint8Array> {
    return this.#parts.hash(new TextEncoder().encode(memo))
  }

  async #order(order: Order, memo?: string, request?: Uint8Array): Promise<Transfer> {
    const signed = await this.#parts.sign(encodeOrder(order), orderPurposes[order.kind])
    const beside = { ...(memo === undefined ? {} : { memo }), ...(request === undefined ? {} : { request }) }
    return this.#parts.call('payment.order', { kind: order.kind, order: signed, ...beside })
  }

  #known(): Promise<Units> {
    this.#units ??= this.#parts.call('payment.units', {}).catch((reason: unknown) => {
      this.#units = undefined
      throw reason
    })
    return this.#units
  }
}

function minorOf(amount: Amount, decimals: number): bigint {
  return typeof amount === 'bigint' ? amount : parseAmount(amount, BigInt(decimals))
}

/** From the moment that its id was made: the same id gives the same bytes, whenever it is signed again. */
function expiryOf(id: Uint8Array, livesMs: number): bigint {
  const view = new DataView(id.buffer, id.byteOffset)
  return BigInt(view.getUint32(0) * 0x1_0000 + view.getUint16(4) + livesMs)
}

const payLivesMs = 24 * 60 * 60 * 1000

// Orders, made of what is asked for. What an order says is decided by its id and by what is asked for alone, so that the same
// under the same id makes the same bytes: whatever becomes of connections and programs, it is carried out once.

import { SealwireError } from '../../protocol/index.ts'
import { messageIdBytes, type Params, type Result } from '../../protocol/contract/index.ts'
import type { Order } from '../../protocol/contract/order.ts'
import type { CallOptions } from '../calls.ts'
import { anyIdBytes, parseMessageId } from '../outbox/message-id.ts'
import { type Amount, minorOf, type PaymentUnits } from './units.ts'

/** A UUID of version 7, as text or as its 16 bytes. */
export type OrderId = string | Uint8Array

/** What orders are made with. */
export interface OrdersParts {
  readonly units: PaymentUnits
  readonly find: (name: string, options: CallOptions) => Promise<Result<'payment.find'>>
  readonly transfer: (payer: string, id: Uint8Array, options: CallOptions) => Promise<Result<'payment.transfer'>>
  /** Number of the server, of its Welcome. */
  readonly server: (options: CallOptions) => Promise<Uint8Array>
  /** SHA-256. */
  readonly hash: (bytes: Uint8Array) => Promise<Uint8Array>
}

/** An order, and what goes with it unsigned. */
export interface Made {
  readonly order: Order
  readonly beside: Pick<Params<'payment.order'>, 'memo' | 'memos' | 'request'>
  /** Of a payment: whom it pays. */
  readonly payee?: string
}

/** What every order is asked with. */
export interface Asked extends CallOptions {
  readonly id: Uint8Array
  readonly memo?: string | undefined
}

/** An earlier transfer that an order is about: whose money it was, and its id. It decides the unit; one that is said must be it. */
export interface About {
  readonly payer: string
  readonly id: Uint8Array
  readonly unit?: string | undefined
}

export class Orders {
  readonly #parts: OrdersParts

  constructor(parts: OrdersParts) {
    this.#parts = parts
  }

  async pay(kind: 'pay' | 'hold', to: PayTo, { id, memo, ...options }: Asked): Promise<Made> {
    const [{ unit, decimals }, payee] = await Promise.all([this.#parts.units.unit(to.unit, options), this.#account(to.name, options)])
    const { livesMs, request } = to
    const says = {
      unit,
      amount: minorOf(to.amount, { decimals }),
      expiresAt: BigInt(momentAfter(id, livesMs)),
      memoHash: await this.#hash(memo),
    }
    const order: Order = { kind, ...(await this.#self('payer', id, options)), payee, ...says }
    return { order, beside: { ...memoOf(memo), ...(request === undefined ? {} : { request }) }, payee: to.name }
  }

  async split(to: SplitTo, { id, ...options }: Omit<Asked, 'memo'>): Promise<Made> {
    const unit = await this.#parts.units.unit(to.unit, options)
    const parts = await Promise.all(
      to.parts.map(async ({ name, amount, memo }) => ({
        ...{ payee: await this.#account(name, options), amount: minorOf(amount, unit) },
        memoHash: await this.#hash(memo),
      })),
    )
    const expiresAt = BigInt(momentAfter(id, to.livesMs))
    const order: Order = { kind: 'split', ...(await this.#self('payer', id, options)), unit: unit.unit, expiresAt, parts }
    const memos = to.parts.map(({ memo = '' }) => memo)
    return { order, beside: memos.some((memo) => memo !== '') ? { memos } : {} }
  }

  async capture(hold: About, amount: Amount, { id, ...options }: Omit<Asked, 'memo'>): Promise<Made> {
    const about = { holdPayer: await this.#account(hold.payer, options), hold: hold.id, amount: await this.#minorOf(hold, amount, options) }
    return { order: { kind: 'capture', ...(await this.#self('payee', id, options)), ...about }, beside: {} }
  }

  async void(hold: About, { id, ...options }: Omit<Asked, 'memo'>): Promise<Made> {
    const about = { holdPayer: await this.#accountOrOwn(hold.payer, options), hold: hold.id }
    return { order: { kind: 'void', ...(await this.#self('actor', id, options)), ...about }, beside: {} }
  }

  async refund(original: About, amount: Amount, { id, memo, ...options }: Asked): Promise<Made> {
    const about = { originalPayer: await this.#account(original.payer, options), original: original.id }
    const says = { amount: await this.#minorOf(original, amount, options), memoHash: await this.#hash(memo) }
    return { order: { kind: 'refund', ...(await this.#self('payee', id, options)), ...about, ...says }, beside: memoOf(memo) }
  }

  /** Who signs stands first in every order. */
  async #self<K extends 'payer' | 'payee' | 'actor'>(as: K, id: Uint8Array, options: CallOptions) {
    const { server, units } = this.#parts
    const common = { server: await server(options), id, [as]: await units.account(options) }
    return common as { server: Uint8Array; id: Uint8Array } & Record<K, bigint>
  }

  async #account(name: string, options: CallOptions): Promise<bigint> {
    return BigInt((await this.#parts.find(name, options)).account)
  }

  /** Who put something on hold may give it back too, when its time is over. */
  async #accountOrOwn(name: string, options: CallOptions): Promise<bigint> {
    try {
      return await this.#account(name, options)
    } catch (reason) {
      if (!SealwireError.is(reason) || reason.code !== 'is_self') throw reason
      return this.#parts.units.account(options)
    }
  }

  /** In the unit of the transfer that it is about, which may be another one than the standard. */
  async #minorOf({ payer, id, unit: said }: About, amount: Amount, options: CallOptions): Promise<bigint> {
    if (typeof amount === 'bigint' && said === undefined) return amount
    const { kind, unit } = await this.#parts.transfer(payer, id, options)
    if (said !== undefined && said !== unit) throw new SealwireError('amount_invalid', `the ${kind} is in ${unit}, not in ${said}`)
    return minorOf(amount, await this.#parts.units.unit(unit, options))
  }

  #hash(memo = ''): Promise<Uint8Array> {
    return this.#parts.hash(new TextEncoder().encode(memo))
  }
}

/** Whom to pay what. */
interface PayTo {
  readonly name: string
  readonly amount: Amount
  readonly unit: string | undefined
  /** How long after its id was made it is good for. */
  readonly livesMs: number
  readonly request?: Uint8Array | undefined
}

interface SplitTo extends Pick<PayTo, 'unit' | 'livesMs'> {
  readonly parts: readonly { readonly name: string; readonly amount: Amount; readonly memo?: string | undefined }[]
}

/** @throws {TypeError} for what is no id. */
export function idBytes(id: OrderId): Uint8Array {
  return typeof id === 'string' ? parseMessageId(id) : wholeId(id)
}

/** Of what is there already, made by whomever. @throws {TypeError} for what is no id. */
export function givenIdBytes(id: OrderId): Uint8Array {
  return typeof id === 'string' ? anyIdBytes(id) : wholeId(id)
}

function wholeId(id: Uint8Array): Uint8Array {
  if (id.length === messageIdBytes) return id
  throw new TypeError(`an id has ${messageIdBytes} bytes`)
}

/**
 * So long after the moment that an id was made, in milliseconds since 1970: the same for the same id, whenever it is asked.
 * @throws {TypeError} for what is no whole number of milliseconds.
 */
export function momentAfter(id: Uint8Array, livesMs: number): number {
  if (!Number.isSafeInteger(livesMs)) throw new TypeError('livesMs is a whole number of milliseconds')
  const view = new DataView(id.buffer, id.byteOffset, id.byteLength)
  return view.getUint32(0) * 0x1_0000 + view.getUint16(4) + livesMs
}

function memoOf(memo: string | undefined): { readonly memo?: string } {
  return memo === undefined ? {} : { memo }
}

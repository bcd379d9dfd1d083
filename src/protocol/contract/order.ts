// Signed orders (payments.md, "What is signed"): what a device says to move money. The payload of each is one deterministic
// CBOR array, signed as COSE_Sign1 with the purpose of its kind as external text, so that an order of one kind is none of
// another, and no login or enrolment is one of any. There is one form of each; every other one is refused. Nothing here
// needs a runtime: clients, browsers and the server make and read the same bytes.

import { SealwireError } from '../errors.ts'
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts'

/** The kinds of orders. */
export const orderKinds = ['pay', 'hold', 'capture', 'void', 'refund', 'split'] as const
/** What is ordered. */
export type OrderKind = (typeof orderKinds)[number]

/** The external text under which each kind is signed. */
export const orderPurposes: Readonly<Record<OrderKind, string>> = {
  pay: 'sealwire/pay/1',
  hold: 'sealwire/hold/1',
  capture: 'sealwire/capture/1',
  void: 'sealwire/void/1',
  refund: 'sealwire/refund/1',
  split: 'sealwire/split/1',
}

/** The largest amount of one order, in minor units of its unit; the smallest is 1. */
export const orderAmountMax = 1_000_000_000_000_000n
/** How many payees a split has. */
export const splitPayees = { min: 2, max: 50 } as const
/** Code of a unit. */
export const unitPattern: RegExp = /^[a-z][a-z0-9]{0,15}$/

/** What every order says. Accounts are their numbers, at least 1. */
interface Common {
  /** 16 bytes: as in Welcome. */
  readonly server: Uint8Array
  /** 16 bytes, a UUID of version 7: unique for whoever signs. */
  readonly id: Uint8Array
}

/** `expiresAt`: pay: until when it may be posted; hold: until when it may be captured. Milliseconds since 1970. */
export interface PayOrder extends Common {
  readonly kind: 'pay' | 'hold'
  readonly payer: bigint
  readonly payee: bigint
  readonly unit: string
  /** Minor units. */
  readonly amount: bigint
  readonly expiresAt: bigint
  /** SHA-256 of the memo in UTF-8, of the empty text where there is none. */
  readonly memoHash: Uint8Array
}

/** Takes some or all of what is on hold; the rest goes back. Signed by the payee of the hold. */
export interface CaptureOrder extends Common {
  readonly kind: 'capture'
  readonly payee: bigint
  readonly holdPayer: bigint
  readonly hold: Uint8Array
  readonly amount: bigint
}

/** Gives back what is on hold. Signed by `actor`. */
export interface VoidOrder extends Common {
  readonly kind: 'void'
  readonly actor: bigint
  readonly holdPayer: bigint
  readonly hold: Uint8Array
}

/** Pays back some or all of a payment. Signed by its payee. */
export interface RefundOrder extends Common {
  readonly kind: 'refund'
  readonly payee: bigint
  readonly originalPayer: bigint
  readonly original: Uint8Array
  readonly amount: bigint
  readonly memoHash: Uint8Array
}

/** One of the payees of a split. */
export interface SplitPart {
  readonly payee: bigint
  readonly amount: bigint
  readonly memoHash: Uint8Array
}

/** Pays several, all or nobody. */
export interface SplitOrder extends Common {
  readonly kind: 'split'
  readonly payer: bigint
  readonly unit: string
  readonly expiresAt: bigint
  readonly parts: readonly SplitPart[]
}

/** One order. */
export type Order = PayOrder | CaptureOrder | VoidOrder | RefundOrder | SplitOrder

/** The account that has to sign an order. */
export function orderSigner(order: Order): bigint {
  switch (order.kind) {
    case 'pay':
    case 'hold':
    case 'split':
      return order.payer
    case 'capture':
    case 'refund':
      return order.payee
    case 'void':
      return order.actor
  }
}

/**
 * The payload to be signed.
 * @throws {SealwireError} as {@link decodeOrder}: nothing is encoded that would not be read.
 */
export function encodeOrder(order: Order): Uint8Array {
  const payload = encodeCbor(fieldsOf(order))
  decodeOrder(order.kind, payload)
  return payload
}

/**
 * Reads the payload of an order of a kind.
 * @throws {SealwireError} `amount_invalid` for an amount that is not from 1 to {@link orderAmountMax}; `malformed` for everything
 * else that is not the one form.
 */
export function decodeOrder(kind: OrderKind, payload: Uint8Array): Order {
  const fields = new Fields(decodeCbor(payload))
  const order = read(kind, fields)
  fields.end()
  return order
}

function fieldsOf(order: Order): CborValue {
  const { server, id } = order
  switch (order.kind) {
    case 'pay':
    case 'hold': {
      const { payer, payee, unit, amount, expiresAt, memoHash } = order
      return [server, whole(payer), whole(payee), unit, minor(amount), id, whole(expiresAt), memoHash]
    }
    case 'capture':
      return [server, whole(order.payee), whole(order.holdPayer), order.hold, minor(order.amount), id]
    case 'void':
      return [server, whole(order.actor), whole(order.holdPayer), order.hold, id]
    case 'refund':
      return [server, whole(order.payee), whole(order.originalPayer), order.original, minor(order.amount), id, order.memoHash]
    case 'split': {
      const parts = order.parts.map(({ payee, amount, memoHash }) => [whole(payee), minor(amount), memoHash])
      return [server, whole(order.payer), order.unit, id, whole(order.expiresAt), parts]
    }
  }
}

function read(kind: OrderKind, fields: Fields): Order {
  const server = fields.bytes(idBytes)
  const signer = fields.account()
  switch (kind) {
    case 'pay':
    case 'hold':
      return {
        ...{ kind, server, payer: signer, payee: fields.account(), unit: fields.unit(), amount: fields.amount() },
        ...{ id: fields.bytes(idBytes), expiresAt: fields.whole(), memoHash: fields.bytes(hashBytes) },
      }
    case 'capture':
      return { kind, server, payee: signer, ...holdOf(fields), amount: fields.amount(), id: fields.bytes(idBytes) }
    case 'void':
      return { kind, server, actor: signer, ...holdOf(fields), id: fields.bytes(idBytes) }
    case 'refund':
      return {
        ...{ kind, server, payee: signer, originalPayer: fields.account(), original: fields.bytes(idBytes) },
        ...{ amount: fields.amount(), id: fields.bytes(idBytes), memoHash: fields.bytes(hashBytes) },
      }
    case 'split':
      return {
        ...{ kind, server, payer: signer, unit: fields.unit(), id: fields.bytes(idBytes), expiresAt: fields.whole() },
        parts: partsOf(fields.next()),
      }
  }
}

function holdOf(fields: Fields) {
  return { holdPayer: fields.account(), hold: fields.bytes(idBytes) }
}

function partsOf(value: unknown): readonly SplitPart[] {
  if (!Array.isArray(value) || value.length < splitPayees.min || value.length > splitPayees.max) throw malformed()
  const parts = value.map(partOf)
  if (new Set(parts.map(({ payee }) => payee)).size !== parts.length) throw malformed()
  const total = parts.reduce((sum, { amount }) => sum + amount, 0n)
  if (total > orderAmountMax) throw amountInvalid()
  return parts
}

function partOf(value: unknown): SplitPart {
  const fields = new Fields(value)
  const part = { payee: fields.account(), amount: fields.amount(), memoHash: fields.bytes(hashBytes) }
  fields.end()
  return part
}

/** Takes the items of an array one after the other; nothing may be left. */
class Fields {
  readonly #items: readonly unknown[]
  #at = 0

  constructor(value: unknown) {
    if (!Array.isArray(value)) throw malformed()
    this.#items = value
  }

  next(): unknown {
    if (this.#at >= this.#items.length) throw malformed()
    return this.#items[this.#at++]
  }

  bytes(length: number): Uint8Array {
    const value = this.next()
    if (value instanceof Uint8Array && value.length === length) return value
    throw malformed()
  }

  /** From 0 to 2^53 − 1. */
  whole(): bigint {
    const value = this.next()
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
    throw malformed()
  }

  account(): bigint {
    const value = this.whole()
    if (value < 1n) throw malformed()
    return value
  }

  unit(): string {
    const value = this.next()
    if (typeof value === 'string' && unitPattern.test(value)) return value
    throw malformed()
  }

  /** Numbers beyond 2^53 come as `bigint`: they are amounts too, only too large ones. */
  amount(): bigint {
    const value = this.next()
    if (typeof value !== 'number' && typeof value !== 'bigint') throw malformed()
    return BigInt(minor(BigInt(value)))
  }

  end(): void {
    if (this.#at !== this.#items.length) throw malformed()
  }
}

/** An amount as CBOR has it. @throws {SealwireError} `amount_invalid`. */
function minor(amount: bigint): number {
  if (amount < 1n || amount > orderAmountMax) throw amountInvalid()
  return Number(amount)
}

/** As CBOR has it; what is too large for a number is left to be refused. */
function whole(value: bigint): number | bigint {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

function malformed(): SealwireError {
  return new SealwireError('malformed', 'the order does not say what an order of its kind says')
}

function amountInvalid(): SealwireError {
  return new SealwireError('amount_invalid', 'an amount is from 1 to 10^15 of the smallest part of its unit')
}

const idBytes = 16
const hashBytes = 32

// What is told of money, in the words of the SDK: ids as text, and each sum twice, as decimal text with all its places and as whole
// minor units. There is never a number.

import type { EventData, Result } from '../../protocol/contract/index.ts'
import { formatMessageId } from '../outbox/message-id.ts'

type WireTransfer = Result<'payment.order'>
type WireRequest = Result<'payment.request'>
type WireLine = Result<'payment.statement'>['lines'][number]
type WireBalance = Result<'payment.balance'>['balances'][number]

/** A unit of the server: its code, its name for people, how many places it has, and whether it is meant where none is named. */
export type PaymentUnit = Result<'payment.units'>['units'][number]

/** What became of an order, of a mint or of a burn. Moments are milliseconds since 1970. */
export interface Transfer {
  /** A UUID of version 7: that of the order. */
  readonly id: string
  readonly kind: WireTransfer['kind']
  /** `pending`: on hold. */
  readonly status: WireTransfer['status']
  readonly unit: string
  /** Decimal text. */
  readonly amount: string
  /** The same in minor units, as every `…Minor` beside its text. */
  readonly minor: bigint
  /** Whose money it was; missing for a mint. */
  readonly payer?: string
  /** Whose it is; missing for a burn, and for a split where its payer asks. */
  readonly payee?: string
  /** Whose device ordered it; missing for mint and burn. */
  readonly signer?: string
  /** Of a hold: what was taken. */
  readonly captured?: string
  readonly capturedMinor?: bigint
  /** What was paid back so far. */
  readonly refunded?: string
  readonly refundedMinor?: bigint
  /** Of a hold: when it comes back by itself. */
  readonly expiresAt?: number
  /** Of a capture, a void, a refund: the id of which transfer. */
  readonly original?: string
  /** Number in the ledger. */
  readonly posting: number
  readonly at: number
  readonly memo?: string
  /** Of a split, for its payer. */
  readonly parts?: readonly TransferPart[]
  /** What the own account had after it. */
  readonly balance?: string
  readonly balanceMinor?: bigint
}

/** What one payee of a split gets. */
export interface TransferPart {
  readonly payee: string
  readonly amount: string
  readonly minor: bigint
  readonly memo?: string
}

/** Somebody wants to be paid. It moves nothing; it is paid once, in part, or not at all. */
export interface PaymentRequest {
  readonly id: string
  /** Who wants to be paid. */
  readonly from: string
  /** Who is asked. */
  readonly to: string
  readonly unit: string
  readonly amount: string
  readonly minor: bigint
  /** So far. */
  readonly paid: string
  readonly paidMinor: bigint
  readonly status: WireRequest['status']
  /** What somebody else asks for is told where the two have agreed to talk. */
  readonly memo?: string
  readonly at: number
  readonly expiresAt?: number
}

/** What the own account has in one unit. */
export interface Balance {
  readonly unit: string
  /** What can be spent. */
  readonly amount: string
  readonly minor: bigint
  /** What is on hold beside it. */
  readonly held: string
  readonly heldMinor: bigint
  /** Nothing leaves and nothing arrives. */
  readonly frozen: boolean
}

/** What one posting of the ledger did to the own account. */
export interface StatementLine {
  /** Number in the ledger. */
  readonly posting: number
  readonly at: number
  readonly kind: WireLine['kind']
  readonly unit: string
  /** Negative: it left the account. */
  readonly amount: string
  readonly minor: bigint
  /** What the account had after it. */
  readonly balance: string
  readonly balanceMinor: bigint
  /** What moved it. */
  readonly transfer: Transfer
}

/** A transfer or a request of the own account is new, or has become something else: one of both. */
export type PaymentChange =
  | { readonly transfer: Transfer; readonly request?: undefined }
  | { readonly request: PaymentRequest; readonly transfer?: undefined }

export function readTransfer(wire: WireTransfer): Transfer {
  const { id, amount, captured, refunded, original, parts, balance, ...others } = wire
  return {
    ...present(others),
    ...{ id: formatMessageId(id), amount, minor: minorOf(amount) },
    ...(captured === undefined ? {} : { captured, capturedMinor: minorOf(captured) }),
    ...(refunded === undefined ? {} : { refunded, refundedMinor: minorOf(refunded) }),
    ...(original === undefined ? {} : { original: formatMessageId(original) }),
    ...(parts === undefined ? {} : { parts: parts.map((part) => ({ ...present(part), minor: minorOf(part.amount) })) }),
    ...(balance === undefined ? {} : { balance, balanceMinor: minorOf(balance) }),
  }
}

export function readRequest({ id, amount, paid, ...others }: WireRequest): PaymentRequest {
  return { ...present(others), id: formatMessageId(id), amount, minor: minorOf(amount), paid, paidMinor: minorOf(paid) }
}

export function readBalance({ unit, balance, held, frozen = false }: WireBalance): Balance {
  return { unit, amount: balance, minor: minorOf(balance), held, heldMinor: minorOf(held), frozen }
}

export function readLine({ delta, balance, transfer, ...others }: WireLine): StatementLine {
  const sums = { amount: delta, minor: minorOf(delta), balance, balanceMinor: minorOf(balance) }
  return { ...others, ...sums, transfer: readTransfer(transfer) }
}

/** `undefined` for news of a kind that only a later server tells. */
export function readChange({ transfer, request }: EventData<'payment.changed'>): PaymentChange | undefined {
  if (transfer !== undefined) return { transfer: readTransfer(transfer) }
  return request === undefined ? undefined : { request: readRequest(request) }
}

/** A server writes every place of a unit, so that the digits alone are the minor units. */
function minorOf(text: string): bigint {
  return BigInt(text.replace('.', ''))
}

/** What is there: a missing field is missing, and not there as `undefined`. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

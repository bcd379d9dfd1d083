// From what the store says of money to what the wire says: names instead of numbers, decimal text instead of minor units. Of a
// split each payee is told its own part and nothing of the others; only a receipt shows all of it.

import { formatAmount } from '../../domain/index.ts'
import { type EventData, encodeCbor, paymentType, type Result } from '../../protocol/contract/index.ts'
import type { Balance, LedgerMessage, PaymentRequest, StatementLine, Transfer } from '../../store/index.ts'

/** A transfer as the wire has it. */
export type WireTransfer = Result<'payment.order'>
/** A request to pay as the wire has it. */
export type WireRequest = Result<'payment.request'>

/** A transfer for one of its parties; `balance` is theirs, in minor units. Its keys are in the order in which they are written: quicker. */
export function wireTransfer(transfer: Transfer, viewer: bigint, balance?: bigint): WireTransfer {
  const { id, kind, status, unit, decimals, payer, posting, at, captured, expiresAt, original } = transfer
  const { amount, refunded, payee, memo } = seenBy(transfer, viewer)
  const isHold = kind === 'hold'
  return {
    at: Number(at),
    id,
    kind,
    memo,
    unit,
    parts: transfer.parts.length > 0 && payer?.id === viewer ? partsOf(transfer) : undefined,
    payee: payee?.name,
    payer: payer?.name,
    amount: formatAmount(amount, decimals),
    signer: signerOf(transfer),
    status,
    balance: balance === undefined ? undefined : formatAmount(balance, decimals),
    posting: Number(posting),
    captured: isHold && status === 'posted' ? formatAmount(captured, decimals) : undefined,
    original: original?.id,
    refunded: refunded > 0n ? formatAmount(refunded, decimals) : undefined,
    expiresAt: isHold && expiresAt !== undefined ? Number(expiresAt) : undefined,
  }
}

/** A request to pay, for one who may see all of it: `requestSeenBy` says so. */
export function wireRequest(request: PaymentRequest): WireRequest {
  const { id, from, to, unit, decimals, amount, paid, status, memo, at, expiresAt } = request
  return {
    ...{ id, from: from.name, to: to.name, unit, amount: formatAmount(amount, decimals), paid: formatAmount(paid, decimals), status },
    ...optional('memo', memo),
    ...{ at: Number(at), expiresAt: Number(expiresAt) },
  }
}

/** A balance. */
export function wireBalance({ unit, decimals, balance, held, frozen }: Balance): Result<'payment.balance'>['balances'][number] {
  return { unit, balance: formatAmount(balance, decimals), held: formatAmount(held, decimals), ...(frozen ? { frozen } : {}) }
}

/** A line of a statement. */
export function wireLine(line: StatementLine, viewer: bigint): Result<'payment.statement'>['lines'][number] {
  const { posting, at, kind, unit, decimals, delta, balance, transfer } = line
  const amounts = { delta: formatAmount(delta, decimals), balance: formatAmount(balance, decimals) }
  return { posting: Number(posting), at: Number(at), kind, unit, ...amounts, transfer: wireTransfer(transfer, viewer) }
}

/** What others than whoever ordered it are told: strangers show no words to each other but in a statement. */
export function wireNews(transfer: Transfer, viewer: bigint, isSpoken: boolean): EventData<'payment.changed'> {
  const news = wireTransfer(transfer, viewer)
  return { transfer: isSpoken || news.memo === undefined ? news : { ...news, memo: undefined } }
}

/** The accounts that a transfer is between. */
export function partiesOf({ payer, payee, parts }: Transfer): readonly bigint[] {
  const all = [payer, payee, ...parts.map((part) => part.payee)]
  return [...new Set(all.flatMap((person) => (person === undefined ? [] : [person.id])))]
}

/** What a conversation is told of money. */
export interface PaymentWords {
  readonly kind: string
  readonly payer: string
  readonly payee: string
  readonly unit: string
  /** Decimal text. */
  readonly amount: string
  readonly memo: string | undefined
  /** With the id it names the transfer, or the request by who asks. */
  readonly signerId: bigint
  readonly id: Uint8Array
  readonly status: string
}

/** The message that says it. */
export function paymentMessage(words: PaymentWords, peerId: bigint, id: Uint8Array): LedgerMessage {
  const { kind, payer, payee, unit, amount, memo = '', signerId, id: transferId, status } = words
  const body = encodeCbor([kind, payer, payee, unit, amount, memo, Number(signerId), transferId, status])
  return { peerId, id, type: paymentType, body }
}

function seenBy(transfer: Transfer, viewer: bigint): Pick<Transfer, 'amount' | 'refunded' | 'payee' | 'memo'> {
  const part = transfer.payer?.id === viewer ? undefined : transfer.parts.find(({ payee }) => payee.id === viewer)
  return part ?? transfer
}

function partsOf({ parts, decimals }: Transfer) {
  return parts.map(({ payee, amount, memo }) => ({
    ...{ payee: payee.name, amount: formatAmount(amount, decimals) },
    ...optional('memo', memo),
  }))
}

function signerOf({ signerId, payer, payee }: Transfer): string | undefined {
  if (payer?.id === signerId) return payer.name
  return payee?.id === signerId ? payee.name : undefined
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T }
}

// From what a journal says to what is sent. Signatures of Ed25519 have no chance in them, so the same line makes the same bytes in
// every process, which is how a payer asks again after it was killed.

import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { formatAmount } from '../../src/domain/index.ts'
import { coseHeader, coseMessage, coseToBeSigned } from '../../src/protocol/contract/cose.ts'
import { encodeOrder, type Order, orderPurposes, type Params } from '../../src/protocol/contract/index.ts'
import { memoHashOf, noMemo } from '../support/payer.ts'
import type { Attempt } from './money-journal.ts'

/** What is asked for. `digest`: as in {@link Attempt}. */
export type MoneyRequest =
  | { readonly method: 'payment.order'; readonly params: Params<'payment.order'>; readonly digest: string }
  | { readonly method: 'payment.request'; readonly params: Params<'payment.request'> }

export class MoneySigner {
  readonly #server: Uint8Array
  readonly #account: bigint
  readonly #key: KeyObject
  readonly #header: Uint8Array
  readonly #nameOf: (account: number) => string

  /** `account`: its number. */
  constructor(parts: { server: Uint8Array; account: number; key: KeyObject; nameOf: (account: number) => string }) {
    this.#server = parts.server
    this.#account = BigInt(parts.account)
    this.#key = parts.key
    this.#nameOf = parts.nameOf
    this.#header = coseHeader(createPublicKey(parts.key).export({ type: 'spki', format: 'der' }).subarray(-32))
  }

  requestOf(attempt: Omit<Attempt, 'n' | 'at'>): MoneyRequest {
    const { kind, id, to = 0, amount = 0, expires = 0, memo, request } = attempt
    if (kind === 'request') {
      const params = { id: bytesOf(id), name: this.#nameOf(to), amount: formatAmount(BigInt(amount), decimals), unit, expiresAt: expires }
      return { method: 'payment.request', params: { ...params, ...(memo === undefined ? {} : { memo }) } }
    }
    const order = this.#signed(this.#orderOf(attempt))
    if (attempt.spoilt === true) order.set([(order.at(-1) ?? 0) ^ 1], order.length - 1)
    const beside = { ...(memo === undefined ? {} : { memo }), ...(request === undefined ? {} : { request: bytesOf(request) }) }
    const digest = createHash('sha256').update(order).digest('hex')
    return { method: 'payment.order', params: { kind, order, ...beside }, digest }
  }

  #orderOf({ kind, id: hex, to = 0, amount: minor = 0, expires = 0, memo, of = [0, ''], parts = [] }: Omit<Attempt, 'n' | 'at'>): Order {
    const [server, own, id, amount] = [this.#server, this.#account, bytesOf(hex), BigInt(minor)]
    const memoHash = memo === undefined ? noMemo : memoHashOf(memo)
    const [about, aboutId] = [BigInt(of[0]), bytesOf(of[1])]
    switch (kind) {
      case 'pay':
      case 'hold':
        return { kind, server, payer: own, payee: BigInt(to), unit, amount, id, expiresAt: BigInt(expires), memoHash }
      case 'capture':
        return { kind, server, payee: own, holdPayer: about, hold: aboutId, amount, id }
      case 'void':
        return { kind, server, actor: own, holdPayer: about, hold: aboutId, id }
      case 'refund':
        return { kind, server, payee: own, originalPayer: about, original: aboutId, amount, id, memoHash }
      case 'split': {
        const paid = parts.map(([payee, part]) => ({ payee: BigInt(payee), amount: BigInt(part), memoHash: noMemo }))
        return { kind, server, payer: own, unit, id, expiresAt: BigInt(expires), parts: paid }
      }
      case 'request':
        throw new TypeError('a request to pay is no order')
    }
  }

  #signed(order: Order): Uint8Array {
    const payload = encodeOrder(order)
    return coseMessage(this.#header, payload, sign(null, coseToBeSigned(this.#header, orderPurposes[order.kind], payload), this.#key))
  }
}

/** Minor units of decimal text with two places. */
export function minorOf(text: string): number {
  return Number(text.replace('.', ''))
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

const unit = 'credits'
const decimals = 2n

// What a payer has heard of: payments to it that it can pay back, holds that it can capture, requests that it can pay, and what it
// has ordered itself. Bounded, the newest: chance chooses among them.

import type { Attempt } from './money-journal.ts'
import { minorOf } from './money-orders.ts'
import { below, type Random } from './random.ts'

/** Something of somebody else. `left`: as far as is known, in minor units. */
export interface Known {
  readonly signer: number
  readonly id: string
  left: number
}

export class MoneyKnown {
  readonly refundable = new Some<Known>()
  readonly holds = new Some<Known>()
  readonly requests = new Some<Known>()
  readonly posted = new Some<Attempt>()
  /** Some of those that were sent and have no outcome yet. */
  readonly sent = new Some<Attempt>()
  /** Ids of two different orders: a look by such an id says which one was carried out, and not which one is asked about. */
  readonly reused = new Set<string>()
  readonly #name: string
  readonly #numberOf: (name: string) => number

  constructor(name: string, numberOf: (name: string) => number) {
    this.#name = name
    this.#numberOf = numberOf
  }

  /** Data of `payment.changed`. */
  hear(data: unknown): void {
    const { transfer, request } = data as { transfer?: Transfer; request?: Asked }
    if (transfer !== undefined) this.#transfer(transfer)
    if (request?.to === this.#name && request.status === 'open') {
      const left = minorOf(request.amount) - minorOf(request.paid)
      this.requests.add({ signer: this.#numberOf(request.from), id: hexOf(request.id), left })
    }
  }

  #transfer({ kind, status, id: bytes, signer, payee, amount, captured, refunded }: Transfer): void {
    if (payee !== this.#name || signer === undefined || signer === payee || refunded !== undefined) return
    const known = { signer: this.#numberOf(signer), id: hexOf(bytes), left: minorOf(captured ?? amount) }
    if (kind === 'hold' && status === 'pending') this.holds.add(known)
    if (status === 'posted' && (kind === 'pay' || kind === 'split' || kind === 'hold')) this.refundable.add(known)
  }
}

/** Some of many: the newest ones. */
export class Some<T> {
  readonly #items: T[] = []
  #next = 0

  add(item: T): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % someMax
  }

  any(random: Random): T | undefined {
    return this.#items[below(random, this.#items.length)]
  }

  take(random: Random): T | undefined {
    const at = below(random, this.#items.length)
    const last = this.#items.pop()
    this.#next = this.#items.length
    if (last === undefined || at === this.#items.length) return last
    const taken = this.#items[at]
    this.#items[at] = last
    return taken
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

interface Transfer {
  readonly kind: string
  readonly status: string
  readonly id: Uint8Array
  readonly signer?: string
  readonly payee?: string
  readonly amount: string
  readonly captured?: string
  readonly refunded?: string
}

interface Asked {
  readonly id: Uint8Array
  readonly from: string
  readonly to: string
  readonly amount: string
  readonly paid: string
  readonly status: string
}

const someMax = 200

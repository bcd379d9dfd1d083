// Accounts with devices and money, and what tests of the ledger do again and again.

import { createHash } from 'node:crypto'
import { encodeCbor } from '../../../../src/protocol/contract/cbor.ts'
import { coseHeader, coseMessage } from '../../../../src/protocol/contract/cose.ts'
import { encodeOrder, type Order } from '../../../../src/protocol/contract/order.ts'
import type { Code, Limits } from '../../../../src/protocol/index.ts'
import type { Input, LedgerFault, LedgerOrder, Ordered, SignatureToCheck } from '../../../../src/store/index.ts'
import { Stage } from './stage.ts'

export const server = new Uint8Array(16).fill(0x5e)

export class LedgerStage extends Stage {
  readonly #limits: Partial<Limits>

  /** Each account has a device whose key is {@link keyOf} it, and `amount` of the standard unit. */
  constructor(accounts: number, amount = 0n, options: { folder?: string; limits?: Partial<Limits> } = {}) {
    super(accounts, options.limits, { devices: 1, ...(options.folder === undefined ? {} : { folder: options.folder }) })
    this.#limits = options.limits ?? {}
    for (let id = 1n; id <= BigInt(accounts); id++) {
      this.enrol(id)
      if (amount > 0n) this.mint(id, amount)
    }
  }

  get limits(): Partial<Limits> {
    return this.#limits
  }

  enrol(accountId: bigint, device = 1): void {
    const key = keyOf(accountId, device)
    const id = `k${accountId}.${device}`
    this.run('device.enrol', { spkiHash: key, id, accountId, ed25519: key, x25519: key, label: '', at: 1n, expiresAt: 2n ** 50n })
  }

  mint(accountId: bigint, amount: bigint, other: Partial<Input<'ledger.mint'>> = {}): Ordered {
    return this.run('ledger.mint', { id: this.id(), accountId, unit: 'credits', amount, at: this.at, ...other })
  }

  pay(payer: bigint, payee: bigint, amount: bigint, other: OrderOptions = {}): LedgerOrder {
    return this.#moving('pay', payer, payee, amount, other)
  }

  hold(payer: bigint, payee: bigint, amount: bigint, other: OrderOptions = {}): LedgerOrder {
    return this.#moving('hold', payer, payee, amount, other)
  }

  capture(payee: bigint, hold: LedgerOrder, amount: bigint, other: OrderOptions = {}): LedgerOrder {
    const { payer: holdPayer, id } = moving(hold)
    return this.signed({ kind: 'capture', server, payee, holdPayer, hold: id, amount, id: this.id() }, payee, other)
  }

  void(actor: bigint, hold: LedgerOrder, other: OrderOptions = {}): LedgerOrder {
    const { payer: holdPayer, id } = moving(hold)
    return this.signed({ kind: 'void', server, actor, holdPayer, hold: id, id: this.id() }, actor, other)
  }

  refund(payee: bigint, { order }: LedgerOrder, amount: bigint, other: OrderOptions = {}): LedgerOrder {
    const originalPayer = 'payer' in order ? order.payer : 0n
    const { memo } = other
    const refund = {
      kind: 'refund',
      server,
      payee,
      originalPayer,
      original: order.id,
      amount,
      id: this.id(),
      memoHash: memoHash(memo),
    } as const
    return this.signed(refund, payee, other)
  }

  split(
    payer: bigint,
    parts: readonly (readonly [payee: bigint, amount: bigint])[],
    other: OrderOptions & { memos?: string[] } = {},
  ): LedgerOrder {
    const { unit = 'credits', expiresAt = this.at + 60_000n, memos = [] } = other
    const signed = parts.map(([payee, amount], at) => ({ payee, amount, memoHash: memoHash(memos[at]) }))
    const order = { kind: 'split', server, payer, unit, id: this.id(), expiresAt, parts: signed } as const
    return { ...this.signed(order, payer, other), memos }
  }

  #moving(kind: 'pay' | 'hold', payer: bigint, payee: bigint, amount: bigint, other: OrderOptions): LedgerOrder {
    const { unit = 'credits', expiresAt = this.at + 60_000n, memo, id = this.id() } = other
    return this.signed({ kind, server, payer, payee, unit, amount, id, expiresAt, memoHash: memoHash(memo) }, payer, other)
  }

  /** As it comes from a server that has checked it: the form is right, the signature is none. */
  signed(order: Order, signer: bigint, { device = 1, memo, request, at = this.at }: OrderOptions = {}): LedgerOrder {
    const key = keyOf(signer, device)
    return { order, signed: coseMessage(coseHeader(key), payloadOf(order), new Uint8Array(64)), key, memo, request, at }
  }

  order(input: LedgerOrder): Ordered {
    return this.run('ledger.order', input)
  }

  refusal(input: LedgerOrder): Code | undefined {
    return this.codeOf(() => this.order(input))
  }

  balance(accountId: bigint, unit = 'credits'): bigint {
    return this.run('ledger.balance', { accountId, unit })[0]?.balance ?? -1n
  }

  /** Everything from the beginning; the first fault, and the signatures that there were. */
  verify({ max = 50n, deep = false } = {}): { readonly fault: LedgerFault | undefined; readonly signatures: readonly SignatureToCheck[] } {
    const signatures: SignatureToCheck[] = []
    let step = this.run('ledger.verify', { max, deep })
    for (; ; step = this.run('ledger.verify', { max, place: step.next })) {
      signatures.push(...step.signatures)
      if (step.next === undefined) return { fault: step.fault, signatures }
    }
  }
}

export interface OrderOptions {
  readonly unit?: string
  readonly expiresAt?: bigint
  readonly memo?: string
  readonly id?: Uint8Array
  readonly device?: number
  readonly request?: Uint8Array
  readonly at?: bigint
}

/** The Ed25519 key of a device; nothing is signed with it. */
export function keyOf(accountId: bigint, device = 1): Uint8Array {
  return hashOf(`key ${accountId} ${device}`)
}

export function hashOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

function memoHash(memo = ''): Uint8Array {
  return hashOf(memo)
}

/** Also of orders that no client would make. */
function payloadOf(order: Order): Uint8Array {
  try {
    return encodeOrder(order)
  } catch {
    return encodeCbor(String(Object.values(order)))
  }
}

function moving({ order }: LedgerOrder): Extract<Order, { kind: 'pay' | 'hold' }> {
  if (order.kind === 'pay' || order.kind === 'hold') return order
  throw new TypeError('not a hold')
}

// Money over direct links: the payer hands over what it has signed where the server does not answer (hand-over.ts), the payee
// looks whether it is what the payer could have signed, keeps it, and has it settled (held-orders.ts). The server decides alone.

import { createHash } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import { openCose } from '../../pki/cose-sign1.ts'
import { decodeOrder, orderPurposes, type PayOrder, type Result } from '../../protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { CallOptions, Calls } from '../calls.ts'
import type { DirectOrders } from '../live-payments.ts'
import { formatMessageId } from '../message-id.ts'
import { carryOut, isDecided } from '../payment-outcome.ts'
import type { SigningParts } from '../payment-signed.ts'
import type { HeldOrder } from './direct.ts'
import { type PayLink, payEitherWay } from './hand-over.ts'
import { HeldOrders } from './held-orders.ts'
import { type Contact, OrderNeeds, type Self } from './order-needs.ts'
import type { OrderStore } from './order-store.ts'

export interface DirectPayParts {
  readonly clock: Pick<Clock, 'now' | 'after' | 'monotonic'>
  readonly limits: Limits
  readonly calls: Pick<Calls, 'again' | 'ready' | 'pause'>
  /** Whether there is a connection to the server, as far as is known. */
  readonly online: () => boolean
  /** The own name, once it is known. */
  readonly name: () => string
  /** The links that are up with devices of an account. */
  readonly links: (name: string) => readonly PayLink[]
  readonly store: OrderStore
  /** Key of the ledger, as the home keeps it: receipts are verified with no other one. */
  readonly ledgerKey: () => Uint8Array | undefined
}

export class DirectPay {
  readonly #parts: DirectPayParts
  readonly #needs: OrderNeeds
  readonly #held: HeldOrders
  /** Ids of orders that somebody else may have. */
  readonly #handed: Recent<string, true>

  constructor(parts: DirectPayParts) {
    this.#parts = parts
    this.#needs = new OrderNeeds(parts)
    this.#held = new HeldOrders(parts)
    this.#handed = new Recent(parts.limits.ordersHandedMax)
  }

  /** For `livePayments`. */
  get orders(): DirectOrders {
    const { ask, server } = this.#needs
    return { ask, server, order: this.#order }
  }

  /** A link is up: what an order to them, or from them, needs is asked for. */
  linked({ peer }: Pick<PayLink, 'peer'>): void {
    // Where the server does not answer there are no payments over this link, until it is asked again.
    this.learnt(peer.name).catch(() => {})
  }

  /** Resolves when everything is known that payments with somebody need. @throws {SealwireError} what the server refuses; `unreachable`. */
  async learnt(name: string): Promise<void> {
    await this.#needs.learn(name)
  }

  /** There is a connection to the server. */
  online(): void {
    this.#held.online()
  }

  /** What was handed over to this device and is not settled, and what becomes of it. */
  held(options?: CallOptions): AsyncIterableIterator<HeldOrder> {
    return this.#held.read(options)
  }

  close(reason?: SealwireError): void {
    this.#held.close(reason)
  }

  /**
   * What a peer hands over. Answers when it is settled, or after `directPayHeldMs` that it is kept.
   * @throws {SealwireError} `not_permitted` when it pays somebody else, `signature_invalid`, `malformed`, `amount_invalid`, `expired` when it is
   * nothing that the peer could have signed for this account; `unavailable` when that cannot be said now; `busy`, `conflict`, `storage_full`,
   * `data_unusable` when it is not kept; what the server refuses.
   */
  readonly take = async (
    { order: signed, memo }: PeerParams<'direct.pay'>,
    { peer }: Pick<PayLink, 'peer'>,
  ): Promise<PeerResult<'direct.pay'>> => {
    const { clock, limits } = this.#parts
    const from = await this.#payer(peer.name)
    const { order, key } = opened(signed, memo)
    if (order.payee !== from.self.account) throw new SealwireError('not_permitted', 'the order pays somebody else')
    const isTheirs = sameBytes(order.server, from.self.server) && order.payer === from.contact.account
    if (!isTheirs || !(await this.#signs(from.contact, key))) throw signatureInvalid('the order is not signed by a device of the payer')
    if (order.expiresAt <= BigInt(clock.now())) throw new SealwireError('expired', 'the order came too late')
    const place = await this.#held.keep({ from: from.contact.name, signed, memo })
    const { promise: late, resolve } = Promise.withResolvers<PeerResult<'direct.pay'>>()
    const timer = clock.after(limits.directPayHeldMs, () => resolve({ state: 'held' }))
    try {
      return await Promise.race([late, this.#settled(place, order, from.contact)])
    } finally {
      timer.cancel()
    }
  }

  readonly #order: SigningParts['order'] = async (params, options, { order, payee: asked }) => {
    const { calls, links, name } = this.#parts
    // What a request is paid by is no part of what is signed: its payer alone can say so.
    if (order.kind !== 'pay' || asked === undefined || params.request !== undefined) return carryOut(calls, params, options)
    const payee = this.#needs.contact(asked)?.name ?? asked
    const id = formatMessageId(order.id)
    const wasHanded = this.#handed.find(id) === true
    if (links(payee).length === 0 && !wasHanded) return carryOut(calls, params, options)
    const own = { wasHanded, handed: () => this.#handed.add(id, true), links: () => links(payee) }
    return payEitherWay(this.#parts, { params, order: { ...order, kind: order.kind }, payer: name(), payee, ...own }, options.signal)
  }

  /** @throws {SealwireError} `unavailable`. */
  async #payer(name: string): Promise<{ readonly contact: Contact; readonly self: Self }> {
    const contact = this.#needs.contact(name) ?? (await this.#learntSoon(name))
    const { self } = this.#needs
    if (contact !== undefined && self !== undefined) return { contact, self }
    throw new SealwireError('unavailable', 'the server has not said yet with which keys this account signs')
  }

  /** A device may be newer than the link. */
  async #signs(contact: Contact, key: Uint8Array): Promise<boolean> {
    const isAmong = ({ keys }: Contact): boolean => keys.some((each) => sameBytes(each, key))
    if (isAmong(contact)) return true
    const { clock, limits } = this.#parts
    // Whoever hands over what nobody has signed does not have the server asked each time.
    if (clock.monotonic() - contact.learntAt < limits.clientRetryMsMax) return false
    const learnt = await this.#learntSoon(contact.name)
    return learnt !== undefined && isAmong(learnt)
  }

  async #learntSoon(name: string): Promise<Contact | undefined> {
    if (!this.#parts.online()) return undefined
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = this.#parts.clock.after(this.#parts.limits.directPayMs, () => resolve(undefined))
    try {
      return await Promise.race([this.#needs.learn(name), late])
    } catch {
      return undefined
    } finally {
      timer.cancel()
    }
  }

  /** What cannot be proved now is held, as far as the payer is told. @throws {SealwireError} what the server refuses. */
  async #settled(place: string, { id }: PayOrder, { name: payer }: Contact): Promise<PeerResult<'direct.pay'>> {
    let transfer: Result<'payment.bring'>
    try {
      transfer = await this.#held.settle(place)
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (isDecided(error)) throw error
      return { state: 'held' }
    }
    try {
      const { receipt } = await this.#parts.calls.again('payment.receipt', { id, payer })
      const { balance: _, ...seen } = transfer
      return { state: 'settled', transfer: seen, receipt }
    } catch {
      return { state: 'held' }
    }
  }
}

/** What was signed with which key. @throws {SealwireError} `signature_invalid`, `malformed`, `amount_invalid`. */
function opened(signed: Uint8Array, memo = ''): { readonly order: PayOrder; readonly key: Uint8Array } {
  const { signer: key, payload } = openedCose(signed)
  const order = decodeOrder('pay', payload)
  const hash = new Uint8Array(createHash('sha256').update(memo, 'utf8').digest())
  if (order.kind !== 'pay' || !sameBytes(order.memoHash, hash)) throw signatureInvalid('the memo is not what was signed')
  return { order, key }
}

function openedCose(signed: Uint8Array) {
  try {
    return openCose(signed, orderPurposes.pay)
  } catch (cause) {
    throw signatureInvalid('the order is not signed as one', cause)
  }
}

function signatureInvalid(sentence: string, cause?: unknown): SealwireError {
  return new SealwireError('signature_invalid', sentence, { cause })
}

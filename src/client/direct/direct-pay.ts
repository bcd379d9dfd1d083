// Money over direct links: the payer hands over what it has signed where the server does not answer (hand-over.ts), the payee
// looks whether it is what the payer could have signed, keeps it, and has it settled (held-orders.ts). The server decides alone.

import { createHash } from 'node:crypto'
import type { Clock } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import { TokenBucket } from '../../domain/token-bucket.ts'
import { openCose } from '../../pki/cose-sign1.ts'
import { decodeOrder, orderPurposes, type PayOrder } from '../../protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { limitTable } from '../../protocol/limits.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import type { CallOptions, Calls } from '../calls.ts'
import type { DirectOrders } from '../payments/live.ts'
import { formatMessageId } from '../outbox/message-id.ts'
import { carryOut } from '../payments/outcome.ts'
import type { SigningParts } from '../payments/signed.ts'
import type { HeldOrder } from './direct.ts'
import { type PayLink, payEitherWay } from './hand-over.ts'
import { HeldOrders, isRefusal, type SettledOrder } from './held-orders.ts'
import { LinkTurns } from './link-turns.ts'
import { type Contact, OrderNeeds, type Self } from './order-needs.ts'
import type { HandedStore, KeptOrder, OrderStore } from './order-store.ts'

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
  readonly handed: HandedStore
  /** Key of the ledger, as the home keeps it: receipts are verified with no other one. */
  readonly ledgerKey: () => Uint8Array | undefined
}

export class DirectPay {
  readonly #parts: DirectPayParts
  readonly #needs: OrderNeeds
  readonly #held: HeldOrders
  readonly #turns = new LinkTurns()
  /** Links over which an order came that is not answered. */
  readonly #taking = new WeakSet<object>()
  /** What is new, by the number of the account that it comes from. */
  readonly #rates: Recent<bigint, TokenBucket>

  constructor(parts: DirectPayParts) {
    this.#parts = parts
    this.#needs = new OrderNeeds(parts)
    this.#held = new HeldOrders(parts)
    this.#rates = new Recent(parts.limits.directPayeesMax)
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
    return this.#held.held(options)
  }

  close(reason?: SealwireError): void {
    this.#held.close(reason)
  }

  /**
   * What a peer hands over, one at a time over each link. Answers when it is settled, or after `directPayHeldMs` that it is kept; what
   * was settled lately is answered without anybody being asked.
   * @throws {SealwireError} `not_permitted` when it pays somebody else, `signature_invalid`, `malformed`, `amount_invalid`, `expired`, `limit_exceeded` when it is
   * nothing that the peer could have signed for this account; `unavailable` when that cannot be said now; `busy` when the one before it is not
   * answered, or for more than `directPaysMax`; `busy`, `conflict`, `storage_full`, `data_unusable` when it is not kept; what the server refuses.
   */
  readonly take = async (params: PeerParams<'direct.pay'>, link: Pick<PayLink, 'peer'>): Promise<PeerResult<'direct.pay'>> => {
    if (this.#taking.has(link)) throw new SealwireError('busy', 'the order before this one is not answered')
    this.#taking.add(link)
    try {
      return await this.#take(params, link.peer.name)
    } finally {
      this.#taking.delete(link)
    }
  }

  async #take({ order: signed, memo }: PeerParams<'direct.pay'>, name: string): Promise<PeerResult<'direct.pay'>> {
    const from = await this.#payer(name)
    const { order, key } = opened(signed, memo)
    if (order.payee !== from.self.account) throw new SealwireError('not_permitted', 'the order pays somebody else')
    const isTheirs = sameBytes(order.server, from.self.server) && order.payer === from.contact.account
    if (!isTheirs || !(await this.#signs(from.contact, key))) throw signatureInvalid('the order is not signed by a device of the payer')
    const settled = this.#held.settled(order, signed)
    if (settled?.receipt !== undefined) return answerOf(settled.transfer, settled.receipt)
    const { clock } = this.#parts
    const lives = order.expiresAt - BigInt(clock.now())
    if (settled === undefined && lives <= 0n) throw new SealwireError('expired', 'the order came too late')
    if (lives > BigInt(limitTable.orderMsMax.value)) throw new SealwireError('limit_exceeded', 'a payment is good for a year at most')
    this.#requireRate(from.contact)
    return this.#kept(order, { from: from.contact.name, signed, memo })
  }

  async #kept(order: PayOrder, kept: KeptOrder): Promise<PeerResult<'direct.pay'>> {
    const { clock, limits } = this.#parts
    const place = await this.#held.keep(kept)
    const { promise: late, resolve } = Promise.withResolvers<PeerResult<'direct.pay'>>()
    const timer = clock.after(limits.directPayHeldMs, () => resolve({ state: 'held' }))
    try {
      return await Promise.race([late, this.#settled(place, order, kept.from)])
    } finally {
      timer.cancel()
    }
  }

  readonly #order: SigningParts['order'] = async (params, options, { order, payee: asked }) => {
    const { calls, links, name, handed } = this.#parts
    // What a request is paid by is no part of what is signed: its payer alone can say so.
    if (order.kind !== 'pay' || asked === undefined || params.request !== undefined) return carryOut(calls, params, options)
    const payee = this.#needs.contact(asked)?.name ?? asked
    const id = formatMessageId(order.id)
    const wasHanded = handed.has(id)
    if (links(payee).length === 0 && !wasHanded) return carryOut(calls, params, options)
    const own = { wasHanded, handed: () => handed.add(id, Number(order.expiresAt)), links: () => links(payee) }
    return payEitherWay(
      { ...this.#parts, turns: this.#turns },
      { params, order: { ...order, kind: order.kind }, payer: name(), payee, ...own },
      options.signal,
    )
  }

  /** @throws {SealwireError} `unavailable`. */
  async #payer(name: string): Promise<{ readonly contact: Contact; readonly self: Self }> {
    const contact = this.#needs.contact(name) ?? (await this.#learntSoon(name))
    const { self } = this.#needs
    if (contact !== undefined && self !== undefined) return { contact, self }
    throw new SealwireError('unavailable', 'the server has not said yet with which keys this account signs')
  }

  /** What one contact hands over costs calls, which the server counts as this account's. @throws {SealwireError} `busy`. */
  #requireRate({ account }: Contact): void {
    const now = this.#parts.clock.monotonic()
    const known = this.#rates.find(account)
    const perMinute = this.#parts.limits.directPaysMax
    const rate = known ?? new TokenBucket(perMinute, perMinute * secondsOfMinute, now)
    if (known === undefined) this.#rates.add(account, rate)
    if (!rate.take(now, secondsOfMinute)) throw new SealwireError('busy', 'too many orders come from this contact')
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
  async #settled(place: string, order: PayOrder, payer: string): Promise<PeerResult<'direct.pay'>> {
    let settled: SettledOrder
    try {
      settled = await this.#held.settle(place)
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (isRefusal(error)) throw error
      return { state: 'held' }
    }
    try {
      settled.receipt ??= (await this.#parts.calls.again('payment.receipt', { id: order.id, payer })).receipt
      return answerOf(settled.transfer, settled.receipt)
    } catch {
      return { state: 'held' }
    }
  }
}

/** What the payee has is nobody else's business. */
function answerOf(settled: SettledOrder['transfer'], receipt: Uint8Array): PeerResult<'direct.pay'> {
  const { balance: _, ...transfer } = settled
  return { state: 'settled', transfer, receipt }
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

/** A bucket gains whole tokens a second: an order costs as many as a minute has seconds. */
const secondsOfMinute = 60

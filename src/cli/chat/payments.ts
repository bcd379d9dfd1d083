// Money in a chat. A payment is asked about, kept in the home under the id of its order, sent, and forgotten when it is known what
// became of it; it goes on while one talks, and only one does.
//
//   /pay ─▶ earlier ones looked up ─▶ question ─yes─▶ kept, sending ─▶ paid | not paid: forgotten
//                                                        └─▶ no answer before the end: stays, and the next chat looks it up
//
// Whoever asks for the same again while an earlier one has no answer pays under the id of before, so that it is paid once.

import { nameKey } from '../../domain/case-fold.ts'
import type { Clock } from '../../domain/clock.ts'
import { isPassing } from '../../client/refusals.ts'
import type { PaymentRequest, Payments } from '../../client/payments.ts'
import { formatMessageId } from '../../client/outbox/message-id.ts'
import { memoCharactersMax } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type Advice, advised } from '../advice.ts'
import type { ChatNews } from './news.ts'
import { newestRequest } from './request.ts'
import type { Sum } from './sum.ts'
import type { Talker } from './talker.ts'
import { freshId } from '../options/id.ts'
import { dueWords } from '../money/words.ts'
import { isOver, type PendingPayment, type PendingPayments } from '../money/pending-payments.ts'

export interface ChatPaymentsParts {
  readonly me: Pick<Talker, 'name' | 'state' | 'call' | 'direct'> & { readonly payments: Wallet }
  readonly pending: Pick<PendingPayments, 'list' | 'find' | 'add' | 'remove'>
  readonly clock: Pick<Clock, 'now'>
  readonly tell: (news: ChatNews) => void
  /** Asks whoever types; resolves to whether they say yes. Default: nobody can be asked, and nothing is paid. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
}

type Wallet = Pick<Payments, 'unit' | 'amountText' | 'pay' | 'request' | 'requests' | 'balances' | 'transfer'>

export class ChatPayments {
  readonly #parts: ChatPaymentsParts
  /** Ids of those that were sent here and have no answer. */
  readonly #inDoubt = new Set<string>()
  #running: { readonly id: string; readonly done: Promise<void> } | undefined

  constructor(parts: ChatPaymentsParts) {
    this.#parts = parts
  }

  /**
   * Asks, and pays if the answer is yes: `name` the sum, or what they ask for with their newest request. Resolves with the answer.
   * @throws {SealwireError} `usage` where nobody can be asked; `busy`; what the server refuses beforehand.
   */
  async pay(name: string, sum: Sum | undefined): Promise<void> {
    const { ask, pending, tell } = this.#parts
    if (ask === undefined) throw new SealwireError('usage', '/pay asks first, at a terminal only', { hint: 'sealwire pay pays somebody' })
    if (this.#running !== undefined) throw new SealwireError('busy', 'a payment has no answer yet', { hint: 'wait for it' })
    await this.settle()
    const due = sum === undefined ? await this.#asked(name) : await this.#due(name, sum)
    const earlier = pending.find(due)
    const payment = { ...due, id: earlier?.id ?? formatMessageId(freshId()) }
    const doubt = earlier === undefined ? '' : ' It was asked for before and has no answer yet; it is paid once.'
    if (!(await ask(`Pay ${dueWords(due)}?${doubt} [y/N] `))) return tell({ event: 'unpaid', ...payment })
    // On the disk before anything leaves.
    pending.add(payment)
    tell({ event: 'paying', ...payment })
    this.#running = { id: payment.id, done: this.#carryOut(payment, earlier !== undefined).finally(() => (this.#running = undefined)) }
  }

  /** Asks somebody to pay. @throws {SealwireError} what the server refuses. */
  async request(name: string, sum: Sum): Promise<void> {
    const { amount, unit, memo } = checked(sum)
    const request = await this.#parts.me.payments.request(name, amount, { unit, memo }).catch(refuse)
    this.#parts.tell({ event: 'billed', request })
  }

  /** Tells the newest open requests, of both sides. */
  async requests(): Promise<void> {
    const requests: PaymentRequest[] = []
    for await (const request of this.#parts.me.payments.requests()) {
      requests.push(request)
      if (requests.length >= requestsMax) break
    }
    this.#parts.tell({ event: 'requests', own: this.#parts.me.name, requests })
  }

  async balance(): Promise<void> {
    this.#parts.tell({ event: 'balance', balances: await this.#parts.me.payments.balances() })
  }

  /** Tells what became of payments of earlier runs, as far as it is known. @throws {SealwireError} why it cannot be looked up. */
  async settle(): Promise<void> {
    for (const payment of this.#parts.pending.list()) if (payment.id !== this.#running?.id) await this.#settle(payment)
  }

  /** The same of one of them, if it has no answer yet. @throws as {@link settle}. */
  async settleOne(id: string): Promise<void> {
    const payment = this.#parts.pending.list().find((one) => one.id === id && id !== this.#running?.id)
    if (payment !== undefined) await this.#settle(payment)
  }

  /** Resolves when nothing is being sent any more: whether it is known what became of every payment of this chat. */
  async idle(): Promise<boolean> {
    await this.#running?.done
    return this.#inDoubt.size === 0
  }

  async #due(name: string, sum: Sum): Promise<Omit<PendingPayment, 'id'>> {
    const { me } = this.#parts
    const { amount, memo, ...asked } = checked(sum)
    try {
      const { unit } = await me.payments.unit(asked.unit)
      return { name: await this.#payee(name), amount: await me.payments.amountText(amount, unit), unit, memo }
    } catch (reason) {
      throw advised(reason, advice)
    }
  }

  /** As they write it themselves; whoever one has a direct link with is there, also when the server is not. */
  async #payee(name: string): Promise<string> {
    const { me } = this.#parts
    if (me.state !== 'online' && me.direct?.way(name).way === 'direct') return name
    return (await me.call('payment.find', { name })).name
  }

  /** What is still to be paid of the newest request of somebody. */
  async #asked(name: string): Promise<Omit<PendingPayment, 'id'>> {
    const { me } = this.#parts
    const asked = await newestRequest(me, {}, ({ from, to }) => to === me.name && nameKey(from) === nameKey(name))
    if (asked === undefined)
      throw new SealwireError('not_found', `${name} asks for nothing`, { hint: 'to pay something else, say how much: /pay 5 for lunch' })
    const { id, from, minor, paidMinor, unit, memo } = asked
    return { name: from, amount: await me.payments.amountText(minor - paidMinor, unit), unit, memo, request: id }
  }

  async #carryOut(payment: PendingPayment, isRepeated: boolean): Promise<void> {
    const { me, tell } = this.#parts
    const { id, name, amount, unit, memo, request } = payment
    try {
      const { balance } = await me.payments.pay(name, amount, { id, unit, memo, request })
      this.#forget(id)
      tell({ event: 'paid', ...payment, balance })
    } catch (reason) {
      const { code, sentence, hint } = advised(reason, advice)
      if (isDoubtful(SealwireError.from(reason), isRepeated)) {
        this.#inDoubt.add(id)
        return tell({ event: 'doubtful', ...payment, ...(me.direct === undefined ? {} : { sentence }) })
      }
      this.#forget(id)
      tell({ event: 'unpaid', ...payment, code, sentence, hint })
    }
  }

  async #settle(payment: PendingPayment): Promise<void> {
    const { me, tell, clock } = this.#parts
    try {
      await me.payments.transfer(payment.id)
      this.#forget(payment.id)
      tell({ event: 'paid', ...payment })
    } catch (reason) {
      const { code } = SealwireError.from(reason)
      if (code !== 'not_found') throw reason
      if (!isOver(payment.id, clock.now())) return tell({ event: 'doubtful', ...payment })
      this.#forget(payment.id)
      tell({ event: 'unpaid', ...payment, code: 'expired', sentence: 'it was not carried out in time', hint: undefined })
    }
  }

  /** What cannot be forgotten is looked up once more by the next chat. */
  #forget(id: string): void {
    this.#inDoubt.delete(id)
    try {
      this.#parts.pending.remove(id)
    } catch {
      // The disk says no; the payment has its answer all the same.
    }
  }
}

/** Of a payment that was sent before, only what the server says of the order itself is an answer. */
function isDoubtful(error: SealwireError, isRepeated: boolean): boolean {
  return error.code === 'unknown_outcome' || (isRepeated && (isPassing(error) || error.code === 'not_found' || error.code === 'internal'))
}

function checked(sum: Sum): Sum {
  if (sum.memo === undefined || sum.memo.length <= memoCharactersMax) return sum
  throw new SealwireError('usage', `what it is for has at most ${memoCharactersMax} characters`, { hint: 'say it in a message' })
}

function refuse(reason: unknown): never {
  throw advised(reason, advice)
}

const advice: Advice = {
  insufficient_funds: '/balance tells what there is',
  limit_exceeded: 'wait until tomorrow, or ask the operator',
  frozen: 'ask the operator',
  quota_exceeded: 'pay when they have read what waits for them',
  amount_invalid: 'write an amount such as 5 or 12.50',
  expired: '/pay again; if that expires at once too, look at the clock of this machine',
  not_found: 'check the name and the unit; what it is for stands behind for',
  gone: 'it was paid or taken back meanwhile: /requests lists what is open',
  unreachable: 'try again when there is a connection',
}
const requestsMax = limitTable.chatRequestsMax.value

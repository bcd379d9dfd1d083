// Money between accounts. What moves it is an order that a device has signed (payments.md): read here, its signature checked away
// from the event loop, then carried out by the store in one step with the message that tells of it; last, those who are here
// are told. Who asks again is answered the same, so that an answer that was lost costs nothing.
//
//   read ─▶ whose is it ─▶ signature ─▶ what to say ─▶ store ─▶ answer, events, messages

import { createHash } from 'node:crypto'
import { type Clock, formatAmount, parseAmount } from '../../domain/index.ts'
import {
  type CaptureOrder,
  decodeOrder,
  type Order,
  orderPurposes,
  orderSigner,
  type Params,
  type PayOrder,
  type RefundOrder,
  type SplitOrder,
  type VoidOrder,
} from '../../protocol/contract/index.ts'
import { assert, SealwireError } from '../../protocol/index.ts'
import { requestSeenBy } from '../../store/request-view.ts'
import type { LedgerMessage, NewEntry, Ordered, PaymentRequest, Person, Posted, Store, Transfer, Unit } from '../../store/index.ts'
import type { Audience } from '../messages/audience.ts'
import { type BroughtOrder, requirePayee, toldToPayee } from './brought-orders.ts'
import type { Author, Messages } from '../messages.ts'
import { partiesOf, paymentMessage, wireNews, wireRequest } from './wire.ts'
import { Recent } from '../../domain/recent.ts'
import { readSigned, type Signatures } from './signatures.ts'
import type { WaitOptions } from '../turns.ts'

/** What payments work with. */
export interface PaymentsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  /** 16 bytes: an order for another server is none here. */
  readonly serverId: Uint8Array
  readonly signatures: Signatures
  readonly audience: Audience
  readonly messages: Pick<Messages, 'announce' | 'deliver'>
  /** People whose names are remembered. */
  readonly peersRememberedMax: number
  /** Told after each new posting. */
  readonly posted: () => void
}

/** An order as it came. */
export type OrderRequest = Params<'payment.order'>
/** How long an order waits; `bringer`: who brings it in the place of whoever signed, and is answered. */
export interface OrderOptions extends WaitOptions {
  readonly bringer?: Author | undefined
}
/** Who asks to be paid, and what for: `payer` in place of the name. */
export interface RequestToPay extends Omit<Params<'payment.request'>, 'name'> {
  readonly payer: Person
}

export class Payments {
  readonly #parts: PaymentsParts
  readonly #people: Recent<bigint, Person>
  /** By code; decimals never change. */
  readonly #units = new Map<string, Unit>()

  constructor(parts: PaymentsParts) {
    this.#parts = parts
    this.#people = new Recent(parts.peersRememberedMax)
  }

  /**
   * Carries out an order of an account. It is durable when this resolves; sessions that are here were told, but `author` itself.
   * @throws {SealwireError} `signature_invalid` for what is not a signed order of this account for this server; `malformed`,
   * `amount_invalid`; `busy` when too many signatures wait; those of `ledger.order`, and of the store: after `unknown_outcome`
   * the same bytes again bring what became of it.
   */
  async order(author: Author, request: OrderRequest, { bringer, ...options }: OrderOptions = {}): Promise<Ordered> {
    const { store, clock, signatures } = this.#parts
    const { kind, order: signed, request: paid } = request
    const statement = readSigned(signed)
    const order = decodeOrder(kind, statement.payload)
    this.#requireOwn(order, author)
    const { memo, memos } = memosOf(order, request)
    await signatures.verify(statement, orderPurposes[kind], options)
    const messages = await this.#messagesOf(order, author, { memo, memos })
    const { signer: key } = statement
    const { device } = author
    const beside = { memo, memos, request: paid, messages, ...(bringer === undefined ? {} : { viewerId: bringer.id }) }
    const ordered = await store.run('ledger.order', { order, signed, key, ...beside, device, at: this.#now() })
    if (!ordered.repeated) this.#announce(ordered, messages, author, clock.now())
    return ordered
  }

  /**
   * Carries out a payment that another account has signed, for its payee, who brings it: as {@link order}, whichever of both is first.
   * The balance is that of the payee, and all sessions of both are told.
   * @throws {SealwireError} as {@link order}; `not_permitted` when it pays somebody else; `signature_invalid` also for a payer who is banned.
   */
  async bring(bringer: Author, payerId: bigint, request: BroughtOrder, options: WaitOptions = {}): Promise<Ordered> {
    requirePayee(request, bringer)
    const payer = await this.#person(payerId)
    if (payer === undefined) throw signatureInvalid('the order is of another account')
    try {
      // None of the payer's devices has the message already: the one that signed may never hear from who brings.
      return await this.order({ ...payer, device: undefined }, request, { ...options, bringer })
    } catch (reason) {
      throw toldToPayee(reason)
    }
  }

  /**
   * Asks somebody to pay.
   * @throws {SealwireError} `amount_invalid`; those of `ledger.request` and of the store.
   */
  async request(author: Author, { id, payer, unit: code, amount, memo, expiresAt }: RequestToPay): Promise<PaymentRequest> {
    const { store, clock } = this.#parts
    const unit = await this.unit(code)
    const minor = parseAmount(amount, unit.decimals)
    const message = paymentMessage(
      {
        ...{ kind: 'request', payer: payer.name, payee: author.name, unit: unit.code, amount: formatAmount(minor, unit.decimals) },
        ...{ memo, signerId: author.id, id, status: 'open' },
      },
      payer.id,
      id,
    )
    const input = { id, fromId: author.id, toId: payer.id, unit: unit.code, amount: minor, memo: memo === '' ? undefined : memo }
    const ends = expiresAt === undefined ? undefined : BigInt(expiresAt)
    const { request, repeated, posted } = await store.run('ledger.request', {
      ...{ ...input, expiresAt: ends, message, device: author.device, at: this.#now() },
    })
    if (!repeated) {
      this.#deliver(posted, [message], author, clock.now())
      this.#tellRequest(request, author)
    }
    return request
  }

  /** Cancels an own request or declines one. @throws {SealwireError} those of `ledger.settle` and of the store. */
  async settle(author: Author, id: Uint8Array): Promise<PaymentRequest> {
    const { request, changed } = await this.#parts.store.run('ledger.settle', { id, accountId: author.id, at: this.#now() })
    if (changed) this.#tellRequest(request, author)
    return requestSeenBy(request, author.id) ?? request
  }

  /** Tells everybody concerned what became of these, whoever did it. */
  tell(transfers: readonly Transfer[], requests: readonly PaymentRequest[]): void {
    for (const transfer of transfers) this.#tell(transfer, undefined)
    for (const request of requests) this.#tellRequest(request, undefined)
  }

  /** The units, the standard one first. @throws {SealwireError} those of the store. */
  units(): Promise<readonly Unit[]> {
    return this.#parts.store.run('unit.list', {})
  }

  /** A unit; without a code the standard one, which the operator may change. @throws {SealwireError} `not_found`; those of the store. */
  async unit(code?: string): Promise<Unit> {
    const known = code === undefined ? undefined : this.#units.get(code)
    if (known !== undefined) return known
    const units = await this.units()
    for (const unit of units) this.#units.set(unit.code, unit)
    const found = code === undefined ? units[0] : this.#units.get(code)
    if (found === undefined) throw new SealwireError('not_found', 'there is no such unit')
    return found
  }

  #requireOwn(order: Order, { id }: Author): void {
    if (Buffer.compare(order.server, this.#parts.serverId) !== 0) throw signatureInvalid('the order is for another server')
    if (orderSigner(order) !== id) throw signatureInvalid('the order is of another account')
  }

  /** What the parties are told in their conversations; who is not there is nobody's party, and the store says so. */
  #messagesOf(order: Order, author: Author, memos: Memos): readonly LedgerMessage[] | Promise<readonly LedgerMessage[]> {
    if (order.kind === 'split') return this.#partMessages(order, author, memos)
    const about = 'unit' in order ? this.#given(order, author) : this.#settled(order, author)
    if (about instanceof Promise) return about.then((found) => messagesAbout(found, order, author, memos))
    return messagesAbout(about, order, author, memos)
  }

  async #partMessages({ id, unit: code, parts }: SplitOrder, author: Author, { memos = [] }: Memos): Promise<readonly LedgerMessage[]> {
    const unit = await this.#unitOf(code)
    const payees = await Promise.all(parts.map(({ payee }) => this.#person(payee)))
    return parts.flatMap(({ amount }, at) => {
      const payee = payees[at]
      if (payee === undefined || unit === undefined || payee.id === author.id) return []
      const words = { kind: 'split', payer: author.name, payee: payee.name, unit: code, amount: formatAmount(amount, unit.decimals) }
      const said = { ...words, memo: memos[at], signerId: author.id, id, status: 'posted' }
      return [paymentMessage(said, payee.id, partId(id, payee.id))]
    })
  }

  /** Who pays whom what, at once where both are remembered; `undefined` where the store knows no more than we do. */
  #given({ payee: id, unit: code, amount }: PayOrder, payer: Author): About | Promise<About | undefined> {
    const payee = this.#people.find(id)
    const unit = this.#units.get(code)
    if (payee !== undefined && unit !== undefined) return { payer, payee, unit: code, decimals: unit.decimals, amount }
    return Promise.all([this.#person(id), this.#unitOf(code)]).then(
      ([person, known]) => person && known && { payer, payee: person, unit: code, decimals: known.decimals, amount },
    )
  }

  /** The same of an order that is about another transfer. */
  async #settled(order: CaptureOrder | VoidOrder | RefundOrder, author: Author): Promise<About | undefined> {
    const original = await this.#originalOf(order, author)
    if (original === undefined) return undefined
    const { unit, decimals, payer, payee } = original
    if (order.kind === 'refund') return payer && { payer: author, payee: payer, unit, decimals, amount: order.amount }
    const amount = order.kind === 'capture' ? order.amount : original.amount
    return payer && payee && { payer, payee, unit, decimals, amount }
  }

  async #originalOf(order: CaptureOrder | VoidOrder | RefundOrder, { id: accountId }: Author): Promise<Transfer | undefined> {
    const key =
      order.kind === 'refund' ? { signerId: order.originalPayer, id: order.original } : { signerId: order.holdPayer, id: order.hold }
    return (await this.#parts.store.run('ledger.transfer', { accountId, ...key }))?.transfer
  }

  async #unitOf(code: string): Promise<Unit | undefined> {
    try {
      return this.#units.get(code) ?? (await this.unit(code))
    } catch (reason) {
      if (SealwireError.from(reason).code === 'not_found') return undefined
      throw reason
    }
  }

  async #person(id: bigint): Promise<Person | undefined> {
    const known = this.#people.find(id)
    if (known !== undefined) return known
    const account = await this.#parts.store.run('account.findById', { id })
    if (account === undefined) return undefined
    const person = { id, key: account.key, name: account.name }
    this.#people.add(id, person)
    return person
  }

  #announce({ transfer, posted, changed, request }: Ordered, messages: readonly LedgerMessage[], author: Author, at: number): void {
    this.#parts.posted()
    this.#deliver(posted, messages, author, at)
    const hearing = hearingOf(posted, author)
    this.#tell(transfer, author, hearing)
    // Of a split that is refunded in part the other payees hear nothing.
    if (changed !== undefined) this.#tell(changed, author, hearing, partiesOf(transfer))
    if (request !== undefined) this.#tellRequest(request, author)
  }

  /** Which message is which is told by whom it went to. */
  #deliver(posted: readonly Posted[], messages: readonly LedgerMessage[], author: Author, at: number): void {
    for (const each of posted) {
      const message = messages.find(({ peerId }) => each.deliveries.some(({ accountId }) => accountId === peerId))
      if (message === undefined) {
        // Whom it is for has blocked the author, whose own devices hear of it all the same.
        this.#parts.messages.announce(each)
        continue
      }
      const entry: NewEntry = { ...message, kind: 'message', accountId: author.id, device: author.device, at: BigInt(at) }
      this.#parts.messages.deliver(each, entry, author)
    }
  }

  /** `hearing`: who is told its words too. */
  #tell(
    transfer: Transfer,
    except: object | undefined,
    hearing: ReadonlySet<bigint> = nobody,
    parties: readonly bigint[] = partiesOf(transfer),
  ): void {
    const { audience } = this.#parts
    for (const party of parties) {
      if (audience.of(party).some((hearer) => hearer !== except)) {
        audience.tell(party, 'payment.changed', wireNews(transfer, party, hearing.has(party) || party === transfer.signerId), except)
      }
    }
  }

  #tellRequest(request: PaymentRequest, except: object | undefined): void {
    for (const { id } of [request.from, request.to]) {
      const seen = requestSeenBy(request, id)
      if (seen !== undefined) this.#parts.audience.tell(id, 'payment.changed', { request: wireRequest(seen) }, except)
    }
  }

  #now(): bigint {
    return BigInt(this.#parts.clock.now())
  }
}

/** What is said of an order in the conversation of who pays and who is paid. */
function messagesAbout(about: About | undefined, { kind, id }: Order, author: Author, { memo }: Memos): readonly LedgerMessage[] {
  if (about === undefined || about.payer.id === about.payee.id) return []
  const { unit, amount, decimals, payer, payee } = about
  const words = { kind, payer: payer.name, payee: payee.name, unit, amount: formatAmount(amount, decimals) }
  const peer = payer.id === author.id ? payee : payer
  const status = kind === 'hold' ? 'pending' : 'posted'
  return [paymentMessage({ ...words, memo, signerId: author.id, id, status }, peer.id, id)]
}

interface Memos {
  readonly memo?: string | undefined
  readonly memos?: readonly (string | undefined)[] | undefined
}

interface About {
  readonly payer: Pick<Person, 'id' | 'name'>
  readonly payee: Pick<Person, 'id' | 'name'>
  readonly unit: string
  readonly decimals: bigint
  readonly amount: bigint
}

/** The words whose hashes an order has. @throws {SealwireError} `malformed`, `signature_invalid`. */
function memosOf(order: Order, { memo, memos }: OrderRequest): Memos {
  if (order.kind === 'split') {
    if (memo !== undefined || (memos !== undefined && memos.length !== order.parts.length)) throw malformed()
    const all = order.parts.map(({ memoHash }, at) => checkedMemo(memos?.[at], memoHash))
    return { memos: all }
  }
  if (memos !== undefined) throw malformed()
  if (order.kind === 'capture' || order.kind === 'void') {
    if (memo !== undefined) throw malformed()
    return {}
  }
  return { memo: checkedMemo(memo, order.memoHash) }
}

function checkedMemo(memo = '', memoHash: Uint8Array): string | undefined {
  const hash = memo === '' ? noMemoHash : createHash('sha256').update(memo, 'utf8').digest()
  if (Buffer.compare(hash, memoHash) !== 0) throw signatureInvalid('the memo is not what was signed')
  return memo === '' ? undefined : memo
}

/** The id of the message for one of the payees: follows from that of the order, so that asking again says nothing twice. */
function partId(id: Uint8Array, payee: bigint): Uint8Array {
  const bytes = createHash('sha256').update('sealwire/split-message/1\0').update(id).update(String(payee)).digest()
  assert(bytes.length >= id.length, 'a hash that is too short')
  return new Uint8Array(bytes.subarray(0, id.length))
}

/** To whom the words of money went as a message, and who said them. Of a split that may be some of its payees. */
function hearingOf(posted: readonly Posted[], author: Author): ReadonlySet<bigint> {
  if (posted.length === 0) return nobody
  return new Set([author.id, ...posted.flatMap(({ deliveries }) => deliveries.map(({ accountId }) => accountId))])
}

function signatureInvalid(sentence: string): SealwireError {
  return new SealwireError('signature_invalid', sentence)
}

function malformed(): SealwireError {
  return new SealwireError('malformed', 'the memos do not belong to an order of this kind')
}

const nobody: ReadonlySet<bigint> = new Set()
/** Most payments have no memo. */
const noMemoHash = createHash('sha256').digest()

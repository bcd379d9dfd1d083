// Payments that contacts have signed and handed over: kept on the disk before anything is answered, brought to the server at once,
// or as soon as it is there again, until it says what became of them. Until then they are worth nothing, and say so.
//
//   kept (unsettled) ──brought──▶ settled, forgotten
//         │  ▲          └────────▶ refused (expired, no money, …), forgotten
//         └──┘ no server, busy: again with the next connection, or later

import type { Clock, Timer } from '../../domain/clock.ts'
import { Recent } from '../../domain/recent.ts'
import { decodeOrder, type PayOrder, type Result } from '../../protocol/contract/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import { readCose } from '../../pki/cose-sign1.ts'
import type { CallOptions, Calls } from '../calls.ts'
import { Broadcast } from '../feed.ts'
import { formatMessageId } from '../outbox/message-id.ts'
import { isDecided } from '../payments/outcome.ts'
import type { HeldOrder } from './direct.ts'
import type { HandedPart } from './part.ts'
import type { KeptOrder, OrderStore } from './order-store.ts'

export interface HeldOrdersParts {
  readonly clock: Pick<Clock, 'after'>
  readonly limits: Pick<
    Limits,
    'clientLiveEventsMax' | 'clientRetryMsMax' | 'ordersHeldMax' | 'ordersHeldPerContactMax' | 'ordersSettledMax'
  >
  readonly calls: Pick<Calls, 'again'>
  readonly online: () => boolean
  readonly store: OrderStore
}

type WireTransfer = Result<'payment.bring'>

/** An order that was settled, as much of it as is remembered. */
export interface SettledOrder {
  /** COSE_Sign1. */
  readonly signed: Uint8Array
  readonly transfer: WireTransfer
  /** Once it was asked for. */
  receipt?: Uint8Array
}

interface Entry extends KeptOrder {
  readonly key: string
  readonly order: PayOrder
  bringing: Promise<SettledOrder> | undefined
}

export class HeldOrders implements HandedPart {
  readonly #parts: HeldOrdersParts
  readonly #entries = new Map<string, Entry>()
  readonly #settled: Recent<string, SettledOrder>
  readonly #changes: Broadcast<HeldOrder>
  readonly #loaded: Promise<void>
  #pumping = false
  #later: Timer | undefined
  #isClosed = false

  constructor(parts: HeldOrdersParts) {
    this.#parts = parts
    this.#changes = new Broadcast(parts.limits.clientLiveEventsMax)
    this.#settled = new Recent(parts.limits.ordersSettledMax)
    this.#loaded = this.#load()
    // Whoever keeps something is told.
    this.#loaded.catch(() => {})
  }

  /** Those that are not settled, and what becomes of each from now on. */
  held({ signal }: CallOptions = {}): AsyncIterableIterator<HeldOrder> {
    const first = [...this.#entries.values()].map((entry) => seen(entry, 'unsettled'))
    return this.#changes.read(signal, first)
  }

  /**
   * An order that was settled lately: nobody has to be asked, or told, once more.
   * @throws {SealwireError} `conflict` for another order under the same id.
   */
  settled(order: PayOrder, signed: Uint8Array): SettledOrder | undefined {
    const done = this.#settled.find(keyOf(order))
    if (done !== undefined && !sameBytes(done.signed, signed)) throw conflict()
    return done
  }

  /**
   * Keeps an order; it survives the end of the program when this resolves. The same again is the same, and what was settled is not kept.
   * @throws {SealwireError} `conflict` for another order under the same id, `busy` for too many, `storage_full`, `data_unusable`.
   */
  async keep(kept: KeptOrder): Promise<string> {
    await this.#loaded
    const entry = entryOf(kept)
    if (this.settled(entry.order, kept.signed) !== undefined) return entry.key
    const known = this.#entries.get(entry.key)
    if (known !== undefined && !sameBytes(known.signed, kept.signed)) throw conflict()
    if (known !== undefined) return known.key
    this.#requireRoom(entry)
    // Before it is on the disk, so that no more of them are let in than there is room for.
    this.#entries.set(entry.key, entry)
    try {
      await this.#parts.store.add(entry.key, kept)
    } catch (reason) {
      this.#entries.delete(entry.key)
      throw reason
    }
    this.#changes.push(seen(entry, 'unsettled'))
    return entry.key
  }

  /**
   * Has an order settled that was kept.
   * @throws {SealwireError} the server's refusal, and then it is kept no more; else why it is not known yet: it is brought again by itself.
   */
  async settle(key: string): Promise<SettledOrder> {
    const done = this.#settled.find(key)
    if (done !== undefined) return done
    const entry = this.#entries.get(key)
    if (entry === undefined) throw new SealwireError('not_found', 'there is no such order')
    entry.bringing ??= this.#bring(entry).finally(() => (entry.bringing = undefined))
    return entry.bringing
  }

  /** There is a connection to the server: brings all that is kept. */
  online(): void {
    void this.#pump()
  }

  /** Brings nothing more; what is kept stays where it is. */
  close(reason?: SealwireError): void {
    this.#isClosed = true
    this.#later?.cancel()
    this.#changes.end(reason)
  }

  /** Also what another program of the home has kept since: it may have ended. */
  async #load(): Promise<void> {
    for (const entry of (await this.#parts.store.load()).flatMap(entriesOf)) {
      if (this.#entries.has(entry.key) || this.#settled.find(entry.key) !== undefined) continue
      this.#entries.set(entry.key, entry)
      this.#changes.push(seen(entry, 'unsettled'))
    }
  }

  #requireRoom({ order }: Entry): void {
    const { ordersHeldMax, ordersHeldPerContactMax } = this.#parts.limits
    const ofContact = [...this.#entries.values()].filter((each) => each.order.payer === order.payer).length
    if (this.#entries.size < ordersHeldMax && ofContact < ordersHeldPerContactMax) return
    throw new SealwireError('busy', 'too many orders wait here to be settled')
  }

  async #pump(): Promise<void> {
    if (this.#pumping || this.#isClosed) return
    this.#pumping = true
    try {
      await this.#loaded
      await this.#load()
      for (const key of [...this.#entries.keys()]) {
        if (this.#isClosed || !this.#parts.online()) return
        await this.settle(key)
          .then(() => {})
          .catch(() => {}) // It was told already, or comes again.
      }
    } catch {
      // The folder cannot be read: whoever hands something over is told.
    } finally {
      this.#pumping = false
    }
  }

  async #bring(entry: Entry): Promise<SettledOrder> {
    const { from: payer, signed: order, memo } = entry
    try {
      const transfer = await this.#parts.calls.again('payment.bring', {
        ...{ payer, kind: 'pay', order },
        ...(memo === undefined ? {} : { memo }),
      })
      const settled: SettledOrder = { signed: order, transfer }
      this.#settled.add(entry.key, settled)
      await this.#done(entry, 'settled')
      return settled
    } catch (reason) {
      const error = SealwireError.from(reason)
      if (isRefusal(error)) await this.#done(entry, 'refused', error)
      else this.#again()
      throw error
    }
  }

  async #done(entry: Entry, state: 'settled' | 'refused', error?: SealwireError): Promise<void> {
    this.#entries.delete(entry.key)
    this.#changes.push(seen(entry, state, error))
    try {
      await this.#parts.store.remove(entry.key)
    } catch {
      // It comes back with the next start, and is told the same.
    }
  }

  /** What the server could not do now is tried later; without one, its next connection begins it. */
  #again(): void {
    if (this.#later !== undefined || this.#isClosed) return
    this.#later = this.#parts.clock.after(this.#parts.limits.clientRetryMsMax, () => {
      this.#later = undefined
      void this.#pump()
    })
  }
}

/** Whether the server has refused the order itself. Whose ledger is broken pays nobody, until its operator has looked. */
export function isRefusal(error: SealwireError): boolean {
  return isDecided(error) && error.code !== 'ledger_broken'
}

/** What an order says. Its signature was checked before it was kept, and is by the server. @throws {SealwireError} for one of another form. */
function entryOf(kept: KeptOrder): Entry {
  const order = decodeOrder('pay', readCose(kept.signed).payload)
  if (order.kind !== 'pay') throw new SealwireError('malformed', 'the order is no payment')
  return { ...kept, order, key: keyOf(order), bringing: undefined }
}

function keyOf({ payer, id }: PayOrder): string {
  return `${payer}-${Buffer.from(id).toString('hex')}`
}

function conflict(): SealwireError {
  return new SealwireError('conflict', 'the id stands for another order')
}

/** What somebody has damaged on the disk is none. */
function entriesOf(kept: KeptOrder): readonly Entry[] {
  try {
    return [entryOf(kept)]
  } catch {
    return []
  }
}

function seen({ from, order }: Entry, state: HeldOrder['state'], error?: SealwireError): HeldOrder {
  const { id, amount: minor, unit, expiresAt } = order
  const told = { from, id: formatMessageId(id), minor, unit, expiresAt: Number(expiresAt), state }
  return error === undefined ? told : { ...told, reason: error.sentence }
}

// What this installation has still to store, in order and once, whatever becomes of connections in between.
//
// The server sends everything behind what was acknowledged; what came before already is left out here, by its number in the
// inbox, which has no gaps. An entry is acknowledged when the program has done with it, never earlier: so what a crash took is
// sent again. More than may be read ahead is not kept: it is on the server, which is asked again when there is room.

import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { EventData } from '../protocol/contract/index.ts'
import { type ReadEntry, readEntry } from './content.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import type { LoggedIn } from './uplink.ts'

/** Something that this installation has to store. */
export interface InboxItem extends ReadEntry {
  /** Its place in the inbox, from 1: for `inbox({ after })`; 0 of what a server that was set back does not have any more. */
  readonly position: number
  /** Says that it is stored: it never comes again. Asking for the next item says the same. */
  done(): void
}

/** Where an inbox begins, and when it ends. */
export interface InboxOptions {
  /** The position of the last item that this program has stored. Default: what was acknowledged. */
  readonly after?: number
  readonly signal?: AbortSignal | undefined
  /** Told that entries up to this position left the inbox before they were read; `history` has them. */
  readonly lost?: (position: number) => void
  /**
   * Told that the server was set back to an earlier day and has less than this program stored. What comes next has positions
   * behind this one, whatever was stored before, and may have been here already: its `id` tells.
   */
  readonly rewound?: (position: number) => void
}

type Pushed = EventData<'inbox.entry'>
type Step = IteratorResult<InboxItem, undefined>

export class Inbox implements AsyncIterableIterator<InboxItem> {
  readonly #options: InboxOptions
  readonly #limits: Limits
  readonly #acknowledgements: Acknowledgements
  readonly #left: () => void
  readonly #pause: (tries: number) => Promise<void>
  readonly #waiting: PromiseWithResolvers<Step>[] = []
  readonly #ahead: Pushed[] = []
  #aheadBytes = 0
  #session: LoggedIn | undefined
  /** The last that was taken in. */
  #received: number | undefined
  /** The last that the program has stored, as it says. */
  #after: number | undefined
  #isRewound = false
  /** The item that the program has and has not done with. */
  #current: { readonly position: number } | undefined
  /** What comes is left out until the one comes that is next: the server was asked, or will be, to begin again. */
  #skips: boolean
  #isAsked = false
  #end: { readonly reason: SealwireError | undefined } | undefined

  constructor(
    options: InboxOptions,
    limits: Limits,
    acknowledgements: Acknowledgements,
    left: () => void,
    pause: (tries: number) => Promise<void>,
  ) {
    this.#options = options
    this.#limits = limits
    this.#acknowledgements = acknowledgements
    this.#left = left
    this.#pause = pause
    this.#after = options.after
    const places = [acknowledgements.place, options.after].filter((place) => place !== undefined)
    this.#received = places.length === 0 ? undefined : Math.max(...places)
    this.#skips = acknowledgements.place !== undefined
    options.signal?.addEventListener('abort', this.stop, { once: true })
    if (options.signal?.aborted === true) this.stop()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The connection that there is when the inbox is opened; on it may still come what an earlier reader was sent. */
  join(session: LoggedIn): void {
    this.#session = session
    void this.#ask(session)
  }

  /** A connection begins: everything behind what was acknowledged comes again. */
  open(session: LoggedIn): void {
    if (this.#session !== undefined && this.#session.device !== session.device) this.#forget()
    this.#skips = false
    this.join(session)
  }

  push(entry: Pushed): void {
    const { seq } = entry
    if (this.#received !== undefined && seq <= this.#received) return
    if (this.#skips && seq !== (this.#received ?? 0) + 1) return
    this.#isAsked = false
    this.#skips = this.#isFull()
    if (this.#skips) return
    this.#received = seq
    this.#ahead.push(entry)
    this.#aheadBytes += entry.entry.body?.length ?? 0
    this.#hand()
  }

  /** No more come. What was read ahead is not handed out: it comes again to whoever is next. */
  end(reason: SealwireError | undefined): void {
    if (this.#end !== undefined) return
    const [first, ...others] = this.#waiting.splice(0)
    this.#end = { reason: first === undefined ? reason : undefined }
    if (reason !== undefined) first?.reject(reason)
    else first?.resolve(over)
    for (const waiting of others) waiting.resolve(over)
    this.#ahead.length = 0
    this.#options.signal?.removeEventListener('abort', this.stop)
    this.#left()
  }

  async next(): Promise<Step> {
    if (this.#end !== undefined) return this.#ended(this.#end.reason)
    if (this.#current !== undefined) this.#done(this.#current)
    const waiting = Promise.withResolvers<Step>()
    this.#waiting.push(waiting)
    this.#hand()
    return waiting.promise
  }

  async return(): Promise<Step> {
    this.stop()
    return over
  }

  readonly stop = (): void => this.end(undefined)

  #ended(reason: SealwireError | undefined): Step {
    this.#end = { reason: undefined }
    if (reason !== undefined) throw reason
    return over
  }

  async #ask(session: LoggedIn, tries = 1): Promise<void> {
    this.#isAsked = true
    const place = Math.max(this.#acknowledgements.place ?? 0, this.#after ?? 0)
    try {
      const { ackedSeq, lostSeq = 0 } = await session.client.request('inbox.open', place === 0 ? {} : { after: place })
      if (this.#session === session && this.#end === undefined) this.#opened(session, ackedSeq, lostSeq)
    } catch (reason) {
      await this.#refused(session, SealwireError.from(reason), tries)
    }
  }

  #opened(session: LoggedIn, ackedSeq: number, lostSeq: number): void {
    const gone = Math.max(ackedSeq, lostSeq)
    const isBehind = this.#received !== undefined && gone > this.#received
    if (isBehind && lostSeq > 0) this.#options.lost?.(lostSeq)
    this.#acknowledgements.begin(ackedSeq)
    if (this.#isRewound) this.#options.rewound?.(ackedSeq)
    this.#isRewound = false
    if (!this.#skips || !isBehind) return
    // The one that is next here will never come.
    this.#received = gone
    void this.#ask(session)
  }

  /** Asks again while the rate is used up. Another connection that cannot bring the inbox is of no use: the next one may. */
  async #refused(session: LoggedIn, error: SealwireError, tries: number): Promise<void> {
    if (this.#session !== session || this.#end !== undefined) return
    if (error.code === 'device_required') return this.end(error)
    if (error.code === 'conflict' && tries < triesMax) return this.#rewind(session, tries)
    if (error.code !== 'rate_limited' || tries >= triesMax) return session.client.close()
    await this.#pause(tries)
    if (this.#session === session && this.#end === undefined) await this.#ask(session, tries + 1)
  }

  /** The server has less than was stored here. What was read ahead is all that there is of it, and is acknowledged to nobody. */
  async #rewind(session: LoggedIn, tries: number): Promise<void> {
    this.#acknowledgements.rewind()
    const ahead = this.#ahead.map((entry) => ({ ...entry, seq: 0 }))
    this.#ahead.splice(0, ahead.length, ...ahead)
    this.#after = this.#received = this.#current = undefined
    this.#skips = false
    this.#isRewound = true
    await this.#ask(session, tries + 1)
  }

  #hand(): void {
    while (this.#waiting.length > 0) {
      const entry = this.#ahead.shift()
      if (entry === undefined) return
      this.#aheadBytes -= entry.entry.body?.length ?? 0
      if (this.#isOwn(entry)) this.#acknowledgements.acknowledge(entry.seq)
      else this.#waiting.shift()?.resolve({ done: false, value: this.#item(entry) })
      this.#refill()
    }
  }

  #item({ seq, entry }: Pushed): InboxItem {
    const current = { position: seq }
    this.#current = current
    return { ...readEntry(entry), position: seq, done: () => this.#done(current) }
  }

  #done(item: { readonly position: number }): void {
    if (this.#current !== item) return
    this.#current = undefined
    this.#acknowledgements.acknowledge(item.position)
  }

  /** What was said here comes back only where the account has other installations too. */
  #isOwn({ entry }: Pushed): boolean {
    return entry.from === this.#session?.name && entry.device !== undefined && entry.device === this.#session.device
  }

  #isFull(): boolean {
    return this.#ahead.length >= this.#limits.clientInboxEntriesMax || this.#aheadBytes >= this.#limits.clientInboxBytesMax
  }

  /** Asks again for what was left out, once nearly everything that was read ahead is taken. */
  #refill(): void {
    const { clientInboxEntriesMax, clientInboxBytesMax } = this.#limits
    const isLow = this.#ahead.length <= clientInboxEntriesMax / 8 && this.#aheadBytes <= clientInboxBytesMax / 8
    if (this.#skips && !this.#isAsked && isLow && this.#session !== undefined) void this.#ask(this.#session)
  }

  /** Another installation has another place, and other numbers. */
  #forget(): void {
    this.#received = undefined
    this.#current = undefined
    this.#ahead.length = 0
    this.#aheadBytes = 0
  }
}

const triesMax = limitTable.inboxTriesMax.value
const over = Object.freeze({ done: true, value: undefined })

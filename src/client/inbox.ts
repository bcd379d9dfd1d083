// What this installation has still to store, in order and once, whatever becomes of connections in between.
//
// The server sends everything behind what was acknowledged; what came before already is left out here, by its number in the
// inbox, which has no gaps. An entry is acknowledged when the program has done with it, never earlier: so what a crash took is
// sent again. More than may be read ahead is not kept: it is on the server, which is asked again when there is room.

import { type Code, type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import type { Entry, EventData } from '../protocol/contract/index.ts'
import { type ReadEntry, readEntry } from './content.ts'
import type { Acknowledgements } from './inbox/acknowledgements.ts'
import type { LoggedIn } from './uplink.ts'

/** Something that this installation has to store. */
export interface InboxItem extends ReadEntry {
  /**
   * Its place in the inbox, from 1: for `inbox({ after })`; 0 of what a server that was set back does not have any more, and of what
   * came directly.
   */
  readonly position: number
  /** Whether it came over a direct link, before the server has given it a place: its `seq` is 0, and `at` is when its author said it. */
  readonly way: 'direct' | 'relayed'
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

/** @internal What was said over a direct link, before the server has brought it. */
export interface SaidItem {
  /** As the server will bring it, but for `seq` and `at`. */
  readonly entry: Entry
  /** The program has done with it. */
  done(): void
  /** The reader went before: it comes through the server, to whoever is next. May be followed by `done`. */
  dropped(): void
}

/** @internal Who knows what came over direct links, so that the program gets everything once. */
export interface InboxTap {
  /** An entry is about to be read ahead: whether the program gets it, or has got it over a direct link. */
  passes(entry: Entry, position: number): 'new' | 'heard'
  /** Everything up to this position was read ahead. */
  reached?(position: number): void
  /** The turn of an entry that was heard has come; it is acknowledged. */
  passed(entry: Entry, position: number): void
  /** The server knows that everything up to this position is stored. */
  acknowledged(position: number): void
  /** The reader goes, which has read up to `received`. What it did not store, behind this position, comes again to the next one. */
  ended(position: number, received: number): void
  /** From now on positions mean something else: of another installation, or of a server that was set back. */
  forget(): void
  /** In the place of the one of the entry's numbers; undefined where that is good. */
  answerId?(entry: Entry): string | undefined
}

type Pushed = EventData<'inbox.entry'>
type Step = IteratorResult<InboxItem, undefined>

/** Something that was read ahead. */
interface Ahead extends Pushed {
  /** It came directly. */
  readonly said?: SaidItem
  /** The program has it already. */
  readonly isHeard?: boolean
}

/** What the program has and has not done with: everything that was handed out so far is done with it. */
interface Current {
  /** Undefined where there is nothing to acknowledge. */
  position: number | undefined
  readonly said: readonly SaidItem[]
}

export class Inbox implements AsyncIterableIterator<InboxItem> {
  readonly #options: InboxOptions
  readonly #limits: Limits
  readonly #acknowledgements: Acknowledgements
  readonly #left: () => void
  readonly #pause: (tries: number) => Promise<void>
  readonly #waiting: PromiseWithResolvers<Step>[] = []
  readonly #ahead: Ahead[] = []
  readonly #tap: InboxTap | undefined
  #aheadBytes = 0
  #session: LoggedIn | undefined
  /** The last that was taken in. */
  #received: number | undefined
  /** The last that the program has stored, as it says. */
  #after: number | undefined
  #isRewound = false
  #current: Current | undefined
  /** What comes is left out until the one comes that is next: the server was asked, or will be, to begin again. */
  #skips: boolean
  #isAsked = false
  /** An entry came and one before it did not: the server is asked what has left the inbox. */
  #gap: number | undefined
  /** Until the server has answered, what comes is what an earlier reader had asked for. */
  #isOpened = false
  #end: { readonly reason: SealwireError | undefined } | undefined

  constructor(
    options: InboxOptions,
    limits: Limits,
    acknowledgements: Acknowledgements,
    left: () => void,
    pause: (tries: number) => Promise<void>,
    tap?: InboxTap,
  ) {
    this.#options = options
    this.#limits = limits
    this.#acknowledgements = acknowledgements
    this.#left = left
    this.#pause = pause
    this.#tap = tap
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
    this.#isOpened = false
    void this.#ask(session)
  }

  /** A connection begins: everything behind what was acknowledged comes again. */
  open(session: LoggedIn): void {
    if (this.#session !== undefined && this.#session.device !== session.device) this.#forget()
    this.#skips = false
    this.#gap = undefined
    this.join(session)
  }

  /** Up to where everything was read ahead, or is stored. */
  get received(): number {
    return Math.max(this.#received ?? 0, this.#acknowledgements.place ?? 0)
  }

  push(pushed: Pushed): void {
    const { seq, entry } = pushed
    if (!this.#isOpened || (this.#received !== undefined && seq <= this.#received)) return
    if (this.#skips && seq !== (this.#received ?? 0) + 1) return
    if (seq > this.received + 1 && seq !== this.#gap) return this.#askBefore(seq)
    this.#isAsked = false
    this.#skips = this.#isFull()
    if (this.#skips) return
    this.#received = seq
    this.#gap = undefined
    this.#queue(this.#tap?.passes(entry, seq) === 'heard' ? { ...pushed, isHeard: true } : pushed)
    this.#tap?.reached?.(seq)
  }

  /** Hands out what came over a direct link, behind what was read ahead. False when there is no room. */
  pushSaid(said: SaidItem): boolean {
    if (this.#end !== undefined || this.#isFull()) return false
    this.#queue({ seq: 0, entry: said.entry, said })
    return true
  }

  /** No more come. What was read ahead is not handed out: it comes again to whoever is next. */
  end(reason: SealwireError | undefined): void {
    if (this.#end !== undefined) return
    const [first, ...others] = this.#waiting.splice(0)
    this.#end = { reason: first === undefined ? reason : undefined }
    if (reason !== undefined) first?.reject(reason)
    else first?.resolve(over)
    for (const waiting of others) waiting.resolve(over)
    this.#drop()
    this.#tap?.ended(this.#acknowledgements.place ?? 0, this.received)
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
    this.#isOpened = true
    const gone = Math.max(ackedSeq, lostSeq)
    const isBehind = this.#received !== undefined && gone > this.#received
    const isLost = lostSeq > this.received
    this.#acknowledgements.begin(ackedSeq)
    this.#tap?.acknowledged(ackedSeq)
    if (this.#isRewound) this.#options.rewound?.(ackedSeq)
    this.#isRewound = false
    if (isLost) {
      this.#received = lostSeq
      this.#options.lost?.(lostSeq)
    }
    if (this.#gap !== undefined && !isBehind) this.#skips = false
    if (!this.#skips || !isBehind) return
    // The one that is next here will never come.
    this.#received = gone
    void this.#ask(session)
  }

  /** What is missing was lost, or another program of this home has taken it. */
  #askBefore(seq: number): void {
    this.#gap = seq
    this.#skips = true
    if (this.#session !== undefined) void this.#ask(this.#session)
  }

  #queue(ahead: Ahead): void {
    this.#ahead.push(ahead)
    this.#aheadBytes += ahead.entry.body?.length ?? 0
    this.#hand()
  }

  /** Asks again while the rate is used up, or there is no room for a place of its own. Another connection that cannot bring the inbox is of no use: the next one may. */
  async #refused(session: LoggedIn, error: SealwireError, tries: number): Promise<void> {
    if (this.#session !== session || this.#end !== undefined) return
    // Of a full server another connection brings no more.
    if (error.code === 'device_required' || (error.code === 'storage_full' && tries >= triesMax)) return this.end(error)
    if (error.code === 'conflict' && tries < triesMax) return this.#rewind(session, tries)
    if (!waits.has(error.code) || tries >= triesMax) return session.client.close()
    await this.#pause(tries)
    if (this.#session === session && this.#end === undefined) await this.#ask(session, tries + 1)
  }

  /** The server has less than was stored here. What was read ahead is all that there is of it, and is acknowledged to nobody. */
  async #rewind(session: LoggedIn, tries: number): Promise<void> {
    this.#acknowledgements.rewind()
    const ahead = this.#ahead.filter(({ isHeard }) => isHeard !== true).map((one) => ({ ...one, seq: 0 }))
    this.#ahead.splice(0, this.#ahead.length, ...ahead)
    this.#aheadBytes = ahead.reduce((sum, { entry }) => sum + (entry.body?.length ?? 0), 0)
    this.#after = this.#received = undefined
    if (this.#current !== undefined) this.#current.position = undefined
    this.#tap?.forget()
    this.#skips = false
    this.#isRewound = true
    await this.#ask(session, tries + 1)
  }

  #hand(): void {
    while (this.#waiting.length > 0) {
      const ahead = this.#ahead.shift()
      if (ahead === undefined) return
      this.#aheadBytes -= ahead.entry.body?.length ?? 0
      if (ahead.isHeard === true || this.#isOwn(ahead)) this.#leaveOut(ahead)
      else this.#waiting.shift()?.resolve({ done: false, value: this.#item(ahead) })
      this.#refill()
    }
  }

  #leaveOut({ seq, entry, isHeard }: Ahead): void {
    if (isHeard === true) this.#tap?.passed(entry, seq)
    // Who waits for several items at once has not done with those that they have.
    if (this.#current === undefined) this.#acknowledge(seq)
    else this.#current.position = seq
  }

  #item({ seq, entry, said }: Ahead): InboxItem {
    const position = said === undefined ? seq : this.#current?.position
    const earlier = this.#current?.said ?? []
    const current = { position, said: said === undefined ? earlier : [...earlier, said] }
    this.#current = current
    const way = said === undefined ? 'relayed' : 'direct'
    return { ...readEntry(entry, this.#tap), position: seq, way, done: () => this.#done(current) }
  }

  #done(item: Current): void {
    if (this.#current !== item) return
    this.#current = undefined
    for (const said of item.said) said.done()
    if (item.position !== undefined) this.#acknowledge(item.position)
  }

  #acknowledge(position: number): void {
    this.#acknowledgements.acknowledge(position)
    if (this.#tap !== undefined) void this.#tell(this.#tap)
  }

  async #tell(tap: InboxTap): Promise<void> {
    await this.#acknowledgements.settle()
    tap.acknowledged(this.#acknowledgements.known)
  }

  /** What was said here comes back only where the account has other installations too. */
  #isOwn({ entry }: Ahead): boolean {
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
    this.#drop()
    this.#current = undefined
    this.#aheadBytes = 0
    this.#tap?.forget()
  }

  /** What came directly and is not done with comes through the server as well. */
  #drop(): void {
    const ahead = this.#ahead.splice(0)
    for (const said of this.#current?.said ?? []) said.dropped()
    for (const { said } of ahead) said?.dropped()
  }
}

const waits: ReadonlySet<Code> = new Set(['rate_limited', 'storage_full'])
const triesMax = limitTable.inboxTriesMax.value
const over = Object.freeze({ done: true, value: undefined })

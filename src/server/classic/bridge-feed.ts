// What one account says to another in their conversation, on its way to a classic session: what is unread, then what comes.
//
//   opening ──the conversation is found──▶ catching up ──everything that is known is handed over──▶ live
//   live ──the link does not keep up──▶ catching up
//   any ──the chat is over──▶ closed
//
// The history is the queue: what the link does not take yet is read from there later, in its order, so that nothing waits in
// memory but one page. What was handed over is marked as read, and the next chat begins behind that.

import type { Clock } from '../../domain/index.ts'
import { decodeCbor } from '../../protocol/contract/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { Person, Store, StoredEntry } from '../../store/index.ts'
import { plainText, type Talker } from './chats.ts'
import type { EntryData } from '../messages/entry-event.ts'
import type { Place } from '../messages/marks.ts'

/** What a feed works with. */
export interface BridgeFeedParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'after'>
  readonly limits: Pick<Limits, 'inboxPageBytes' | 'historyEntriesMax'>
  /** `listener` has read up to a place; resolves to false when that could not be stored. */
  readonly mark: (listener: Talker, place: Place) => Promise<boolean>
  /** Told when the conversation cannot be read any more. */
  readonly failed: (listener: Talker, error: SealwireError) => void
}

/** Between two tries to read what the store could not read. */
const retryMs = limitTable.inboxRetryMs.value

export class BridgeFeed {
  readonly #listener: Talker
  readonly #peer: Person
  readonly #parts: BridgeFeedParts
  #state: 'opening' | 'catching up' | 'live' | 'closed' = 'opening'
  /** Of the conversation; 0 until it is found. */
  #id = 0n
  /** The last entry that was handed over, or passed by. */
  #handedSeq = 0n
  /** The newest entry that is known. */
  #lastSeq = 0n
  /** Up to where it is marked as read, or about to be. */
  #markedSeq = 0n
  #isMarking = false
  /** Whether it ends when everything that is unread was handed over. */
  readonly #isOnce: boolean

  constructor(listener: Talker, peer: Person, parts: BridgeFeedParts, isOnce = false) {
    this.#listener = listener
    this.#peer = peer
    this.#parts = parts
    this.#isOnce = isOnce
  }

  begin(): void {
    this.#carryOn(() => this.#open())
  }

  /** The other one has said something somewhere; call it in the turn in which the store answered. */
  offer(entry: StoredEntry): void {
    if (entry.conversationId !== this.#id) return
    if (entry.seq > this.#lastSeq) this.#lastSeq = entry.seq
    if (this.#state !== 'live' || entry.seq <= this.#handedSeq) return
    if (this.#listener.backlog() !== undefined) return this.#catchUp()
    this.#hand(entry)
    void this.#mark()
  }

  /** What was handed over is marked before it returns, for whoever asks the store next. */
  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    if (this.#markedSeq < this.#handedSeq) void this.#markNow()
  }

  async #open(): Promise<void> {
    const row = await this.#parts.store.run('conversation.find', { accountId: this.#listener.id, peerId: this.#peer.id })
    if (this.#isOnce && (row === undefined || row.readSeq === row.lastSeq)) return this.close()
    if (row === undefined) throw new SealwireError('not_found', 'there is no such conversation')
    if (this.#state !== 'opening') return
    this.#id = row.id
    this.#handedSeq = row.readSeq
    this.#markedSeq = row.readSeq
    this.#catchUp()
  }

  #catchUp(): void {
    this.#state = 'catching up'
    this.#carryOn(() => this.#readOn())
  }

  async #readOn(): Promise<void> {
    while (this.#state === 'catching up') {
      await this.#listener.backlog()
      if (this.#state !== 'catching up') return
      const { entries, more } = await this.#readPage()
      for (const entry of entries) this.#hand(entry)
      void this.#mark()
      // What is missing at the end cannot be seen any more.
      if (entries.length === 0 && this.#lastSeq > this.#handedSeq) this.#handedSeq = this.#lastSeq
      if (this.#isCatchingUp() && !more && this.#handedSeq >= this.#lastSeq) this.#state = 'live'
    }
    if (this.#isOnce) this.close()
  }

  #readPage() {
    const { store, limits } = this.#parts
    return store.run('entry.history', {
      accountId: this.#listener.id,
      conversationId: this.#id,
      after: this.#handedSeq,
      max: BigInt(limits.historyEntriesMax),
      bytesMax: BigInt(limits.inboxPageBytes),
    })
  }

  /** What the link does not take any more stays unread, and so does what comes when they do not talk any more. */
  #hand(entry: StoredEntry): void {
    const { seat } = this.#listener
    if (this.#state === 'closed') return
    if (seat.name !== 'talking' || seat.peer.id !== this.#peer.id) return this.close()
    for (const text of textsOf(entry, this.#peer)) if (this.#listener.said(text) !== 'handed_over') return this.close()
    this.#handedSeq = entry.seq
  }

  /** One mark at a time; what could not be stored is covered by the next one. */
  async #mark(): Promise<void> {
    if (this.#isMarking) return
    this.#isMarking = true
    while (this.#state !== 'closed' && this.#markedSeq < this.#handedSeq && (await this.#markNow()));
    this.#isMarking = false
  }

  async #markNow(): Promise<boolean> {
    const [before, seq] = [this.#markedSeq, this.#handedSeq]
    this.#markedSeq = seq
    const isStored = await this.#parts.mark(this.#listener, { conversationId: this.#id, seq })
    if (!isStored) this.#markedSeq = before
    return isStored
  }

  /** Awaiting changes what a field was known to be. */
  #isCatchingUp(): boolean {
    return this.#state === 'catching up'
  }

  /** A store that is busy or could not read is asked again. */
  #carryOn(action: () => Promise<void>): void {
    action().catch((reason: unknown) => {
      if (this.#state === 'closed') return
      const error = SealwireError.from(reason)
      if (error.fatal || error.code === 'not_found') return this.#parts.failed(this.#listener, error)
      this.#parts.clock.after(retryMs, () => this.#carryOn(action))
    })
  }
}

/** What of an entry a classic client can show: text as it is, of everything else what it is. */
function* textsOf({ kind, authorId, type = plainText, body, data }: StoredEntry, peer: Person): Iterable<Uint8Array> {
  if (authorId !== peer.id || body === undefined || (kind !== 'message' && kind !== 'contact')) return
  const { file } = data === undefined ? {} : (decodeCbor(data) as EntryData)
  if (type.startsWith(plainText)) {
    if (body.length > 0 || file === undefined) yield body
  } else if (body.length > 0 || file === undefined) yield noteOf(type, body.length)
  if (file !== undefined) yield noteOf(file.name, file.size)
}

function noteOf(what: string, size: number): Uint8Array {
  return utf8.encode(`[${what}, ${size} ${size === 1 ? 'byte' : 'bytes'}]`)
}

const utf8 = new TextEncoder()

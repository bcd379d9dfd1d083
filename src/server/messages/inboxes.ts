// Which sessions have an open inbox, and what has to reach them now. The store is the queue: a session that is not ready for
// an entry reads it from there later, so that nothing waits in memory for anybody.

import { type Limits, limitTable } from '../../protocol/index.ts'
import type { Delivery, Posted, Store, StoredEntry } from '../../store/index.ts'
import { EntryFrame } from './entry-frame.ts'
import { FanOut } from './fan-out.ts'
import type { InboxSession } from './inbox-session.ts'

/** Up to so many are given it at once, whatever else waits. */
const fewMax = limitTable.fanOutFewMax.value
/** So that looking does not fill the queue of the store. */
const looksPerMs = limitTable.inboxLooksPerMsMax.value
const nobody: readonly InboxSession[] = Object.freeze([])

/** What inboxes work with. */
export interface InboxesParts {
  readonly limits: Pick<Limits, 'fanOutEntriesMax'>
  readonly store: Pick<Store, 'run'>
}

export class Inboxes {
  readonly #store: Pick<Store, 'run'>
  readonly #fanOut: FanOut
  /** By account. */
  readonly #open = new Map<bigint, InboxSession[]>()

  constructor({ limits, store }: InboxesParts) {
    this.#store = store
    this.#fanOut = new FanOut({
      entriesMax: limits.fanOutEntriesMax,
      hand: (delivery, frame) => this.#hand(delivery, frame),
      missed: () => this.doubt(),
    })
  }

  /** Sessions that hear. */
  get size(): number {
    return [...this.#open.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** The session hears from now on of what comes into the inbox of its account. */
  enter(session: InboxSession): void {
    const sessions = this.#open.get(session.accountId)
    if (sessions === undefined) this.#open.set(session.accountId, [session])
    else sessions.push(session)
  }

  leave(session: InboxSession): void {
    const sessions = this.#open.get(session.accountId) ?? []
    const at = sessions.indexOf(session)
    if (at >= 0) sessions.splice(at, 1)
    if (sessions.length === 0) this.#open.delete(session.accountId)
  }

  /**
   * Brings an entry to every session that waits for it, when there are many to some in later turns. `entry` is what the store
   * has; call it in the turn in which the store answered, so that entries leave in the order in which they were stored.
   */
  deliver({ deliveries }: Posted, entry: StoredEntry): void {
    const frame = new EntryFrame(entry)
    if (deliveries.length > fewMax) return this.#fanOut.push(deliveries, frame)
    for (const delivery of deliveries) this.#hand(delivery, frame)
  }

  /** The same for an entry of which only the store knows the words: few read it there each for themselves, for many it is read once. */
  announce({ deliveries }: Posted): void {
    const [first] = deliveries
    if (first !== undefined && deliveries.length > fewMax) return void this.#announceToMany(deliveries, first)
    this.#fetch(deliveries)
  }

  /** Something may have been stored of which the store could not tell: every session looks for itself, few at a time. */
  doubt(): void {
    const sessions = [...this.#open.values()].flat()
    for (const [index, session] of sessions.entries()) session.doubt(Math.floor(index / looksPerMs))
  }

  async #announceToMany(deliveries: readonly Delivery[], { accountId, inboxSeq }: Delivery): Promise<void> {
    const what = { accountId, after: inboxSeq - 1n, max: 1n, bytesMax: 1n }
    const page = await this.#store.run('inbox.read', what).catch(() => undefined)
    const [read] = page?.entries ?? []
    // It may have left that inbox already.
    if (read?.inboxSeq === inboxSeq) this.#fanOut.push(deliveries, new EntryFrame(read.entry))
    else this.#fetch(deliveries)
  }

  #fetch(deliveries: readonly Delivery[]): void {
    for (const { accountId, inboxSeq } of deliveries) {
      for (const session of this.#of(accountId)) session.fetch(inboxSeq)
    }
  }

  /** Whether somebody took it. Who does not reads it in the store, if they are here. */
  #hand({ accountId, inboxSeq }: Delivery, frame: EntryFrame): boolean {
    let isTaken = false
    for (const session of this.#of(accountId)) {
      if (!session.awaits(inboxSeq)) continue
      session.push(inboxSeq, frame)
      isTaken = true
    }
    return isTaken
  }

  #of(accountId: bigint): readonly InboxSession[] {
    return this.#open.get(accountId) ?? nobody
  }
}

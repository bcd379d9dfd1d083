// Which sessions have an open inbox, and what has to reach them now. The store is the queue: a session that is not ready for
// an entry reads it from there later, so that nothing waits in memory for anybody.

import type { Posted, StoredEntry } from '../store/index.ts'
import { encodeEntry } from './entry-event.ts'
import type { InboxSession } from './inbox-session.ts'

/** So that looking does not fill the queue of the store. */
const looksPerMs = 5
const nobody: readonly InboxSession[] = Object.freeze([])

export class Inboxes {
  /** By account. */
  readonly #open = new Map<bigint, InboxSession[]>()

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
   * Brings an entry to every session that waits for it. `entry` is what the store has; call it in the turn in which the store
   * answered, so that entries leave in the order in which they were stored.
   */
  deliver({ deliveries }: Posted, entry: StoredEntry): void {
    let bytes: Uint8Array | undefined
    for (const { accountId, inboxSeq } of deliveries) {
      for (const session of this.#of(accountId)) {
        if (!session.awaits(inboxSeq)) continue
        bytes ??= encodeEntry(entry)
        session.push(inboxSeq, bytes)
      }
    }
  }

  /** The same for an entry of which only the store knows the words: whoever waits for it reads it there. */
  announce({ deliveries }: Posted): void {
    for (const { accountId, inboxSeq } of deliveries) {
      for (const session of this.#of(accountId)) session.fetch(inboxSeq)
    }
  }

  /** Something may have been stored of which the store could not tell: every session looks for itself, few at a time. */
  doubt(): void {
    const sessions = [...this.#open.values()].flat()
    for (const [index, session] of sessions.entries()) session.doubt(Math.floor(index / looksPerMs))
  }

  #of(accountId: bigint): readonly InboxSession[] {
    return this.#open.get(accountId) ?? nobody
  }
}

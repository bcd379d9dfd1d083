// Conversations as one of their members sees them, and what was said there. What the other one of a direct conversation does
// not show is left out.

import type { Clock } from '../../domain/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { ConversationRow, EntryPage, Freed, Input, Output, Store } from '../../store/index.ts'
import type { Participant } from '../classic/chats.ts'
import { type People, showsTo } from '../people.ts'
import { Lanes, Turns, type WaitOptions } from '../turns.ts'

/** What conversations work with. */
export interface ConversationsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly people: People
  readonly limits: Pick<Limits, 'searchesAtOnceMax' | 'searchQueueMax'>
  /** Told which files no message has any more. */
  readonly freed: (files: readonly Uint8Array[]) => void
}

/** A conversation, and of the other one only what they show. */
export interface SeenConversation extends Omit<ConversationRow, 'peerDeliveredSeq' | 'peerReadSeq'> {
  readonly peerDeliveredSeq: bigint | undefined
  readonly peerReadSeq: bigint | undefined
}

/** Bodies deleted in one step, so that what others say does not wait. */
const deletedAtOnce = 500n

export class Conversations {
  readonly #parts: ConversationsParts
  /** Searches of each account, and of all: the store does nothing else while one is carried out. */
  readonly #own: Lanes
  readonly #searches: Turns

  constructor(parts: ConversationsParts) {
    this.#parts = parts
    const { searchesAtOnceMax: width, searchQueueMax: waitingMax } = parts.limits
    this.#own = new Lanes({ width: 1, waitingMax })
    this.#searches = new Turns({ width, waitingMax })
  }

  /** At most `max` whose numbers come after `after`. @throws {SealwireError} those of the store. */
  async page(me: Participant, after: bigint, max: bigint): Promise<readonly SeenConversation[]> {
    const rows = await this.#parts.store.run('conversation.list', { accountId: me.id, after, max })
    return Promise.all(rows.map((row) => this.#seen(row)))
  }

  /** By its number, or the direct one with `peerId`. @throws {SealwireError} `not_found`; those of the store. */
  async find(me: Participant, which: Pick<Input<'conversation.find'>, 'id' | 'peerId'>): Promise<SeenConversation> {
    const row = await this.#parts.store.run('conversation.find', { accountId: me.id, ...which })
    if (row === undefined) throw new SealwireError('not_found', 'there is no such conversation')
    return this.#seen(row)
  }

  /** Entries that `me` may see, oldest first. @throws {SealwireError} `not_found`; those of the store. */
  history(me: Participant, wanted: Omit<Input<'entry.history'>, 'accountId'>): Promise<EntryPage> {
    return this.#parts.store.run('entry.history', { accountId: me.id, ...wanted })
  }

  /** Newest first. @throws {SealwireError} `busy` when too many wait, `connection_lost` by the signal; those of the store. */
  search(me: Participant, wanted: Omit<Input<'search.find'>, 'accountId' | 'at'>, options?: WaitOptions): Promise<Output<'search.find'>> {
    const { store, clock } = this.#parts
    const find = () => store.run('search.find', { accountId: me.id, at: BigInt(clock.now()), ...wanted })
    return this.#own.run(String(me.id), () => this.#searches.run(find, options), options)
  }

  /** Sets how long bodies are kept, and deletes what is older. @throws {SealwireError} `not_found`, `not_contact`, `not_permitted`; those of the store. */
  async retain(
    me: Participant & { readonly device: string | undefined },
    id: bigint,
    retentionMs: bigint | undefined,
  ): Promise<Pick<Freed, 'entries' | 'bytes'>> {
    const sum = { entries: 0n, bytes: 0n }
    for (;;) {
      const at = BigInt(this.#parts.clock.now())
      const input = { accountId: me.id, device: me.device, at, id, retentionMs, max: deletedAtOnce }
      const freed = await this.#parts.store.run('conversation.retain', input)
      if (freed.files.length > 0) this.#parts.freed(freed.files)
      sum.entries += freed.entries
      sum.bytes += freed.bytes
      if (!freed.more) return sum
    }
  }

  async #seen(row: ConversationRow): Promise<SeenConversation> {
    const { peer, peerDeliveredSeq, peerReadSeq, ...others } = row
    if (peer === undefined || row.state !== 'accepted') return { ...others, peer, peerDeliveredSeq: undefined, peerReadSeq: undefined }
    const showing = await this.#parts.people.showingOf(peer)
    return {
      ...others,
      peer,
      peerDeliveredSeq: showsTo(showing, true, 'delivered') ? peerDeliveredSeq : undefined,
      peerReadSeq: showsTo(showing, true, 'read') ? peerReadSeq : undefined,
    }
  }
}

// What stands for an account elsewhere in a chat with a classic session. What is said to it is stored; what the account says is
// handed to the session as it is stored.

import type { Person, StoredEntry } from '../../store/index.ts'
import { BridgeFeed, type BridgeFeedParts } from './bridge-feed.ts'
import { freeSeat, type Seat, type Talker } from './chats.ts'
import type { Standing } from '../people/presence.ts'

/** What an end works with. */
export interface BridgeEndParts extends BridgeFeedParts {
  /** Stores what `talker` says to `peer`. */
  readonly post: (talker: Talker, peer: Person, text: Uint8Array) => Promise<void>
}

export class BridgeEnd implements Talker {
  readonly id: bigint
  readonly name: string
  readonly key: string
  /** They talk: whoever it faces is a contact, or is one when the chat begins. */
  readonly standing: Standing
  /** Whether it asks to become a contact. */
  readonly asks: boolean
  #seat: Seat = freeSeat
  readonly #talker: Talker
  readonly #feed: BridgeFeed
  readonly #post: BridgeEndParts['post']

  /** Of `peer`, for a chat with `talker`. */
  constructor(peer: Person, talker: Talker, parts: BridgeEndParts, asks = false) {
    this.id = peer.id
    this.name = peer.name
    this.key = peer.key
    this.standing = { contacts: new Set([talker.id]), blocks: new Set(), visibility: 'nobody', privacy: nothingShown }
    this.asks = asks
    this.#talker = talker
    this.#feed = new BridgeFeed(talker, peer, parts)
    this.#post = parts.post
  }

  get seat(): Seat {
    return this.#seat
  }

  /** However the chat ends, nothing more is handed over. */
  set seat(next: Seat) {
    const before = this.#seat.name
    this.#seat = next
    if (before === 'talking') this.#feed.close()
  }

  // Whoever it stands for hears of requests in their own way, and of a chat only what is said in it.
  requested(): void {}
  declined(): void {}
  left(): void {}

  begun(): void {
    this.#feed.begin()
  }

  said(text: Uint8Array): Promise<void> {
    return this.#post(this.#talker, this, text)
  }

  /** Whoever speaks has waited for the store already. */
  backlog(): undefined {
    return undefined
  }

  /** The account has said something. */
  offer(entry: StoredEntry): void {
    this.#feed.offer(entry)
  }
}

/** What stands for an account in what a session is in or about to be in; `undefined` when that is another session, or nothing. */
export function endFacing({ seat }: Pick<Talker, 'seat'>): BridgeEnd | undefined {
  return seat.name !== 'free' && seat.peer instanceof BridgeEnd ? seat.peer : undefined
}

const nothingShown = Object.freeze({ presence: false, typing: false, delivered: false, read: false })

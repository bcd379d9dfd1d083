// Live chats between two sessions, with consent: somebody is asked, and only who was asked can accept. The service knows
// participants, not frames or dialects; a dialect makes its session a participant and turns what happens into words.
//
// A participant's seat:
//
//   free ──request──▶ calling ──(callee accepts)──▶ talking ──leave──▶ free
//     └──(is asked)──▶ called ──accept──────────▶ talking
//   calling, called ──decline, leave, hang up, chatRequestMsMax──▶ free
//
// Invariant: seats come in pairs. `calling(x)` faces `called(y)`, `talking(x)` faces `talking(y)`, each naming the
// other; a pair is always set together and freed together.

import type { Clock, Timer } from '../domain/index.ts'
import { type Limits, SealwireError } from '../protocol/index.ts'
import { cutOff } from './people.ts'
import type { Presence, Standing } from './presence.ts'

export type Seat =
  | { readonly name: 'free' }
  | { readonly name: 'calling'; readonly peer: Participant; readonly expiry: Timer }
  | { readonly name: 'called'; readonly peer: Participant }
  | { readonly name: 'talking'; readonly peer: Participant }

/** How a message fared: handed to the peer's link, or why not. */
export type Delivery = 'handed_over' | 'peer_lost' | 'message_too_large' | 'type_unsupported'

/** The content type of what a classic session says, and of what says none. */
export const plainText = 'text/plain'

/** One session of an account, as chats see it. The second half is called by the service and must not throw. */
export interface Participant {
  /** The account's number, its name as shown to others, and the key it is found by. */
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing
  /** Set by {@link Chats} only. */
  seat: Seat
  /** `from` asks for a chat. */
  requested(from: Participant): void
  /** A chat with `peer` begins. */
  begun(peer: Participant): void
  /** The request was declined, or nobody answered it in time. */
  declined(): void
  /** The other end of the chat or of the request has gone. */
  left(): void
  /** `body` from the peer of the chat, of a content type; valid only during the call. */
  said(body: Uint8Array, type: string): Delivery
  /** Resolves when this session takes what is said to it again; `undefined` when it does: the speaker waits for it. */
  backlog(): Promise<void> | undefined
  /** The session has to end at once, for this reason. */
  end(error: SealwireError): void
}

/** What chats work with. */
export interface ChatsParts {
  readonly presence: Presence
  readonly clock: Clock
  readonly limits: Limits
  /** Told when a request was accepted. */
  readonly met: (one: Participant, other: Participant) => void
}

/** The seat of everybody who is neither talking nor about to. */
export const freeSeat: Seat = Object.freeze({ name: 'free' })

export class Chats {
  readonly #presence: Presence
  readonly #clock: Clock
  readonly #limits: Limits
  #isOver = false
  readonly #met: ChatsParts['met']

  constructor({ presence, clock, limits, met }: ChatsParts) {
    this.#presence = presence
    this.#clock = clock
    this.#limits = limits
    this.#met = met
  }

  /**
   * Asks the account found by `key` for a chat; returns the session that was asked.
   * @throws {SealwireError} `is_self`; `busy` when the caller or every session of the callee is taken; `not_found` when
   * there is no such account, it is not here, or one of the two blocks the other, which nobody can tell apart.
   */
  request(caller: Participant, key: string): Participant {
    if (key === caller.key) throw new SealwireError('is_self', 'that is your own name')
    if (caller.seat.name !== 'free') throw new SealwireError('busy', 'you are in a chat or about to be')
    const sessions = this.#presence.sessionsOf(key)
    const [first] = sessions
    if (first === undefined || cutOff(caller, first)) throw new SealwireError('not_found', 'nobody of that name is here')
    // The newest free session rings: it is where the person was last.
    const callee = sessions.findLast((session) => session.seat.name === 'free')
    if (callee === undefined) throw new SealwireError('busy', 'they are in a chat already')
    const expiry = this.#clock.after(this.#limits.chatRequestMsMax, () => this.#expire(caller))
    caller.seat = { name: 'calling', peer: callee, expiry }
    callee.seat = { name: 'called', peer: caller }
    callee.requested(caller)
    return callee
  }

  /** Accepts the open request to `callee`; false when there is none, in particular for the caller's own session. */
  accept(callee: Participant): boolean {
    if (callee.seat.name !== 'called') return false
    const caller = callee.seat.peer
    this.#free(callee)
    caller.seat = { name: 'talking', peer: callee }
    callee.seat = { name: 'talking', peer: caller }
    this.#met(caller, callee)
    caller.begun(callee)
    callee.begun(caller)
    return true
  }

  /** Declines the open request to `callee`; false when there is none. */
  decline(callee: Participant): boolean {
    if (callee.seat.name !== 'called') return false
    this.#free(callee)?.declined()
    return true
  }

  /** Leaves the chat or the request, if there is one; the other end is told. Also for a session that hung up. */
  leave(participant: Participant): void {
    const peer = this.#free(participant)
    if (!this.#isOver) peer?.left()
  }

  /** The server stops: everybody is told that, and nobody that the other side has left. */
  end(): void {
    this.#isOver = true
  }

  /** Hands `body` to the peer of the chat; `undefined` when there is no chat. */
  say(speaker: Participant, body: Uint8Array, type: string): Delivery | undefined {
    return speaker.seat.name === 'talking' ? speaker.seat.peer.said(body, type) : undefined
  }

  /** Ends what there is between two accounts: chats are left, requests declined or taken back. */
  part(key: string, other: string): void {
    for (const session of this.#presence.sessionsOf(key)) {
      const { seat } = session
      if (seat.name === 'free' || seat.peer.key !== other) continue
      if (!this.decline(session)) this.leave(session)
    }
  }

  #expire(caller: Participant): void {
    const callee = this.#free(caller)
    caller.declined()
    callee?.left()
  }

  /** Frees both seats of a pair and returns the other one of it. */
  #free(participant: Participant): Participant | undefined {
    const { seat } = participant
    if (seat.name === 'free') return undefined
    const { peer } = seat
    for (const each of [participant, peer]) {
      if (each.seat.name === 'calling') each.seat.expiry.cancel()
      each.seat = freeSeat
    }
    return peer
  }
}

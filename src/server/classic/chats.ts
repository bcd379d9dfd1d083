// Live chats, with consent: somebody is asked, and only who was asked can accept. The service knows talkers, not frames or
// dialects; the classic dialect makes its session a talker and turns what happens into words. What stands for an account
// elsewhere is a talker, too (bridge.ts).
//
// A talker's seat:
//
//   free ──request──▶ calling ──(callee accepts)──▶ talking ──leave──▶ free
//     └──(is asked)──▶ called ──accept──────────▶ talking
//   calling, called ──decline, leave, hang up, chatRequestMsMax──▶ free
//
// Invariant: seats come in pairs. `calling(x)` faces `called(y)`, `talking(x)` faces `talking(y)`, each naming the
// other; a pair is always set together and freed together.

import type { Clock, Timer } from '../../domain/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { SecretHash } from '../../store/index.ts'
import { cutOff, isHidden } from '../people.ts'
import type { Presence, Standing } from '../people/presence.ts'

export type Seat =
  | { readonly name: 'free' }
  | { readonly name: 'calling'; readonly peer: Talker; readonly expiry: Timer }
  | { readonly name: 'called'; readonly peer: Talker }
  | { readonly name: 'talking'; readonly peer: Talker }

/** How a message fared: handed to the peer's link, or why not. */
export type Delivery = 'handed_over' | 'peer_lost' | 'message_too_large'

/** The content type of what a classic session says, and of what says none. */
export const plainText = 'text/plain'

/** One session of an account, as others find it. */
export interface Participant {
  /** The account's number, its name as shown to others, and the key it is found by. */
  readonly id: bigint
  readonly name: string
  readonly key: string
  readonly standing: Standing
  /** Whether it is for joining only: nobody sees it or asks it for a chat. Default: false. */
  readonly joinOnly?: boolean
  /** Of the token that it came with. Default: none. */
  readonly tokenHash?: SecretHash | undefined
  /** The session has to end at once, for this reason. Must not throw. */
  end(error: SealwireError): void
}

/** Who can be in a chat. What is called by the service must not throw. */
export interface Talker extends Pick<Participant, 'id' | 'name' | 'key' | 'standing'> {
  /** The number of its connection, for the log; nothing that has none. */
  readonly connection?: number
  /** Set by {@link Chats} only. */
  seat: Seat
  /** `from` asks for a chat. */
  requested(from: Talker): void
  /** A chat with `peer` begins. */
  begun(peer: Talker): void
  /** The request was declined, or nobody answered it in time. */
  declined(): void
  /** The other end of the chat or of the request has gone. */
  left(): void
  /**
   * Text from the peer of the chat; valid only during the call, and until the promise settles: that one resolves when the
   * text is stored, and rejects with why it cannot be.
   */
  said(text: Uint8Array): Delivery | Promise<void>
  /** Resolves when this one takes what is said to it again; `undefined` when it does: the speaker waits for it. */
  backlog(): Promise<void> | undefined
}

/** A session that can be in a chat. */
export type TalkingSession = Participant & Talker

/** What became of a request: somebody was asked, every session that could be is taken, or there is none. */
export type Ringing = 'rings' | 'taken' | 'absent'

/** What chats work with. */
export interface ChatsParts {
  readonly presence: Presence
  readonly clock: Clock
  readonly limits: Limits
  /** Told when a request was accepted. */
  readonly met: (one: Talker, other: Talker) => void
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
   * Asks the account found by `key` for a chat. It is absent, too, when one of the two blocks the other, and when it hides that it is here.
   * @throws {SealwireError} `is_self`; `busy` when the caller is taken.
   */
  request(caller: TalkingSession, key: string): Ringing {
    if (key === caller.key) throw new SealwireError('is_self', 'that is your own name')
    if (caller.seat.name !== 'free') throw new SealwireError('busy', 'you are in a chat or about to be')
    const sessions = this.talkersOf(key)
    const [first] = sessions
    if (first === undefined || cutOff(caller, first) || isHidden(first.standing)) return 'absent'
    const callee = newestFree(sessions)
    if (callee === undefined) return 'taken'
    this.ask(caller, callee)
    return 'rings'
  }

  /** The sessions of an account that can be in a chat, oldest first. */
  talkersOf(key: string): readonly TalkingSession[] {
    return this.#presence.sessionsOf(key).filter(isTalker)
  }

  /** Asks somebody for a chat. Both are free. */
  ask(caller: Talker, callee: Talker): void {
    const expiry = this.#clock.after(this.#limits.chatRequestMsMax, () => this.#expire(caller))
    caller.seat = { name: 'calling', peer: callee, expiry }
    callee.seat = { name: 'called', peer: caller }
    callee.requested(caller)
  }

  /** A chat of two who have agreed already. Both are free. */
  begin(caller: Talker, callee: Talker): void {
    caller.seat = { name: 'talking', peer: callee }
    callee.seat = { name: 'talking', peer: caller }
    caller.begun(callee)
    callee.begun(caller)
  }

  /** Accepts the open request to `callee`; false when there is none, in particular for the caller's own session. */
  accept(callee: Talker): boolean {
    if (callee.seat.name !== 'called') return false
    const caller = callee.seat.peer
    this.take(callee)
    this.#met(caller, callee)
    this.begin(caller, callee)
    return true
  }

  /** Declines the open request to `callee`; false when there is none. */
  decline(callee: Talker): boolean {
    if (callee.seat.name !== 'called') return false
    this.take(callee)?.declined()
    return true
  }

  /** Leaves the chat or the request, if there is one; the other end is told. Also for a session that hung up. */
  leave(talker: Talker): void {
    const peer = this.take(talker)
    if (!this.#isOver) peer?.left()
  }

  /** The server stops: everybody is told that, and nobody that the other side has left. */
  end(): void {
    this.#isOver = true
  }

  /** Hands text to the peer of the chat; `undefined` when there is no chat. */
  say(speaker: Talker, text: Uint8Array): Delivery | Promise<void> | undefined {
    return speaker.seat.name === 'talking' ? speaker.seat.peer.said(text) : undefined
  }

  /** Ends what there is between two accounts: chats are left, requests declined or taken back. */
  part(key: string, other: string): void {
    for (const { talker } of this.#between(key, other)) this.#withdraw(talker)
    // What is left faces somebody who is elsewhere: there it is ended.
    for (const { peer } of this.#between(other, key)) this.#withdraw(peer)
  }

  /** Frees both seats of a pair, telling nobody, and returns the other one of it. */
  take(talker: Talker): Talker | undefined {
    const { seat } = talker
    if (seat.name === 'free') return undefined
    const { peer } = seat
    for (const each of [talker, peer]) {
      if (each.seat.name === 'calling') each.seat.expiry.cancel()
      each.seat = freeSeat
    }
    return peer
  }

  /** Who of the one account faces somebody of the other. */
  #between(key: string, other: string): readonly { readonly talker: Talker; readonly peer: Talker }[] {
    return this.talkersOf(key).flatMap((talker) =>
      talker.seat.name !== 'free' && talker.seat.peer.key === other ? [{ talker, peer: talker.seat.peer }] : [],
    )
  }

  #withdraw(talker: Talker): void {
    if (!this.decline(talker)) this.leave(talker)
  }

  #expire(caller: Talker): void {
    const callee = this.take(caller)
    caller.declined()
    callee?.left()
  }
}

/** It is where the person was last. */
export function newestFree<T extends Talker>(sessions: readonly T[]): T | undefined {
  return sessions.findLast(({ seat }) => seat.name === 'free')
}

/** Whether a session can be in a chat. */
export function isTalker(session: Participant): session is TalkingSession {
  return 'seat' in session
}

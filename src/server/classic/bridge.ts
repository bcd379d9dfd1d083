// Classic sessions and accounts of the contract talk: a classic session is in a chat with what stands for the other account
// (bridge-end.ts), and all that is said there is stored in the direct conversation of the two, like everything in the contract.
//
//   the classic session asks      a contact: the chat begins at once
//                                 somebody who is here by the contract: contact.request, answered there
//   the other one asks            contact.request, or a contact says something: it rings at the newest free session
//
// Who may talk with whom is decided in the store, for the account that the session has logged in to.

import type { Clock, Randomness } from '../../domain/index.ts'
import { messageBodyBytesMax } from '../../protocol/contract/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { Person, Posted, Store, StoredEntry } from '../../store/index.ts'
import { BridgeEnd, type BridgeEndParts, endFacing } from './bridge-end.ts'
import { BridgeFeed } from './bridge-feed.ts'
import { type Chats, isTalker, newestFree, type Participant, plainText, type Ringing, type Talker, type TalkingSession } from './chats.ts'
import type { Contacts } from '../people/contacts.ts'
import { newEntryId } from '../messages/entry-id.ts'
import type { Log } from '../log.ts'
import type { Marks } from '../messages/marks.ts'
import type { Messages } from '../messages.ts'
import { cutOff, isHidden, type People } from '../people.ts'
import type { Presence } from '../people/presence.ts'

/** What the bridge works with. */
export interface BridgeParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  /** For the ids of what classic clients say. Default: that of the runtime. */
  readonly fill?: Randomness | undefined
  readonly log: Log
  readonly limits: Pick<Limits, 'inboxPageBytes' | 'historyEntriesMax'>
  readonly presence: Presence
  readonly people: People
  readonly chats: Chats
  readonly contacts: Contacts
  readonly messages: Messages
  readonly marks: Marks
}

/** A classic session. It has no inbox. */
export interface ClassicSession extends TalkingSession {
  readonly device: undefined
}

const nobody: readonly ClassicSession[] = Object.freeze([])

export class Bridge {
  readonly #parts: BridgeParts
  readonly #endParts: BridgeEndParts
  /** Classic sessions by account, oldest first. */
  readonly #sessions = new Map<bigint, ClassicSession[]>()
  /** Whether to ring is being found out: conversation and account. */
  readonly #finding = new Set<string>()
  /** Marks that are being written. */
  readonly #writing = new Set<Promise<unknown>>()

  constructor(parts: BridgeParts) {
    this.#parts = parts
    const { store, clock, limits } = parts
    this.#endParts = {
      ...{ store, clock, limits },
      post: (talker, peer, text) => this.#post(talker, peer, text),
      mark: (listener, place) => this.#mark(listener, place),
      failed: (listener, error) => this.#failed(listener, error),
    }
  }

  enter(session: ClassicSession): void {
    const sessions = this.#sessions.get(session.id)
    if (sessions === undefined) this.#sessions.set(session.id, [session])
    else sessions.push(session)
  }

  /** Wants its chat to be left. */
  leave(session: ClassicSession): void {
    const sessions = this.#sessions.get(session.id) ?? []
    const at = sessions.indexOf(session)
    if (at >= 0) sessions.splice(at, 1)
    if (sessions.length === 0) this.#sessions.delete(session.id)
  }

  /** Resolves when nothing is being written any more. Wants the sessions to have ended. */
  async close(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  // What classic sessions want.

  /**
   * Asks an account none of whose classic sessions could be asked: begins the chat, or waits for their answer.
   * @throws {SealwireError} `not_found` when there is no such account, or it can neither be talked with nor be asked; `busy`;
   * those of the store.
   */
  async call(caller: ClassicSession, key: string, ringing: Exclude<Ringing, 'rings'>): Promise<void> {
    const { chats, people, presence, store } = this.#parts
    const isHere = presence.sessionsOf(key).some((session) => !isTalker(session))
    if (ringing === 'taken' && !isHere && !chats.talkersOf(key).some((session) => endFacing(session)?.id === caller.id)) throw taken()
    const peer = await people.find(caller, key)
    const conversation = await store.run('conversation.find', { accountId: caller.id, peerId: peer.id })
    const isContact = conversation?.state === 'accepted' && !caller.standing.blocks.has(peer.id)
    const standing = presence.standingOf(key)
    const mayFind = standing !== undefined && !isHidden(standing) && !standing.blocks.has(caller.id)
    const mayAsk = isHere && mayFind && !caller.standing.blocks.has(peer.id)
    // Who is blocked cannot tell: to them the other one is not here, and that is no reason not to talk with a contact. So it is with who hides.
    if (!isContact && !mayAsk) throw new SealwireError('not_found', 'nobody of that name is here')
    if (!this.#of(caller.id).includes(caller)) return
    if (caller.seat.name !== 'free') throw taken()
    const end = new BridgeEnd(peer, caller, this.#endParts)
    if (isContact) chats.begin(caller, end)
    else await this.#ask(caller, end)
  }

  /** Two sessions begin a live chat: what was said before while one of them was away is handed over. */
  met(one: Talker, other: Talker): void {
    if (one instanceof BridgeEnd || other instanceof BridgeEnd || !one.standing.contacts.has(other.id)) return
    for (const [listener, peer] of [[one, other] as const, [other, one] as const]) {
      new BridgeFeed(listener, peer, this.#endParts, true).begin()
    }
  }

  /** Stores the answer to an open request, then gives it; `undefined` when there is nothing to store. @throws {SealwireError} those of `contact.answer`. */
  answer(callee: ClassicSession, accept: boolean): Promise<void> | undefined {
    const end = callee.seat.name === 'called' ? endFacing(callee) : undefined
    return end?.asks ? this.#answer(callee, end, accept) : undefined
  }

  // What the services tell.

  /** Somebody asks to become a contact. */
  asked(from: Participant, { id }: Person): void {
    const sessions = this.#of(id)
    const [first] = sessions
    if (first !== undefined && !cutOff(from, first)) this.#ring(sessions, from, true)
  }

  /** `me` has answered the request of `peer`, on whatever session. */
  answered(me: Participant, peer: Person, accept: boolean): void {
    const { chats } = this.#parts
    for (const session of this.#of(peer.id)) {
      const end = endFacing(session)
      if (end === undefined || end.id !== me.id || session.seat.name !== 'calling') continue
      if (accept) chats.accept(end)
      else chats.decline(end)
    }
    for (const session of this.#of(me.id)) {
      const end = endFacing(session)
      // It has been answered elsewhere.
      if (session !== me && end?.asks && end.id === peer.id && session.seat.name === 'called') chats.leave(end)
    }
  }

  /** Something was said and is stored; call it in the turn in which the store answered. */
  said({ deliveries }: Posted, entry: StoredEntry): void {
    // In a conversation of two nobody else gets it.
    if (this.#sessions.size === 0 || entry.kind !== 'message' || deliveries.length > 2) return
    for (const { accountId } of deliveries) {
      if (accountId !== entry.authorId) this.#tell(accountId, entry)
    }
  }

  #tell(accountId: bigint, entry: StoredEntry): void {
    const sessions = this.#of(accountId)
    for (const session of sessions) {
      const end = endFacing(session)
      if (end?.id === entry.authorId) end.offer(entry)
    }
    if (canRing(sessions, entry.authorId)) void this.#ringIfDirect(accountId, entry)
  }

  /** Nobody waits for it: what was said stays unread. */
  async #ringIfDirect(accountId: bigint, { conversationId: id, authorId }: StoredEntry): Promise<void> {
    const which = `${id}/${accountId}`
    if (this.#finding.has(which)) return
    this.#finding.add(which)
    try {
      const row = await this.#parts.store.run('conversation.find', { accountId, id })
      if (row?.state === 'accepted' && row.peer?.id === authorId) this.#ring(this.#of(accountId), row.peer, false)
    } catch (reason) {
      this.#parts.log.warning('a message does not ring', { why: SealwireError.from(reason).code })
    } finally {
      this.#finding.delete(which)
    }
  }

  #ring(sessions: readonly ClassicSession[], { id, key, name }: Person, asks: boolean): void {
    if (!canRing(sessions, id)) return
    const callee = newestFree(sessions)
    if (callee !== undefined) this.#parts.chats.ask(new BridgeEnd({ id, key, name }, callee, this.#endParts, asks), callee)
  }

  async #ask(caller: ClassicSession, end: BridgeEnd): Promise<void> {
    const { chats, contacts, clock, fill } = this.#parts
    // First, so that no answer comes before there is somebody to hear it.
    chats.ask(caller, end)
    try {
      const { accepted } = await contacts.request(caller, end, { id: newEntryId(clock.now(), fill), text: undefined })
      if (accepted) chats.accept(end)
    } catch (reason) {
      if (endFacing(caller) !== end) return
      chats.take(caller)
      throw reason
    }
  }

  async #answer(callee: ClassicSession, end: BridgeEnd, accept: boolean): Promise<void> {
    const { chats, contacts } = this.#parts
    try {
      await contacts.answer(callee, end, accept)
    } catch (reason) {
      if (endFacing(callee) === end) chats.take(callee)
      throw reason
    }
    // Meanwhile it may have taken too long, or the session may have left.
    if (endFacing(callee) !== end) return
    if (accept) chats.accept(callee)
    else chats.decline(callee)
  }

  async #post({ id, name }: Talker, { id: peerId }: Person, body: Uint8Array): Promise<void> {
    const { messages, clock, fill } = this.#parts
    if (body.length > messageBodyBytesMax) throw new SealwireError('message_too_large', 'the message is too large to be stored')
    const said = { peerId, kind: 'message', id: newEntryId(clock.now(), fill), type: plainText, body } as const
    await messages.post({ id, name, device: undefined }, said)
  }

  async #mark(listener: Talker, place: Parameters<Marks['read']>[1]): Promise<boolean> {
    const { marks, log } = this.#parts
    const written = marks.read(listener, place, true).then(
      () => true,
      (reason: unknown) => {
        log.warning('read mark not stored', { connection: listener.connection, why: SealwireError.from(reason).code })
        return false
      },
    )
    this.#writing.add(written)
    const isStored = await written
    this.#writing.delete(written)
    return isStored
  }

  /** The chat ends as if the other one had left. */
  #failed(listener: Talker, error: SealwireError): void {
    const { chats, log } = this.#parts
    log.error('a conversation cannot be read', { connection: listener.connection, code: error.code }, error.cause)
    const end = endFacing(listener)
    if (end !== undefined) chats.leave(end)
  }

  #of(accountId: bigint): readonly ClassicSession[] {
    return this.#sessions.get(accountId) ?? nobody
  }
}

/** Some session is free, and none has to do with them already. */
function canRing(sessions: readonly ClassicSession[], peerId: bigint): boolean {
  return newestFree(sessions) !== undefined && !sessions.some(({ seat }) => seat.name !== 'free' && seat.peer.id === peerId)
}

function taken(): SealwireError {
  return new SealwireError('busy', 'they are in a chat already, or you are')
}

// With whom a chat talks now, and what can be done there. The server decides; this follows it. What comes from anybody is told
// whoever one talks with.
//
//   nobody ──talk, accept──▶ talking ──exit, block──▶ nobody
//     └──talk with who does not know us──▶ asking ──(accepted)──▶ talking
//   asking ──(declined), exit, block──▶ nobody
//
// What is said while somebody is asked is held here, in order, and is sent when they accept. What is said to somebody is in the
// outbox at once, whether there is a connection or not.

import type { Conversation, LiveEvent, ReadEntry, Sealwire, Sent } from '../client/index.ts'
import { nameKey } from '../domain/case-fold.ts'
import { isPassing } from '../client/refusals.ts'
import type { Clock } from '../domain/clock.ts'
import { messageBodyBytesMax } from '../protocol/contract/index.ts'
import { SealwireError } from '../protocol/errors.ts'
import { limitTable } from '../protocol/limits.ts'
import { Askers } from './chat-askers.ts'
import { ReadMarks } from './chat-marks.ts'
import type { ChatNews, Place } from './chat-news.ts'
import { Places, Shown } from './chat-shown.ts'

/** With whom one talks. */
export type Focus =
  | { readonly name: 'nobody' }
  /** `since` is the place of the request: what was answered before is another one. */
  | { readonly name: 'asking'; readonly peer: string; readonly since: number; readonly held: Held[] }
  | { readonly name: 'talking'; readonly conversation: Conversation; readonly place: Place }

interface Held {
  readonly body: Uint8Array
  readonly sent: PromiseWithResolvers<Sent>
}

/** What a chat needs of somebody on a server. */
export type Talker = Pick<
  Sealwire,
  | 'name'
  | 'state'
  | 'states'
  | 'inbox'
  | 'events'
  | 'failures'
  | 'send'
  | 'request'
  | 'accept'
  | 'decline'
  | 'conversation'
  | 'conversations'
  | 'contacts'
  | 'call'
  | 'rooms'
  | 'close'
>

export interface TalkParts {
  readonly me: Talker
  readonly tell: (news: ChatNews) => void
  readonly clock: Pick<Clock, 'monotonic'>
  /** Whether a program reads what is told: it is told also what was read on another device. Default: false. */
  readonly json?: boolean
}

export class Talk {
  readonly #parts: TalkParts
  readonly #shown = new Shown()
  readonly #places: Places
  readonly #askers = new Askers()
  readonly #marks = new ReadMarks()
  #focus: Focus = nobody
  #turn: Promise<void> = Promise.resolve()
  #unread: Promise<void> = Promise.resolve()
  #typedAt = Number.NEGATIVE_INFINITY
  #typer: string | undefined

  constructor(parts: TalkParts) {
    this.#parts = parts
    this.#places = new Places(async (conversation) => placeOf((await parts.me.conversation(conversation)).info))
  }

  get focus(): Focus {
    return this.#focus
  }

  /** Whom one talks with. @throws {SealwireError} `usage` when it is nobody, or somebody who has not accepted yet. */
  get conversation(): Conversation {
    if (this.#focus.name === 'talking') return this.#focus.conversation
    if (this.#focus.name === 'nobody') throw withNobody()
    throw new SealwireError('usage', `${this.#focus.peer} has not accepted yet`, { hint: 'wait until they do' })
  }

  /**
   * Talks with somebody, or in the room of a number: asks them when they do not know us, joins it when we are invited.
   * @throws {SealwireError} `not_found`, `is_self`, `busy`, `declined`; what else the server refuses.
   */
  async with(who: string | number): Promise<void> {
    if (typeof who === 'string' && this.#focus.name === 'asking' && this.isAbout(who)) return
    // What they say meanwhile is told behind the news that one talks with them.
    return this.#exclusive(() => this.#talkWith(who))
  }

  /** Tells who asks us to talk, with what they have said. */
  async tellAskers(): Promise<void> {
    for await (const { state, name, conversation } of this.#parts.me.contacts()) {
      if (state === 'asking' && conversation !== undefined) await this.#exclusive(() => this.#tellAsker(name, conversation))
    }
  }

  /**
   * Says something to whom one talks with; resolves when it is stored.
   * @throws {SealwireError} `usage` when there is nobody; `message_too_large`; `busy` when too much waits; `declined`,
   * `not_contact` when it is not sent because they did not accept; what the server refuses.
   */
  say(body: Uint8Array): Promise<Sent> {
    if (body.length > messageBodyBytesMax) {
      throw new SealwireError('message_too_large', `a message has at most ${messageBodyBytesMax} bytes`, {
        hint: 'say it in several lines',
      })
    }
    if (this.#focus.name === 'nobody') throw withNobody()
    if (this.#focus.name === 'talking') return this.#send(this.#focus.conversation, body)
    if (this.#focus.held.length >= limitTable.chatHeldLinesMax.value) throw new SealwireError('busy', 'too many lines wait to be sent')
    const held = { body, sent: Promise.withResolvers<Sent>() }
    this.#focus.held.push(held)
    return held.sent.promise
  }

  /** Accepts who asks: one talks with them, unless one talks with somebody already. @throws {SealwireError} `no_request`. */
  async accept(who: string | undefined): Promise<void> {
    const name = who ?? this.#askers.only('accept')
    await this.#exclusive(async () => {
      const { conversation } = await this.#parts.me.accept(name)
      this.#askers.remove(name)
      if (this.#focus.name === 'talking') return this.#parts.tell({ event: 'accepted', name, conversation })
      this.#begin(await this.#parts.me.conversation(conversation))
    })
  }

  /** @throws {SealwireError} `no_request`. */
  async decline(who: string | undefined): Promise<void> {
    const name = who ?? this.#askers.only('decline')
    await this.#parts.me.decline(name)
    this.#askers.remove(name)
    this.#parts.tell({ event: 'turned-away', name })
  }

  /** @throws {SealwireError} what the server refuses. */
  async block(name: string): Promise<void> {
    await this.#parts.me.call('directory.block', { name })
    this.#askers.remove(name)
    this.#parts.tell({ event: 'blocked', name })
    if (this.isAbout(name)) this.leave()
  }

  /** Talks with nobody. What was held is not sent. */
  leave(reason = new SealwireError('not_contact', 'it was not sent: they have not accepted')): void {
    const before = this.#focus
    this.#focus = nobody
    if (before.name === 'talking') this.#parts.tell({ event: 'exited', ...before.place })
    if (before.name !== 'asking') return
    for (const { sent } of before.held) sent.reject(reason)
  }

  /** The end: what is held is not sent. Answers how many lines that are. */
  drop(): number {
    const { focus } = this
    if (focus.name !== 'asking') return 0
    this.leave()
    return focus.held.length
  }

  /** Takes what has come. One at a time, and not while what is unread is shown. */
  hear(entry: ReadEntry): Promise<void> {
    return this.#exclusive(async () => {
      if (this.#shown.has(entry)) return
      await this.#patiently(() => (entry.kind === 'contact' ? this.#hearContact(entry) : this.#tellEntry(entry)))
      this.#shown.add(entry)
      if (this.#focus.name === 'talking' && this.#focus.conversation.number === entry.conversation)
        this.#marks.add(this.#focus.conversation, entry.seq)
    })
  }

  /** Takes what is told live: of whom one talks with it is told who comes, goes and types. */
  notice({ event, data }: LiveEvent): void {
    if (this.#focus.name !== 'talking') return
    const { place } = this.#focus
    if (event === 'presence.changed' && data.name === place.peer) this.#parts.tell({ event: data.here ? 'here' : 'gone', name: data.name })
    if (event !== 'presence.typing' || data.conversation !== place.conversation || this.#typer === data.name) return
    this.#typer = data.name
    this.#parts.tell({ event: 'typing', name: data.name })
  }

  /** Somebody types here: whom one talks with may know, now and then. */
  typing(): void {
    const now = this.#parts.clock.monotonic()
    if (this.#focus.name !== 'talking' || this.#parts.me.state !== 'online' || now - this.#typedAt < typingEveryMs) return
    this.#typedAt = now
    this.#focus.conversation.typing().catch(() => {})
  }

  /** There is a connection again: another program of this home may have taken the answer that one waits for. */
  async again(): Promise<void> {
    const { focus } = this
    if (focus.name !== 'asking') return
    const direct = await this.#parts.me.conversation(focus.peer)
    if (this.#focus === focus && direct.info.state === 'accepted') await this.#enter(direct)
  }

  /** Whether one talks with that person, or has asked them. */
  isAbout(name: string): boolean {
    const peer = this.#focus.name === 'asking' ? this.#focus.peer : this.#focus.name === 'talking' ? this.#focus.place.peer : undefined
    return peer !== undefined && nameKey(peer) === nameKey(name)
  }

  /** Resolves when what was unread is told. @throws {SealwireError} why it cannot be. */
  async caughtUp(): Promise<void> {
    await this.#unread
  }

  /** Resolves when the server knows what was read, or cannot be told. */
  async settled(): Promise<void> {
    await this.#marks.settled()
  }

  async #talkWith(who: string | number): Promise<void> {
    const known = await this.#find(who)
    if (known?.info.state === 'invited') return this.#begin(await this.#parts.me.rooms.join(known.number))
    if (known?.info.state === 'accepted') return this.#begin(known)
    const name = known?.info.name ?? String(who)
    const { conversation, accepted } = await this.#parts.me.request(name)
    const direct = await this.#parts.me.conversation(conversation)
    if (accepted) return this.#begin(direct)
    const { name: peer = name, lastSeq, state } = direct.info
    this.leave()
    this.#parts.tell({ event: 'asked', name: peer, conversation })
    // They may have been quick.
    if (state === 'accepted') return this.#begin(direct)
    if (state === 'declined') throw declinedBy(peer)
    this.#focus = { name: 'asking', peer, since: lastSeq, held: [] }
  }

  async #find(who: string | number): Promise<Conversation | undefined> {
    try {
      return await this.#parts.me.conversation(who)
    } catch (reason) {
      // Somebody with whom one has never talked.
      if (typeof who === 'string' && SealwireError.from(reason).code === 'not_found') return undefined
      throw reason
    }
  }

  #enter(conversation: Conversation): Promise<void> {
    return this.#exclusive(async () => this.#begin(conversation))
  }

  #begin(conversation: Conversation): void {
    const before = this.#focus
    if (before.name === 'talking' && before.conversation.number === conversation.number) return
    const place = placeOf(conversation.info)
    const isAwaited = before.name === 'asking' && nameKey(before.peer) === nameKey(place.peer ?? '')
    if (before.name === 'asking' && !isAwaited) this.leave()
    this.#places.add(place)
    this.#typer = undefined
    this.#focus = { name: 'talking', conversation, place }
    this.#parts.tell({ event: 'begun', ...place })
    if (before.name === 'asking' && isAwaited)
      for (const held of before.held) this.#send(conversation, held.body).then(held.sent.resolve, held.sent.reject)
    if (this.#parts.json !== true) this.#shown.begin(conversation.number, conversation.info.readSeq)
    this.#unread = this.#exclusive(() => this.#patiently(() => this.#tellUnread(conversation, place)))
    this.#unread.catch(() => {}) // There is no connection any more, and whoever waits for it is told.
  }

  /** Oldest first, as far as there are not too many. */
  async #tellUnread(conversation: Conversation, place: Place): Promise<void> {
    const unread: ReadEntry[] = []
    const { readSeq, lastSeq } = conversation.info
    if (readSeq >= lastSeq) return
    for await (const entry of conversation.history()) {
      if (entry.seq <= readSeq || unread.length > limitTable.chatUnreadMax.value) break
      if (!this.#shown.has(entry)) unread.unshift(entry)
    }
    if (unread.length > limitTable.chatUnreadMax.value) this.#parts.tell({ event: 'older', conversation: conversation.number })
    for (const entry of unread.slice(-limitTable.chatUnreadMax.value)) {
      this.#shown.add(entry)
      if (entry.kind === 'message' && entry.deleted !== true && entry.from !== this.#parts.me.name)
        this.#tell({ event: 'said', entry, place })
    }
    this.#marks.add(conversation, lastSeq)
  }

  async #tellAsker(name: string, conversation: number): Promise<void> {
    if (this.#askers.has(name)) return
    const entry = await this.#requestIn(conversation)
    if (entry !== undefined) this.#shown.add(entry)
    this.#askers.add(name)
    this.#parts.tell({ event: 'requested', name, conversation, entry })
  }

  async #requestIn(number: number): Promise<ReadEntry | undefined> {
    const conversation = await this.#parts.me.conversation(number)
    for await (const entry of conversation.history()) if (entry.kind === 'contact') return entry
    return undefined
  }

  async #hearContact(entry: ReadEntry): Promise<void> {
    const { from: name, conversation, what, seq } = entry
    // What was done on another device of ours.
    if (name === this.#parts.me.name) return
    if (what === 'requested') return this.#hearRequest(entry)
    const isAwaited = this.#focus.name === 'asking' && this.isAbout(name) && seq > this.#focus.since
    if (what === 'accepted' && isAwaited) return this.#begin(await this.#parts.me.conversation(conversation))
    if (what === 'accepted' && !this.isAbout(name)) return this.#parts.tell({ event: 'accepted', name, conversation })
    if (what !== 'declined') return
    this.#parts.tell({ event: 'declined', name, conversation })
    if (isAwaited) this.leave(declinedBy(name))
  }

  /** It may be answered already, elsewhere. */
  async #hearRequest(entry: ReadEntry): Promise<void> {
    const { from: name, conversation } = entry
    const { info } = await this.#parts.me.conversation(conversation)
    if (info.state !== 'asking') return
    this.#askers.add(name)
    this.#parts.tell({ event: 'requested', name, conversation, entry })
  }

  async #tellEntry(entry: ReadEntry): Promise<void> {
    const { conversation, kind, target, text, title } = entry
    if (kind === 'room' && title !== undefined) this.#places.add({ conversation, room: title })
    const place = await this.#placeOf(entry)
    if (kind === 'message') return this.#tell({ event: 'said', entry, place })
    const about = this.#shown.words(conversation, target)
    if (kind === 'edit' && target !== undefined && text !== undefined) this.#shown.say(conversation, target, text)
    this.#tell({ event: 'changed', entry, place, about })
  }

  #tell(news: Extract<ChatNews, { event: 'said' | 'changed' }>): void {
    this.#typer = undefined
    this.#parts.tell(news)
  }

  /** What was left, or is gone meanwhile, has no name any more. */
  async #placeOf({ conversation }: ReadEntry): Promise<Place> {
    try {
      return await this.#places.find(conversation)
    } catch (reason) {
      if (SealwireError.from(reason).code === 'not_found') return { conversation, room: `#${conversation}` }
      throw reason
    }
  }

  async #send(conversation: Conversation, body: Uint8Array): Promise<Sent> {
    const sent = await conversation.send({ body })
    this.#shown.say(conversation.number, sent.seq, new TextDecoder().decode(body))
    return sent
  }

  /** What has to be asked for what is shown is asked until there is an answer: the connection comes back, or closes. */
  async #patiently(act: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await act()
      } catch (reason) {
        const error = SealwireError.from(reason)
        if (this.#parts.me.state === 'closed' || error.code === 'internal' || !isPassing(error)) throw error
      }
    }
  }

  async #exclusive<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const done = Promise.withResolvers<void>()
    this.#turn = done.promise
    await before
    try {
      return await act()
    } finally {
      done.resolve()
    }
  }
}

/** Where a conversation is. */
export function placeOf({ conversation, name, title }: Conversation['info']): Place {
  return title === undefined ? { conversation, peer: name } : { conversation, room: title }
}

function declinedBy(name: string): SealwireError {
  return new SealwireError('declined', `${name} declined to talk`)
}

function withNobody(): SealwireError {
  return new SealwireError('usage', 'you are talking with nobody', { hint: '/talk NAME begins' })
}

const nobody: Focus = Object.freeze({ name: 'nobody' })
const typingEveryMs = 3_000

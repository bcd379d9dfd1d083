// With whom a chat talks now, and what can be done there. The server decides; this follows it. What comes from anybody is told
// whoever one talks with.
//
//   nobody ──talk, accept──▶ talking ──exit, remove, block──▶ nobody
//     └──talk with who does not know us──▶ asking ──(accepted)──▶ talking
//   asking ──(declined), exit, remove, block──▶ nobody
//
// What is said while somebody is asked is held here, in order, and is sent when they accept. What is said to somebody is in the
// outbox at once, whether there is a connection or not.

import type { Placed } from '../../client/direct/direct.ts'
import type { Conversation, LiveEvent, ReadEntry, Sent } from '../../client/index.ts'
import { nameKey } from '../../domain/case-fold.ts'
import type { Clock } from '../../domain/clock.ts'
import { messageBodyBytesMax } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { mentionsIn } from '../terminal/mentions.ts'
import { Askers } from './askers.ts'
import { type Come, Hearing, placeOf } from './hearing.ts'
import { Live } from './live.ts'
import type { ChatNews, Place } from './news.ts'
import type { Talker } from './talker.ts'
import { Turn } from './turn.ts'
import { type TakenBack, Unsent } from './unsent.ts'

/** With whom one talks. */
export type Focus =
  | { readonly name: 'nobody' }
  /** `since` is the place of the request: what was answered before is another one. */
  | { readonly name: 'asking'; readonly peer: string; readonly since: number; readonly held: Held[] }
  | Talking

/** One talks, with somebody or in a room. */
export interface Talking {
  readonly name: 'talking'
  readonly conversation: Conversation
  readonly place: Place
}

interface Held {
  readonly body: Uint8Array
  readonly sent: PromiseWithResolvers<Sent | undefined>
}

export interface TalkParts {
  readonly me: Talker
  readonly tell: (news: ChatNews) => void
  /** Resolves when what was told is taken: whether somebody still reads. Default: at once, with true. */
  readonly drained?: () => Promise<boolean>
  readonly clock: Pick<Clock, 'monotonic'>
  /** Whether a program reads what is told: it is told also what was read on another device. Default: false. */
  readonly json?: boolean
  /** Whether an earlier program of this home has told it. Default: none has. */
  readonly isTold?: (entry: ReadEntry) => boolean
}

export class Talk {
  readonly #parts: TalkParts
  readonly #hearing: Hearing
  readonly #live: Live
  readonly #askers = new Askers()
  readonly #turn = new Turn()
  readonly #unsent = new Unsent()
  #focus: Focus = nobody
  #unread: Promise<void> = Promise.resolve()

  constructor(parts: TalkParts) {
    this.#parts = parts
    this.#live = new Live(parts)
    this.#hearing = new Hearing({ ...parts, tell: (news) => this.#told(news) })
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
    return this.#turn.take(() => this.#talkWith(who))
  }

  /** Tells who asks us to talk, with what they have said. */
  async tellAskers(): Promise<void> {
    for await (const { state, name, conversation } of this.#parts.me.contacts()) {
      if (state === 'asking' && conversation !== undefined) await this.#turn.take(() => this.#tellAsker(name, conversation))
    }
  }

  /**
   * Says something to whom one talks with; resolves when it is stored, with nothing when it was taken back.
   * @throws {SealwireError} `usage` when there is nobody; `message_too_large`; `busy` when too much waits; `declined`,
   * `not_contact` when it is not sent because they did not accept; what the server refuses.
   */
  say(body: Uint8Array): Promise<Sent | undefined> {
    if (body.length > messageBodyBytesMax) {
      throw new SealwireError('message_too_large', `a message has at most ${messageBodyBytesMax} bytes`, {
        hint: 'say it in several lines',
      })
    }
    if (this.#focus.name === 'nobody') throw withNobody()
    if (this.#focus.name === 'talking') return this.#send(this.#focus.conversation, body)
    if (this.#focus.held.length >= limitTable.chatHeldLinesMax.value)
      throw new SealwireError('busy', 'too many lines wait to be sent', { hint: 'wait until they accept; /unsend throws the lines away' })
    const held = { body, sent: Promise.withResolvers<Sent | undefined>() }
    this.#focus.held.push(held)
    return held.sent.promise
  }

  /** Throws away what is not sent yet of what was said in this chat. */
  async unsend(): Promise<TakenBack> {
    const held = this.#focus.name === 'asking' ? this.#focus.held.splice(0) : []
    for (const { sent } of held) sent.resolve(undefined)
    const { count, perhaps } = await this.#unsent.takeBack()
    return { count: count + held.length, perhaps }
  }

  /** Answers a message here. @throws {SealwireError} as {@link say}. */
  async reply(seq: number, text: string): Promise<void> {
    await this.#send(this.conversation, Buffer.from(text), seq)
  }

  /** Changes what one has said here; from then on it is quoted so. @throws {SealwireError} what the server refuses. */
  async edit(seq: number, text: string): Promise<void> {
    const { conversation } = this
    await conversation.edit(seq, text)
    this.#hearing.say(conversation.number, seq, text)
  }

  /** Accepts who asks: one talks with them, unless one talks with somebody already. @throws {SealwireError} `no_request`. */
  async accept(who: string | undefined): Promise<void> {
    const name = who ?? this.#askers.only('accept')
    await this.#turn.take(async () => {
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

  /** Ends that somebody is a contact, or takes back what they were asked. @throws {SealwireError} `not_contact`. */
  async remove(name: string): Promise<void> {
    await this.#parts.me.removeContact(name)
    this.#parts.tell({ event: 'parted', name })
    if (this.isAbout(name)) this.leave()
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
  hear(entry: Come): Promise<void> {
    return this.#turn.take(async () => {
      if (!(await this.#hearing.hear(entry, (contact) => this.#hearContact(contact)))) return
      if (this.#focus.name === 'talking' && this.#focus.conversation.number === entry.conversation)
        this.#hearing.read(this.#focus.conversation, entry)
    })
  }

  /** Takes the place of what came directly: it is in the conversation now, and counts as read where it was read. */
  placed(placed: Placed): Promise<void> {
    return this.#turn.take(async () => this.#hearing.placed(placed))
  }

  /** What comes from now on comes from a server of an earlier day. */
  setBack(): Promise<void> {
    return this.#turn.take(async () => this.#hearing.setBack())
  }

  /** Takes what is told live: of whom one talks with it is told who comes, goes and types. */
  notice(event: LiveEvent): void {
    if (this.#focus.name === 'talking') this.#live.notice(event, this.#focus)
  }

  /** Somebody types here: whom one talks with may know, now and then. */
  typing(): void {
    if (this.#focus.name === 'talking') this.#live.typing(this.#focus)
  }

  /** There is a connection again: another program of this home may have taken the answer that one waits for. */
  async again(): Promise<void> {
    const { focus } = this
    if (focus.name !== 'asking') return
    const direct = await this.#parts.me.conversation(focus.peer)
    if (this.#focus === focus && direct.info.state === 'accepted') await this.#enter(direct)
  }

  /** The one person whom one talks with, or has asked. */
  get peer(): string | undefined {
    if (this.#focus.name === 'asking') return this.#focus.peer
    return this.#focus.name === 'talking' ? this.#focus.place.peer : undefined
  }

  /** Whether one talks with that person, or has asked them. */
  isAbout(name: string): boolean {
    return this.peer !== undefined && nameKey(this.peer) === nameKey(name)
  }

  /** Resolves when what was unread is told. @throws {SealwireError} why it cannot be. */
  async caughtUp(): Promise<void> {
    await this.#unread
  }

  /** Resolves when the server knows what was read, or cannot be told. */
  async settled(): Promise<void> {
    await this.#hearing.settled()
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
    return this.#turn.take(async () => this.#begin(conversation))
  }

  #begin(conversation: Conversation): void {
    const before = this.#focus
    if (before.name === 'talking' && before.conversation.number === conversation.number) return
    const place = placeOf(conversation.info)
    const isAwaited = before.name === 'asking' && nameKey(before.peer) === nameKey(place.peer ?? '')
    if (before.name === 'asking' && !isAwaited) this.leave()
    this.#live.said()
    this.#focus = { name: 'talking', conversation, place }
    this.#parts.tell({ event: 'begun', ...place })
    if (before.name === 'asking' && isAwaited)
      for (const held of before.held) this.#send(conversation, held.body).then(held.sent.resolve, held.sent.reject)
    this.#hearing.begin(conversation, place, this.#parts.json === true)
    this.#unread = this.#turn.take(() => this.#hearing.patiently(() => this.#hearing.tellUnread(conversation, place)))
    this.#unread.catch(() => {}) // There is no connection any more, and whoever waits for it is told.
  }

  async #tellAsker(name: string, conversation: number): Promise<void> {
    if (this.#askers.has(name)) return
    const entry = await this.#hearing.requestIn(conversation)
    this.#askers.add(name)
    this.#parts.tell({ event: 'requested', name, conversation, entry })
  }

  async #hearContact(entry: ReadEntry): Promise<void> {
    const { from: name, conversation, what, seq } = entry
    if (name === this.#parts.me.name) return this.#hearOwn(entry)
    if (what === 'requested') return this.#hearRequest(entry)
    if (what === 'withdrawn') return this.#hearWithdrawn(entry)
    if (what === 'removed') return this.#hearRemoved(entry)
    const isAwaited = this.#focus.name === 'asking' && this.isAbout(name) && seq > this.#focus.since
    if (what === 'accepted' && isAwaited) return this.#begin(await this.#parts.me.conversation(conversation))
    if (what === 'accepted' && !this.isAbout(name)) return this.#parts.tell({ event: 'accepted', name, conversation })
    if (what !== 'declined') return
    this.#parts.tell({ event: 'declined', name, conversation })
    if (isAwaited) this.leave(declinedBy(name))
  }

  /** What was done on another device of ours: one may talk with them no more, or wait for them no more. */
  async #hearOwn({ what, conversation }: ReadEntry): Promise<void> {
    if (this.peer === undefined || (what !== 'removed' && what !== 'withdrawn')) return
    const { name, state } = (await this.#parts.me.conversation(conversation)).info
    // They may be asked, or a contact, again by now.
    if (name === undefined || !this.isAbout(name) || state !== 'declined') return
    this.#parts.tell({ event: 'parted', name })
    this.leave()
  }

  /** It may be answered already, elsewhere. */
  async #hearRequest(entry: ReadEntry): Promise<void> {
    const { from: name, conversation } = entry
    const { info } = await this.#parts.me.conversation(conversation)
    if (info.state !== 'asking') return
    this.#askers.add(name)
    this.#parts.tell({ event: 'requested', name, conversation, entry })
  }

  #hearWithdrawn({ from: name, conversation }: ReadEntry): void {
    if (!this.#askers.has(name)) return
    this.#askers.remove(name)
    this.#parts.tell({ event: 'withdrawn', name, conversation })
  }

  /** They may be a contact again by now. */
  async #hearRemoved({ from: name, conversation }: ReadEntry): Promise<void> {
    this.#parts.tell({ event: 'removed', name, conversation })
    if (this.#focus.name !== 'talking' || !this.isAbout(name)) return
    const { info } = await this.#parts.me.conversation(conversation)
    if (info.state !== 'accepted') this.leave()
  }

  #told(news: ChatNews): void {
    this.#live.said()
    this.#parts.tell(news)
  }

  async #send(conversation: Conversation, body: Uint8Array, replyTo?: number): Promise<Sent | undefined> {
    const mentions = conversation.info.kind === 'room' ? mentionsIn(new TextDecoder().decode(body)) : []
    const content = { body, ...(replyTo === undefined ? {} : { replyTo }), ...(mentions.length === 0 ? {} : { mentions }) }
    const sent = await this.#unsent.send((signal) => conversation.send(content, { signal }))
    if (sent !== undefined) this.#hearing.say(conversation.number, sent.seq, new TextDecoder().decode(body))
    return sent
  }
}

function declinedBy(name: string): SealwireError {
  return new SealwireError('declined', `${name} declined to talk`)
}

function withNobody(): SealwireError {
  return new SealwireError('usage', 'you are talking with nobody', { hint: '/talk NAME begins' })
}

const nobody: Focus = Object.freeze({ name: 'nobody' })

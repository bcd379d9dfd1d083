// What is said over direct links. The server makes the order, and every message goes through it; a link brings the same message
// sooner, or while the server is away.
//
//   send ──kept──▶ outbox ──▶ server ──▶ inbox ──▶ program          the order, and every device
//           └──said over the links that are up──▶ behind what it names ──▶ program: its copy is not handed out then
//
// What is said names what has to come before it: a place of the server's order, and the message that was said over the link before.
// What cannot be handed out waits for that, or for its own copy. Anything doubtful is left to the copy.

import type { Clock } from '../../domain/clock.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { ConversationInfo, Entry, Params } from '../../protocol/contract/index.ts'
import type { PeerParams, PeerResult } from '../../protocol/direct/index.ts'
import { Broadcast } from '../feed.ts'
import type { Inbox, InboxTap } from '../inbox.ts'
import { formatMessageId } from '../outbox/message-id.ts'
import { laneOf, type OutboxTap, type Sent } from '../outbox.ts'
import type { DirectDelivery, Placed } from './direct.ts'
import { Heard } from './heard.ts'
import type { HeardStore } from './heard-store.ts'
import { type HeldBytes, Hearing, type Say, sayOf, type TalkLink } from './hearing.ts'
import type { PeerDevice } from './peer-link.ts'
import { nameKey, Places } from './places.ts'
import { Saying } from './saying.ts'
import { isOfMoney } from './words.ts'

export interface DirectTalkParts {
  readonly heard: HeardStore
  readonly limits: Limits
  readonly clock: Clock
  /** The conversation with somebody, as the server has it now. */
  find(name: string): Promise<ConversationInfo>
  /** Opens the inbox anew, and tells the last place in it. */
  inboxEnd(): Promise<number>
  /** Who this is; undefined before the first connection. */
  me(): { readonly name: string; readonly device: string } | undefined
  /** What the program reads now. */
  inbox(): Inbox | undefined
}

/** What is said over one link, both ways. */
interface Talk {
  readonly link: TalkLink
  readonly hearing: Hearing
  /** Undefined until the conversation is known. */
  saying: Saying | undefined
  /** Looks for the conversation; rejects when it was not found. */
  ready: Promise<number>
  /** When it was looked for last, and how often. */
  lookedAt: number
  looks: number
}

export class DirectTalk implements InboxTap, OutboxTap {
  /** What devices of contacts have stored. */
  readonly deliveries: Broadcast<DirectDelivery>
  /** Places of what came directly. */
  readonly placed: Broadcast<Placed>
  readonly #parts: DirectTalkParts
  readonly #heard: Heard
  readonly #places: Places
  readonly #talks = new Map<TalkLink, Talk>()
  readonly #held: HeldBytes = { bytes: 0 }
  /** The lane of everything that waits for the server, by its id. */
  readonly #waiting = new Map<string, string>()

  constructor(parts: DirectTalkParts) {
    this.#parts = parts
    this.#heard = new Heard(parts.heard, parts.limits)
    this.#places = new Places(parts.limits)
    this.deliveries = new Broadcast(parts.limits.clientLiveEventsMax)
    this.placed = new Broadcast(parts.limits.clientLiveEventsMax)
  }

  /** A link is up. */
  linked(link: TalkLink): void {
    this.#talkOf(link)
  }

  /**
   * The server may have stored something of ours in the conversation with somebody, or with anybody, whose place nobody has told:
   * nothing is said there before the last place is known.
   */
  doubt(name?: string): void {
    for (const talk of this.#talks.values()) {
      if (name !== undefined && nameKey(name) !== nameKey(talk.link.peer.name)) continue
      talk.saying?.doubt()
      talk.ready = this.#look(talk)
    }
  }

  /** Ends what is told. Resolves when what the program has done with is kept. */
  async end(reason: SealwireError | undefined): Promise<void> {
    this.deliveries.end(reason)
    this.placed.end(reason)
    await this.#heard[Symbol.asyncDispose]()
  }

  /**
   * The other device has said something. Resolves when the program has done with it and that is kept.
   * @throws {SealwireError} `not_permitted` for what it may not say here; `busy`, `storage_full`, `data_unusable`, `conflict`, `connection_lost`: it
   * comes through the server, or has come.
   */
  async hear(params: PeerParams<'direct.say'>, link: TalkLink): Promise<PeerResult<'direct.say'>> {
    const talk = this.#talkOf(link)
    const conversation = await this.#ready(talk)
    requireSayable(params, conversation)
    await this.#heard.ready(conversation)
    if (this.#parts.inbox() === undefined) throw unread()
    const say = sayOf(params, link.peer)
    if (talk.hearing.has(say.key)) throw new SealwireError('conflict', 'it was said before')
    if (this.#isNext(say)) this.#take(say)
    else this.#hold(talk, say)
    await say.answer.promise
    return {}
  }

  keeps(id: string, message: Params<'message.send'>, isNew: boolean): boolean {
    const conversation = message.conversation ?? this.#places.numberOf(message.to ?? '')
    this.#waiting.set(id, laneOf(message))
    let isSaid = false
    for (const talk of this.#talks.values()) {
      const { link, saying } = talk
      if (saying === undefined || saying.conversation !== conversation) continue
      if (saying.isDoubtful && this.#mayLook(talk)) talk.ready = this.#look(talk)
      const maySay = isNew && message.file === undefined && !this.#heard.isUnplaced(conversation, link.peer.device)
      if (maySay ? saying.say(id, message, this.#knowing(link.peer, message, conversation)) : saying.leave(id)) isSaid = true
    }
    return isSaid
  }

  sent({ id, conversation, seq }: Sent): void {
    this.#places.send(conversation, seq)
    for (const { saying } of this.#talks.values()) if (saying?.conversation === conversation) saying.sent(id, seq)
  }

  left(id: string): void {
    this.#waiting.delete(id)
    for (const { saying } of this.#talks.values()) saying?.left(id)
  }

  sameLane(lane: string): string | undefined {
    if (lane.startsWith('#')) return this.#places.nameOf(Number(lane.slice(1)))
    const number = this.#places.numberOf(lane)
    return number === undefined ? undefined : `#${number}`
  }

  /** Of what may come directly, and has no place then: also of what came through the server, and is in history. */
  answerId(entry: Entry): string | undefined {
    return entry.kind === 'message' && !isOfMoney(entry.type) ? this.#heard.keyOf(entry) : undefined
  }

  passes(entry: Entry, position: number): 'new' | 'heard' {
    const key = this.#heard.keyOf(entry)
    for (const { hearing } of this.#talks.values()) hearing.refuse(key, new SealwireError('conflict', 'it came through the server'))
    this.#places.enter(entry)
    return this.#heard.passes(entry, position)
  }

  reached(): void {
    const inbox = this.#parts.inbox()
    if (inbox !== undefined) this.#places.reach(inbox.received)
    for (const { hearing } of this.#talks.values()) {
      if (!hearing.isEmpty) for (const say of hearing.take((held) => this.#isNext(held))) this.#take(say)
    }
  }

  passed(entry: Entry, position: number): void {
    this.#heard.passed(entry, position)
    const { id, conversation, seq, at } = entry
    this.placed.push({ id: formatMessageId(id), conversation, seq, at })
  }

  acknowledged(position: number): void {
    this.#heard.acknowledged(position)
    this.reached()
  }

  ended(position: number, received: number): void {
    this.#heard.ended(position)
    this.#places.leave(received)
  }

  forget(): void {
    this.#heard.forget()
    this.#places.forget()
    for (const talk of this.#talks.values()) {
      talk.hearing.end(new SealwireError('busy', 'the order of the server begins anew'))
      talk.saying = undefined
      talk.ready = this.#look(talk)
    }
  }

  #talkOf(link: TalkLink): Talk {
    const known = this.#talks.get(link)
    if (known !== undefined) return known
    const hearing = new Hearing(this.#parts.limits, this.#held)
    const talk: Talk = { link, hearing, saying: undefined, ready: Promise.resolve(0), lookedAt: 0, looks: 0 }
    this.#talks.set(link, talk)
    talk.ready = this.#look(talk)
    void link.closed.then(() => {
      this.#talks.delete(link)
      hearing.end(new SealwireError('connection_lost', 'the direct link ended'))
    })
    return talk
  }

  /** The number of the conversation, looked for again when that did not help before. */
  async #ready(talk: Talk): Promise<number> {
    try {
      return await talk.ready
    } catch (reason) {
      if (!this.#mayLook(talk)) throw reason
      talk.ready = this.#look(talk)
      return talk.ready
    }
  }

  #mayLook({ lookedAt, looks }: Talk): boolean {
    return looks < 2 || this.#parts.clock.monotonic() - lookedAt >= this.#parts.limits.directLookMs
  }

  #look(talk: Talk): Promise<number> {
    talk.lookedAt = this.#parts.clock.monotonic()
    talk.looks++
    const ready = this.#lookNow(talk)
    ready.catch(() => {}) // What is said meanwhile goes through the server.
    return ready
  }

  /** Asks for the last place in the conversation, and then up to where the inbox has to come to have brought that. */
  async #lookNow(talk: Talk): Promise<number> {
    const { peer } = talk.link
    const doubts = talk.saying?.doubts ?? 0
    const { conversation, kind, state, lastSeq } = await this.#parts.find(peer.name)
    const isTheirs = kind === 'direct' && state === 'accepted' && this.#places.name(peer.name, conversation)
    if (!isTheirs) throw new SealwireError('not_permitted', 'there is no conversation for this link')
    if (this.#talks.get(talk.link) !== talk) return conversation
    talk.saying ??= this.#begin(talk.link, conversation, lastSeq)
    if (talk.saying.isDoubtful) talk.saying.know(lastSeq, doubts)
    void this.#expect(conversation, lastSeq)
    return conversation
  }

  #begin(link: TalkLink, conversation: number, lastSeq: number): Saying {
    const { name, device } = link.peer
    const lanes = [nameKey(name), `#${conversation}`]
    const waiting = [...this.#waiting].flatMap(([id, lane]) => (lanes.includes(lane) ? [id] : []))
    const base = Math.max(lastSeq, this.#places.highest(conversation))
    const delivered = (id: string): void => this.deliveries.push({ id, name, device })
    return new Saying({ link, limits: this.#parts.limits, conversation, base, waiting, delivered })
  }

  async #expect(conversation: number, seq: number): Promise<void> {
    if (this.#parts.inbox() === undefined || seq <= this.#places.brought(conversation)) return
    try {
      this.#places.expect(conversation, seq, await this.#parts.inboxEnd())
      this.reached()
    } catch {
      // It is asked again when something has to wait for it.
    }
  }

  #knowing({ device }: PeerDevice, { replyTo = 0 }: Params<'message.send'>, conversation: number): { known: number; at: number } {
    const others = this.#places.highestOfOthers(conversation, [device, this.#parts.me()?.device])
    // Its author knows more than the inbox has brought.
    const known = replyTo > this.#places.highest(conversation) ? replyTo : others
    return { known, at: this.#parts.clock.now() }
  }

  #isNext({ entry, behind }: Say): boolean {
    if (this.#places.brought(entry.conversation) < behind.seq) return false
    return behind.key === undefined || this.#heard.isHanded(behind.key)
  }

  #hold(talk: Talk, say: Say): void {
    talk.hearing.hold(say)
    if (say.behind.seq <= this.#places.brought(say.entry.conversation) || !this.#mayLook(talk)) return
    void this.#look(talk)
  }

  /** Hands it out behind what was read ahead. */
  #take({ key, hash, entry, answer }: Say): void {
    const found = this.#heard.find(key)
    if (found === 'stored') return answer.resolve()
    if (found === 'known') return answer.reject(new SealwireError('conflict', 'it was said before, or came through the server'))
    const message = { key, hash, conversation: entry.conversation, device: entry.device ?? '' }
    this.#heard.queue(message)
    const isQueued = this.#parts.inbox()?.pushSaid({
      entry,
      done: () => void this.#heard.done(message).then(answer.resolve, answer.reject),
      dropped: () => {
        this.#heard.drop(key)
        answer.reject(unread())
      },
    })
    if (isQueued === true) return
    this.#heard.drop(key)
    answer.reject(unread())
  }
}

function requireSayable({ conversation, type }: PeerParams<'direct.say'>, own: number): void {
  if (conversation !== own) throw new SealwireError('not_permitted', 'a direct link is for the conversation of the two')
  if (isOfMoney(type)) throw new SealwireError('not_permitted', 'what is said of money is said by the server alone')
}

function unread(): SealwireError {
  return new SealwireError('busy', 'nobody reads what comes, or not fast enough')
}

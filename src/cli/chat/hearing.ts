// What comes: entries of conversations, each told once, whether it comes out of the inbox or was unread. What has to be asked for
// that is asked until there is an answer.

import type { Placed } from '../../client/direct/direct.ts'
import { isPassing } from '../../client/refusals.ts'
import type { Conversation, ReadEntry } from '../../client/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { isMeant } from '../terminal/mentions.ts'
import { ShownDirectly } from './direct-shown.ts'
import { ReadMarks } from './marks.ts'
import type { ChatNews, Heard, Place } from './news.ts'
import { requestNow } from './request.ts'
import { Places, Shown } from './shown.ts'
import type { Talker } from './talker.ts'

export interface HearingParts {
  readonly me: Pick<Talker, 'name' | 'state' | 'conversation' | 'direct' | 'payments'>
  readonly tell: (news: Said) => void
  /** Resolves when what was told is taken, whoever reads sets the pace: whether somebody still reads. Default: at once, with true. */
  readonly drained?: () => Promise<boolean>
  /** Whether an earlier program has told it. Default: none has. */
  readonly isTold?: (entry: ReadEntry) => boolean
}

/** What comes, and how. */
export type Come = ReadEntry & Pick<Heard, 'way'>

type Said = Extract<ChatNews, { event: 'said' | 'changed' | 'older' }>

export class Hearing {
  readonly #parts: HearingParts
  readonly #shown = new Shown()
  readonly #places: Places
  readonly #marks = new ReadMarks()
  readonly #directly = new ShownDirectly({
    say: (...what) => this.#shown.say(...what),
    read: (...what) => this.#marks.add(...what),
  })

  constructor(parts: HearingParts) {
    this.#parts = parts
    this.#places = new Places(async (conversation) => placeOf((await parts.me.conversation(conversation)).info))
  }

  /** Takes an entry, and tells it unless `contact` takes it; answers whether it was not told before. */
  async hear(entry: Come, contact: (entry: ReadEntry) => Promise<void>): Promise<boolean> {
    if (this.#isShown(entry)) return false
    await this.patiently(() => (entry.kind === 'contact' ? contact(entry) : this.#tellEntry(entry)))
    if (hasPlace(entry)) this.#shown.add(entry)
    else this.#directly.add(entry)
    return true
  }

  /** A conversation is read from now on. What was read before is not told, unless a program wants it. */
  begin({ number, info: { readSeq } }: Conversation, place: Place, isAll: boolean): void {
    this.#places.add(place)
    if (!isAll) this.#shown.begin(number, readSeq)
  }

  /** Tells what nobody has read, oldest first, as far as there is not too much. */
  async tellUnread(conversation: Conversation, place: Place): Promise<void> {
    const { readSeq, lastSeq } = conversation.info
    if (readSeq >= lastSeq) return
    const { entries, more } = await this.#unreadIn(conversation)
    if (more) this.#parts.tell({ event: 'older', conversation: conversation.number })
    for (const entry of entries) {
      this.#shown.add(entry)
      if (entry.kind === 'message' && entry.deleted !== true && entry.from !== this.#parts.me.name) await this.#tellSaid(entry, place)
      // What nobody has taken is still unread.
      if ((await this.#parts.drained?.()) === false) return
    }
    this.#marks.add(conversation, lastSeq)
  }

  /** What somebody has said with their request to talk; it counts as told. */
  async requestIn(number: number): Promise<ReadEntry | undefined> {
    const conversation = await this.#parts.me.conversation(number)
    for await (const entry of conversation.history()) {
      if (entry.kind !== 'contact') continue
      this.#shown.add(entry)
      return entry
    }
    return undefined
  }

  /** One has said something oneself: what it is about can be quoted later. */
  say(conversation: number, seq: number, text: string): void {
    this.#shown.say(conversation, seq, text)
  }

  /** Everything up to here was read. */
  read(conversation: Conversation, entry: ReadEntry): void {
    if (hasPlace(entry)) this.#marks.add(conversation, entry.seq)
    else this.#directly.read(entry, conversation)
  }

  /** The server was set back to an earlier day: its places mean something else now. */
  setBack(): void {
    this.#shown.setBack()
  }

  /** What came directly has its place now. */
  placed(placed: Placed): void {
    this.#directly.placed(placed)
  }

  /** Resolves when the server knows what was read, or cannot be told. */
  async settled(): Promise<void> {
    await this.#marks.settled()
  }

  /** What has to be asked for what is shown is asked until there is an answer: the connection comes back, or closes. */
  async patiently(act: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await act()
      } catch (reason) {
        const error = SealwireError.from(reason)
        if (this.#parts.me.state === 'closed' || error.code === 'internal' || !isPassing(error)) throw error
      }
    }
  }

  async #unreadIn(conversation: Conversation): Promise<{ readonly entries: readonly ReadEntry[]; readonly more: boolean }> {
    const max = limitTable.chatUnreadMax.value
    const unread: ReadEntry[] = []
    for await (const entry of conversation.history()) {
      if (entry.seq <= conversation.info.readSeq || unread.length > max) break
      if (!this.#isShown(entry)) unread.unshift(entry)
    }
    return { entries: unread.slice(-max), more: unread.length > max }
  }

  #isShown(entry: ReadEntry): boolean {
    return this.#directly.has(entry) || (hasPlace(entry) && this.#shown.has(entry)) || this.#parts.isTold?.(entry) === true
  }

  async #tellEntry(entry: Come): Promise<void> {
    const { conversation, kind, target, text, title } = entry
    if (kind === 'room' && title !== undefined) this.#places.add({ conversation, room: title })
    const place = await this.#placeOf(entry)
    if (kind === 'message') return this.#tellSaid(entry, place, this.#wayOf(entry))
    const about = this.#shown.words(conversation, target)
    if (kind === 'edit' && target !== undefined && text !== undefined) this.#shown.say(conversation, target, text)
    this.#parts.tell({ event: 'changed', entry, place, about })
  }

  async #tellSaid(entry: ReadEntry, place: Place, way: Pick<Heard, 'way'> = {}): Promise<void> {
    const request = await requestNow(this.#parts.me, entry)
    const about = this.#shown.words(entry.conversation, entry.replyTo)
    const meant = place.room !== undefined && isMeant(entry, this.#parts.me.name) ? { isMeant: true } : {}
    this.#parts.tell({ event: 'said', entry, place, ...(about === undefined ? {} : { about }), ...meant, request, ...way })
  }

  /** Without direct links there is but one. */
  #wayOf({ way }: Come): Pick<Heard, 'way'> {
    return this.#parts.me.direct === undefined || way === undefined ? {} : { way }
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
}

/** What came directly has none until it came through the server too. */
function hasPlace({ seq }: ReadEntry): boolean {
  return seq > 0
}

/** Where a conversation is. */
export function placeOf({ conversation, name, title }: Conversation['info']): Place {
  return title === undefined ? { conversation, peer: name } : { conversation, room: title }
}

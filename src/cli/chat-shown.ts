// What a chat has shown already: what was unread is read from the history, and comes out of the inbox once more.

import type { ReadEntry } from '../client/index.ts'
import { limitTable } from '../protocol/limits.ts'
import type { Place } from './chat-news.ts'
import { Recent } from '../domain/recent.ts'

export class Shown {
  /** The first and the last place, by conversation. */
  readonly #ranges = new Recent<number, readonly [number, number]>(limitTable.chatConversationsMax.value)
  readonly #words = new Recent<string, string>(limitTable.chatWordsMax.value)

  has({ conversation, seq }: Pick<ReadEntry, 'conversation' | 'seq'>): boolean {
    const range = this.#ranges.find(conversation)
    return range !== undefined && seq >= range[0] && seq <= range[1]
  }

  add(entry: Pick<ReadEntry, 'conversation' | 'seq' | 'kind' | 'text'>): void {
    const { conversation, seq, kind, text } = entry
    this.#reach(conversation, seq, seq)
    if (kind === 'message' && text !== undefined) this.say(conversation, seq, text)
  }

  /** Everything up to here was read before. */
  begin(conversation: number, readSeq: number): void {
    this.#reach(conversation, 0, readSeq)
  }

  /** What a message says, or says now. */
  say(conversation: number, seq: number, text: string): void {
    this.#words.add(`${conversation}:${seq}`, text)
  }

  words(conversation: number, seq: number | undefined): string | undefined {
    return seq === undefined ? undefined : this.#words.find(`${conversation}:${seq}`)
  }

  #reach(conversation: number, from: number, to: number): void {
    const [first, last] = this.#ranges.find(conversation) ?? [from, to]
    this.#ranges.add(conversation, [Math.min(first, from), Math.max(last, to)])
  }
}

/** Where things are said, by the number of the conversation. */
export class Places {
  readonly #known = new Recent<number, Place>(limitTable.chatConversationsMax.value)
  readonly #look: (conversation: number) => Promise<Place>

  /** `look` finds out what is not known. */
  constructor(look: (conversation: number) => Promise<Place>) {
    this.#look = look
  }

  async find(conversation: number): Promise<Place> {
    const known = this.#known.find(conversation)
    if (known !== undefined) return known
    const place = await this.#look(conversation)
    this.add(place)
    return place
  }

  add(place: Place): void {
    this.#known.add(place.conversation, place)
  }
}

// What a chat has shown already: what was unread is read from the history, and comes out of the inbox once more.

import type { ReadEntry } from '../../client/index.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Place } from './news.ts'
import { Recent } from '../../domain/recent.ts'

type Placed = Pick<ReadEntry, 'conversation' | 'seq' | 'from' | 'id'>

export class Shown {
  /** The first and the last place, by conversation. */
  #ranges = new Recent<number, readonly [number, number]>(limitTable.chatConversationsMax.value)
  #words = new Recent<string, string>(limitTable.chatWordsMax.value)
  readonly #ids = new Recent<string, true>(limitTable.chatWordsMax.value)
  #isSetBack = false

  has(entry: Placed): boolean {
    const range = this.#ranges.find(entry.conversation)
    if (range !== undefined && entry.seq >= range[0] && entry.seq <= range[1]) return true
    return this.#isSetBack && this.#ids.find(idOf(entry)) !== undefined
  }

  add(entry: Placed & Pick<ReadEntry, 'kind' | 'text' | 'file'>): void {
    const { conversation, seq, kind } = entry
    const text = calledOf(entry)
    this.#reach(conversation, seq, seq)
    this.#ids.add(idOf(entry), true)
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

  /** The server is of an earlier day: its places are given to something else now, and what was shown is known by its id. */
  setBack(): void {
    this.#ranges = new Recent(limitTable.chatConversationsMax.value)
    this.#words = new Recent(limitTable.chatWordsMax.value)
    this.#isSetBack = true
  }

  words(conversation: number, seq: number | undefined): string | undefined {
    return seq === undefined ? undefined : this.#words.find(`${conversation}:${seq}`)
  }

  #reach(conversation: number, from: number, to: number): void {
    const [first, last] = this.#ranges.find(conversation) ?? [from, to]
    this.#ranges.add(conversation, [Math.min(first, from), Math.max(last, to)])
  }
}

function idOf({ conversation, from, id }: Placed): string {
  return `${conversation}:${from}:${id}`
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

/** What a message is called where something happens to it: its words, or the name of a file without any. */
export function calledOf({ text, file }: Pick<ReadEntry, 'text' | 'file'>): string | undefined {
  return text === undefined || text === '' ? (file?.name ?? text) : text
}

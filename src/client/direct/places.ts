// What is known here of the order that the server makes: up to which place the inbox has brought each conversation, which is what a
// message that is said directly may have to wait for; and what this device knows of it when it says something itself.

import { nameKey } from '../../domain/case-fold.ts'
import type { Entry } from '../../protocol/contract/index.ts'
import type { Limits } from '../../protocol/index.ts'

export class Places {
  readonly #limits: Limits
  /** The numbers of the conversations with contacts, by `nameKey`. They stay: the order of what is sent goes by them. */
  readonly #numbers = new Map<string, number>()
  readonly #names = new Map<number, string>()
  /** Up to where the inbox has brought each conversation that has a number here to who reads now. */
  readonly #brought = new Map<number, number>()
  /** Up to where it has brought it to anybody. */
  readonly #seen = new Map<number, number>()
  /** The highest place of what was sent here. */
  readonly #sent = new Map<number, number>()
  /** Of conversations with a number here: the highest place that is known of each device. */
  readonly #devices = new Map<number, Map<string, number>>()
  /** Places that are brought once the inbox has come to a position. */
  readonly #expected = new Map<number, { readonly seq: number; readonly position: number }>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** The conversation with somebody has this number. False when there is no room for one more, or it had another one. */
  name(name: string, conversation: number): boolean {
    const key = nameKey(name)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known === conversation
    if (this.#numbers.size >= this.#limits.directConversationsMax || this.#names.has(conversation)) return false
    this.#numbers.set(key, conversation)
    this.#names.set(conversation, key)
    return true
  }

  numberOf(name: string): number | undefined {
    return this.#numbers.get(nameKey(name))
  }

  nameOf(conversation: number): string | undefined {
    return this.#names.get(conversation)
  }

  /** The inbox brings it. */
  enter({ conversation, seq, device = '' }: Pick<Entry, 'conversation' | 'seq' | 'device'>): void {
    this.#raise(this.#seen, conversation, seq)
    if (!this.#names.has(conversation)) return
    this.#raise(this.#brought, conversation, seq)
    const devices = this.#devices.get(conversation) ?? new Map<string, number>()
    this.#devices.set(conversation, devices)
    this.#raise(devices, device, seq)
  }

  /** The server has stored what was sent here. */
  send(conversation: number, seq: number): void {
    this.#raise(this.#sent, conversation, seq)
  }

  /** Up to where the inbox has brought it; 0 when that is not known. */
  brought(conversation: number): number {
    return this.#brought.get(conversation) ?? 0
  }

  /** The highest place that is known, whoever made it. */
  highest(conversation: number): number {
    return Math.max(this.#seen.get(conversation) ?? 0, this.#sent.get(conversation) ?? 0)
  }

  /** The highest place that the inbox has brought of what none of these devices made, since the conversation has its number. */
  highestOfOthers(conversation: number, devices: readonly (string | undefined)[]): number {
    let highest = 0
    for (const [device, seq] of this.#devices.get(conversation) ?? []) if (!devices.includes(device)) highest = Math.max(highest, seq)
    return highest
  }

  /** When the inbox has come to that position it has brought everything up to `seq`. */
  expect(conversation: number, seq: number, position: number): void {
    const known = this.#expected.get(conversation) ?? { seq, position }
    this.#expected.set(conversation, { seq: Math.max(seq, known.seq), position: Math.max(position, known.position) })
  }

  /** The reader goes, which has read up to there: whoever is next has the same when it comes there. */
  leave(received: number): void {
    for (const [conversation, seq] of this.#brought) this.expect(conversation, seq, received)
    this.#brought.clear()
  }

  /** The inbox has come to a position. */
  reach(received: number): void {
    for (const [conversation, { seq, position }] of this.#expected) {
      if (position > received) continue
      this.#expected.delete(conversation)
      this.#raise(this.#brought, conversation, seq)
    }
  }

  /** The server has other places from now on. */
  forget(): void {
    for (const map of [this.#brought, this.#seen, this.#sent, this.#devices, this.#expected]) map.clear()
  }

  #raise<K>(places: Map<K, number>, key: K, seq: number): void {
    const known = places.get(key) ?? 0
    places.delete(key)
    places.set(key, Math.max(known, seq))
    if (places.size <= this.#limits.directConversationsMax) return
    const [oldest] = places.keys()
    if (oldest !== undefined) places.delete(oldest)
  }
}

export { nameKey }

// What came directly and was shown before it had a place in its conversation. When its place is known it is read, and what changes it
// can quote it. Which of the two is known first is chance: what waits to be shown may be on the server by then.
//
//   shown ──placed──▶ known      placed ──shown──▶ known

import type { Placed } from '../../client/direct/direct.ts'
import type { ReadEntry } from '../../client/index.ts'
import { Recent } from '../../domain/recent.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Readable } from './marks.ts'
import { shortened } from './text.ts'

/** What is done when the place of something is known. */
export interface KnownPlaces {
  /** It says this. */
  say(conversation: number, seq: number, text: string): void
  /** It was read. */
  read(conversation: Readable, seq: number): void
}

interface Said {
  readonly text: string | undefined
  /** Where it was read. */
  readonly reader?: Readable
}

export class ShownDirectly {
  readonly #known: KnownPlaces
  /** What was shown, and what of it is still to be done. */
  readonly #shown = new Recent<string, Said>(limitTable.chatDirectMax.value)
  readonly #places = new Recent<string, Placed>(limitTable.chatDirectMax.value)

  constructor(known: KnownPlaces) {
    this.#known = known
  }

  has({ id }: Pick<ReadEntry, 'id'>): boolean {
    return this.#shown.find(id) !== undefined
  }

  add({ id, text }: Pick<ReadEntry, 'id' | 'text'>): void {
    this.#settle(id, { text: text === undefined ? undefined : shortened(text) })
  }

  /** What was shown is read there. */
  read({ id }: Pick<ReadEntry, 'id'>, reader: Readable): void {
    this.#settle(id, { text: undefined, ...this.#shown.find(id), reader })
  }

  placed(placed: Placed): void {
    this.#places.add(placed.id, placed)
    const said = this.#shown.find(placed.id)
    if (said !== undefined) this.#settle(placed.id, said)
  }

  #settle(id: string, said: Said): void {
    this.#shown.add(id, said)
    const placed = this.#places.find(id)
    if (placed === undefined) return
    if (said.text !== undefined) this.#known.say(placed.conversation, placed.seq, said.text)
    if (said.reader !== undefined) this.#known.read(said.reader, placed.seq)
  }
}

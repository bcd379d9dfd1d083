// What columns of numbers and bytes between threads have in common: texts that cross once, each with its place, and places in a group.

import { assert } from '../../protocol/errors.ts'

/** Texts, each once; what says one has its place. The first place is for none. */
export class TextTable {
  readonly #places = new Map<string | undefined, number>([[undefined, 0]])
  readonly #all: (string | undefined)[] = [undefined]

  /** By place. */
  get all(): readonly (string | undefined)[] {
    return this.#all
  }

  place(text: string | undefined): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    this.#places.set(text, this.#all.length)
    return this.#all.push(text) - 1
  }
}

/** One at each of the places, the others in their order where there is none. */
export function putBack<T>(places: Uint32Array, others: readonly T[], taken: (index: number) => T): readonly T[] {
  const all: T[] = []
  let next = 0
  for (let index = 0; index < places.length; index++) {
    while (all.length < (places[index] ?? 0)) all.push(others[next++] as T)
    all.push(taken(index))
  }
  return [...all, ...others.slice(next)]
}

/** What has to be in a column. */
export function present<T>(value: T | undefined): T {
  assert(value !== undefined, 'a column that is too short')
  return value
}

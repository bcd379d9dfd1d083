// How often each of a closed set of words has happened. The table is as small as the set is.

export class Tallies<K extends string> {
  readonly #counts = new Map<K, number>()

  add(key: K, count = 1): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
  }

  of(key: K): number {
    return this.#counts.get(key) ?? 0
  }

  get entries(): readonly (readonly [K, number])[] {
    return [...this.#counts]
  }
}

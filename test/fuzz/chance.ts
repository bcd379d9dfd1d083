// Chance that can be repeated: everything that fuzzing leaves to chance follows from one number.

export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Chance that follows from an input, so that an input alone says all that happens to it. */
  static of(input: Uint8Array): Chance {
    let hash = 0x811c9dc5 ^ input.length
    const step = 1 + (input.length >> 8)
    for (let at = 0; at < input.length; at += step) hash = Math.imul(hash ^ (input[at] ?? 0), 0x01000193)
    return new Chance(hash)
  }

  /** A number of 32 bits (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end)
  }

  /** A whole number from `from` to `to`. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** A length: mostly short, now and then up to `max`. */
  length(max: number): number {
    return this.below(Math.min(max, this.oneIn(20) ? max : this.oneIn(4) ? 300 : 24) + 1)
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    // Of long ones the rest is a pattern: what is in it is nothing to anybody.
    for (let at = 0; at < count; at++) bytes[at] = at < 32 ? this.next() : at
    return bytes
  }

  /** The same in another order. */
  shuffled<T>(from: readonly T[]): T[] {
    const all = [...from]
    for (let at = all.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const kept = all[at] as T
      all[at] = all[other] as T
      all[other] = kept
    }
    return all
  }
}

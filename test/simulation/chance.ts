// All chance of a world: one seed, one sequence of numbers, asked in one order.

import { randomOf, type Random } from '../faults/random.ts'

export class Chance {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = randomOf(seed)
  }

  /** From 0 to below 1. */
  readonly number = (): number => this.#random()

  /** Whether something that happens in this part of all cases does. */
  happens(part: number): boolean {
    return this.#random() < part
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** One of them; undefined of none. */
  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)]
  }

  /** Mostly short, now and then long: `usualMs` at most in nine of ten cases, else up to `longMs`. */
  delay(usualMs: number, longMs: number): number {
    return this.happens(0.9) ? this.between(0, usualMs) : this.between(usualMs, longMs)
  }

  /** Fills with random bytes, as the product asks for them. */
  readonly fill = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.below(256)
    return bytes
  }
}

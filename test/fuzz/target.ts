// What is fuzzed: something that reads bytes of others, and what must be true of it whatever they are.

import { SealwireError } from '../../src/protocol/index.ts'
import type { Chance } from './chance.ts'

/** One target. Its inputs are bytes, and nothing but the bytes decides what happens to them. */
export interface FuzzTarget {
  readonly name: string
  /** Pieces that mean something to it. */
  readonly words: readonly Uint8Array[]
  /** The longest input worth a try. */
  readonly bytesMax: number
  /** An input of its grammar: one that is accepted, or nearly. */
  generate(chance: Chance): Uint8Array
  /**
   * What became of an input, in words: `+` and what was accepted, or `-` and why not. The same words stand for the same way
   * through the code. It throws when something happened that must not.
   */
  run(input: Uint8Array): Behaviour | Promise<Behaviour>
  /** Gives back what it holds. It may be run again. */
  end?(): void
  /** How often something costly or deep was reached, by its name, since the target was made. */
  readonly reached?: ReadonlyMap<string, number>
}

/** Accepted, or refused. */
export type Behaviour = `+${string}` | `-${string}`

/** The only errors that a refusal may be: of these codes, by our own class. Anything else that is thrown is thrown on. */
export function refusedAs(reason: unknown, codes: ReadonlySet<string>): SealwireError {
  if (reason instanceof SealwireError && codes.has(reason.code)) return reason
  throw reason
}

/** Throws when what must be true is not. */
export function must(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`${what}: it must be, and is not`)
}

/** Counts under a name. */
export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** The bytes of texts. */
export function wordsOf(texts: Iterable<string>): readonly Uint8Array[] {
  const encoder = new TextEncoder()
  return Array.from(texts, (text) => encoder.encode(text))
}

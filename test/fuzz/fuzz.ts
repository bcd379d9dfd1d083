// Feeds a target: first what was kept, then inputs of its grammar and changed ones, as many as are asked for. An input that goes a
// way that none has gone before is kept for the run, so that later ones begin where it ended. Everything follows from the seed.

import { Chance } from './chance.ts'
import { FoundError } from './found-error.ts'
import { mutate } from './mutator.ts'
import type { Behaviour, FuzzTarget } from './target.ts'

export interface FuzzOptions {
  /** How many inputs are generated; those that were kept come in addition. */
  readonly inputs: number
  readonly seed: number
  /** Inputs of earlier runs, fed first. */
  readonly kept?: readonly Uint8Array[]
  /** An input that takes the processor longer is a finding. Default: a second, ten thousand times what an input takes. */
  readonly slowMs?: number
}

/** What a run did. */
export interface FuzzReport {
  readonly target: string
  readonly seed: number
  readonly inputs: number
  /** Of `inputs`: accepted; the others were refused. */
  readonly accepted: number
  /** The ways through the code that were seen, each with the first input that went it, in the order in which they were found. */
  readonly ways: ReadonlyMap<Behaviour, Uint8Array>
  /** Of the processor. */
  readonly ms: number
}

/** Runs a target. @throws {FoundError} with the first input that did what must not be. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const before = Error.stackTraceLimit
  // Refusals are made by the million; what is found is run again with its stack.
  Error.stackTraceLimit = 0
  try {
    return await new Fuzzer(target, options).run()
  } finally {
    Error.stackTraceLimit = before
    target.end?.()
  }
}

class Fuzzer {
  readonly #target: FuzzTarget
  readonly #options: FuzzOptions
  readonly #chance: Chance
  readonly #ways = new Map<Behaviour, Uint8Array>()
  readonly #pool: Uint8Array[] = []
  readonly #slowMs: number
  #accepted = 0
  #number = 0

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target
    this.#options = options
    this.#chance = new Chance(options.seed)
    this.#slowMs = options.slowMs ?? 1_000
  }

  async run(): Promise<FuzzReport> {
    const { inputs, seed, kept = [] } = this.#options
    const from = process.cpuUsage()
    for (const input of kept) {
      await this.#feed(input)
      this.#pool.push(input)
    }
    for (let seeds = 0; seeds < seedsCount; seeds++) this.#pool.push(this.#target.generate(this.#chance))
    this.#accepted = 0
    for (this.#number = 1; this.#number <= inputs; this.#number++) await this.#step()
    const { user, system } = process.cpuUsage(from)
    const ms = (user + system) / 1_000
    return { target: this.#target.name, seed, inputs, accepted: this.#accepted, ways: this.#ways, ms }
  }

  /** Waits only where there is something to wait for, and now and then, so that others have a turn. */
  #step(): Promise<void> | undefined {
    const fed = this.#feed(this.#next())
    return this.#number % turnInputs === 0 ? Promise.resolve(fed).then(async () => setImmediatePromise()) : fed
  }

  #next(): Uint8Array {
    const chance = this.#chance
    const { words, bytesMax } = this.#target
    if (chance.oneIn(8)) return this.#target.generate(chance)
    return mutate(chance, chance.pick(this.#pool), { words, bytesMax, inputs: this.#pool })
  }

  #feed(input: Uint8Array): Promise<void> | undefined {
    // A target may keep or change what it is given, as the code behind it may.
    const startedAt = performance.now()
    try {
      const behaviour = this.#target.run(input.slice())
      if (typeof behaviour === 'string') return this.#note(input, behaviour, startedAt)
      return behaviour.then(
        (waited) => this.#note(input, waited, startedAt),
        (reason: unknown) => this.#found(input, reason),
      )
    } catch (reason) {
      return this.#found(input, reason)
    }
  }

  #note(input: Uint8Array, behaviour: Behaviour, startedAt: number): Promise<void> | undefined {
    if (behaviour[0] === '+') this.#accepted++
    if (performance.now() - startedAt > this.#slowMs) return this.#judgeSlow(input)
    if (this.#ways.has(behaviour) || this.#ways.size >= waysMax) return undefined
    this.#ways.set(behaviour, input)
    this.#pool.push(input)
    return undefined
  }

  /** The machine may have been busy with something else: what counts is the processor time of the best of three runs. */
  async #judgeSlow(input: Uint8Array): Promise<void> {
    let best = Infinity
    for (let times = 0; times < 3; times++) {
      const from = process.cpuUsage()
      await this.#target.run(input.slice())
      const { user, system } = process.cpuUsage(from)
      best = Math.min(best, (user + system) / 1_000)
    }
    if (best > this.#slowMs) return this.#found(input, new Error(`an input of ${input.length} bytes takes ${Math.round(best)} ms`))
  }

  async #found(input: Uint8Array, reason: unknown): Promise<never> {
    const { name } = this.#target
    const place = { target: name, seed: this.#options.seed, number: this.#number }
    throw new FoundError(input, place, await causeOf(this.#target, input, reason))
  }
}

/** The same failure once more, with its stack; or, where it does not come again, as it was. */
async function causeOf(target: FuzzTarget, input: Uint8Array, reason: unknown): Promise<unknown> {
  Error.stackTraceLimit = 20
  try {
    await target.run(input.slice())
    return reason
  } catch (again) {
    return again
  }
}

function setImmediatePromise(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const seedsCount = 512
const turnInputs = 20_000
/** More ways than any target has: what others write may be in their names. */
const waysMax = 4_000

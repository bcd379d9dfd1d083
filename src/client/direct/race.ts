// Happy eyeballs (RFC 8305 §5): of several addresses of one device the first that answers is taken. They are not dialled all at
// once, nor one after the other:
//
//   0 ms        250 ms      500 ms                      IPv6 and IPv4 in turn; the next one starts `staggerMs` after the one
//   IPv6 ───────────────────────────▶ too late: cut     before, or at once when that one has failed; the first that succeeds
//               IPv4 ──────────▶ wins                   wins, and all others are cut, also those that succeed after it.
//                           IPv6 ───▶ cut
//
// What counts as success is the business of `dial`: over TLS 1.3 that is the other side's first frame, not its handshake.

import { isIP } from 'node:net'
import type { Clock, Timer } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Candidate } from './candidates.ts'

/** What a dial leads to, as far as a race knows it. */
export interface Runner {
  /** Cuts it at once. */
  terminate(): void
}

/** Dials one address; gives up, with whatever error, when `signal` says so. */
export type Dial<T extends Runner> = (candidate: Candidate, options: { readonly signal: AbortSignal }) => Promise<T>

/** When which address is dialled, and when all of it is over. */
export interface RaceOptions {
  readonly clock: Pick<Clock, 'after'>
  /** From one dial to the next, in ms. Default 250 (limit `directStaggerMs`). */
  readonly staggerMs?: number
  /** All dials together, in ms. Default 3,000 (limit `directRaceMsMax`). */
  readonly totalMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * What the first successful dial leads to. At most 8 candidates (limit `directCandidatesMax`) are tried, as many of each family
 * as there are.
 * @throws {SealwireError} `untrusted` when somebody else than the device was at one of the addresses, and the device at none;
 * else `unreachable`. The cause is the error of a dial, if one has failed.
 */
export async function race<T extends Runner>(candidates: readonly Candidate[], dial: Dial<T>, options: RaceOptions): Promise<T> {
  const { clock, totalMs = limitTable.directRaceMsMax.value, signal } = options
  if (signal?.aborted === true) throw givenUp(signal.reason)
  const running = new Race(inTurn(candidates), dial, options)
  const late = clock.after(totalMs, () => running.lose(unreachable(`nobody answered within ${totalMs / 1000} s`, running.worst)))
  const aborted = (): void => running.lose(givenUp(signal?.reason))
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    running.next()
    return await running.result
  } finally {
    running.end()
    late.cancel()
    signal?.removeEventListener('abort', aborted)
  }
}

/** IPv6 and IPv4 in turn, each in its own order; IPv6 begins. No more than are tried. */
export function inTurn(candidates: readonly Candidate[]): readonly Candidate[] {
  const [six, four] = [6, 4].map((family) => candidates.filter(({ host }) => isIP(host) === family))
  return candidates.flatMap((_, at) => [six?.[at], four?.[at]].filter((each) => each !== undefined)).slice(0, candidatesMax)
}

class Race<T extends Runner> {
  readonly #candidates: readonly Candidate[]
  readonly #dial: Dial<T>
  readonly #clock: RaceOptions['clock']
  readonly #staggerMs: number
  readonly #cut = new AbortController()
  readonly #outcome = Promise.withResolvers<T>()
  readonly #failures: SealwireError[] = []
  #started = 0
  #stagger: Timer | undefined

  constructor(candidates: readonly Candidate[], dial: Dial<T>, { clock, staggerMs = limitTable.directStaggerMs.value }: RaceOptions) {
    this.#candidates = candidates
    this.#dial = dial
    this.#clock = clock
    this.#staggerMs = staggerMs
  }

  get result(): Promise<T> {
    return this.#outcome.promise
  }

  /** That somebody else was there says more than that nobody was. */
  get worst(): SealwireError | undefined {
    return this.#failures.find(({ code }) => code === 'untrusted') ?? this.#failures.at(-1)
  }

  /** Starts the next one, if the race is still on and there is one. */
  next(): void {
    this.#stagger?.cancel()
    if (this.#cut.signal.aborted) return
    const candidate = this.#candidates[this.#started]
    if (candidate === undefined) return this.#loseIfAllHave()
    const at = ++this.#started
    this.#stagger = this.#clock.after(this.#staggerMs, () => this.next())
    void this.#run(candidate, at)
  }

  lose(reason: SealwireError): void {
    this.#outcome.reject(reason)
    this.end()
  }

  /** Cuts all that are under way. */
  end(): void {
    this.#stagger?.cancel()
    this.#cut.abort()
  }

  async #run(candidate: Candidate, at: number): Promise<void> {
    try {
      const runner = await this.#dial(candidate, { signal: this.#cut.signal })
      if (this.#cut.signal.aborted) return runner.terminate()
      this.#outcome.resolve(runner)
      this.end()
    } catch (reason) {
      this.#failures.push(SealwireError.from(reason))
      // An earlier one that fails changes nothing: the one after it runs already.
      if (at === this.#started) this.next()
      else this.#loseIfAllHave()
    }
  }

  #loseIfAllHave(): void {
    if (this.#failures.length < this.#candidates.length) return
    const { worst } = this
    this.lose(worst?.code === 'untrusted' ? worst : unreachable('no address of the other device leads there', worst))
  }
}

function unreachable(sentence: string, cause: unknown): SealwireError {
  return new SealwireError('unreachable', sentence, { cause, hint: 'what is said goes through the server' })
}

function givenUp(cause: unknown): SealwireError {
  return new SealwireError('unreachable', 'the direct link was given up', { cause })
}

const candidatesMax = limitTable.directCandidatesMax.value

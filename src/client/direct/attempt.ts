// One device, one token, one attempt at a link. Both sides dial each other, and both may succeed; then the link stays whose dialler
// has the smaller key. Neither has to ask the other: who is smaller and is told hello answers only when its own dials have failed.
//
//   fresh ──dial()──▶ dialling ──first answer to our hello──▶ over: linked
//     │                  ├──all dials failed──▶ waiting
//     │                  ├──hello, we are larger: own dials are cut──▶ admitted
//     │                  └──hello, we are smaller──▶ holding ──first answer──▶ over: linked, and the hello is refused (conflict)
//     │                                                 └──all dials failed──▶ admitted
//     └──hello──▶ admitted ◀──hello── waiting
//   admitted ──hello was answered──▶ over: linked
//       └──its connection ended before──▶ waiting
//   any ──the token has expired, end()──▶ over
//
// Who is larger dials for twice as long: where only its dials get through, the other one has to give up its own first.

import type { Clock, Timer } from '../../domain/clock.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { Candidate } from './candidates.ts'
import { race, type Runner } from './race.ts'
import type { WhyRelayed } from './ways.ts'

/** What an attempt is for. */
export interface AttemptGoal {
  readonly token: Uint8Array
  /** SHA-256 of the SubjectPublicKeyInfo of the other device, and ours, in hex. */
  readonly theirs: string
  readonly ours: string
  /** How long the token is good, in ms. */
  readonly lifeMs: number
}

/** A link as far as an attempt knows it. */
export interface AttemptLink {
  terminate(reason: SealwireError): void
}

export interface AttemptParts<T extends AttemptLink> {
  readonly clock: Pick<Clock, 'after'>
  readonly limits: Pick<Limits, 'directStaggerMs' | 'directRaceMsMax'>
  /** Dials one address and says hello; resolves when that was answered. */
  readonly greet: (candidate: Candidate, signal: AbortSignal) => Promise<T>
  /** There is a link. Told at most once, before `ended`. */
  linked(link: T): void
  /** It is over, and, without a link, why. Told once. */
  ended(why: WhyRelayed | undefined): void
}

type State =
  | { readonly name: 'fresh' | 'waiting' | 'admitted' | 'over' }
  | { readonly name: 'dialling'; readonly dials: AbortController }
  | { readonly name: 'holding'; readonly dials: AbortController; readonly hello: PromiseWithResolvers<void> }

export class Attempt<T extends AttemptLink> {
  readonly goal: AttemptGoal
  readonly #parts: AttemptParts<T>
  readonly #deadline: Timer
  #state: State = { name: 'fresh' }
  #why: WhyRelayed = 'unreachable'

  constructor(goal: AttemptGoal, parts: AttemptParts<T>) {
    this.goal = goal
    this.#parts = parts
    this.#deadline = parts.clock.after(goal.lifeMs, () => this.end(this.#why))
  }

  get isOver(): boolean {
    return this.#state.name === 'over'
  }

  /** Dials these addresses, unless the other one was quicker. The first time only. */
  dial(candidates: readonly Candidate[]): void {
    if (this.#state.name !== 'fresh') return
    const dials = new AbortController()
    this.#state = { name: 'dialling', dials }
    void this.#race(candidates, dials.signal)
  }

  /**
   * The other device has connected and said hello: resolves when it is to be answered. Then `accepted` or `acceptFailed` follows.
   * @throws {SealwireError} `conflict` when another link is being made; `not_permitted` when it is over.
   */
  async admit(): Promise<void> {
    const state = this.#state
    if (state.name === 'over') throw tokenRefused()
    if (state.name === 'holding' || state.name === 'admitted') throw anotherLink()
    if (state.name === 'dialling' && !this.#isLarger) return this.#hold(state.dials)
    this.#state = { name: 'admitted' }
    if (state.name === 'dialling') state.dials.abort()
  }

  /** The hello was answered. */
  accepted(link: T): void {
    if (this.#state.name === 'admitted') this.#link(link)
    else link.terminate(anotherLink())
  }

  /** The connection ended before. */
  acceptFailed(): void {
    if (this.#state.name === 'admitted') this.#state = { name: 'waiting' }
  }

  /** Gives up, and cuts what is under way. */
  end(why: WhyRelayed | undefined): void {
    const before = this.#state
    if (before.name === 'over') return
    this.#state = { name: 'over' }
    this.#deadline.cancel()
    if (before.name === 'dialling' || before.name === 'holding') before.dials.abort()
    if (before.name === 'holding') before.hello.reject(anotherLink())
    this.#parts.ended(why)
  }

  /** Until it is known whether our own dials lead there. */
  #hold(dials: AbortController): Promise<void> {
    const hello = Promise.withResolvers<void>()
    this.#state = { name: 'holding', dials, hello }
    return hello.promise
  }

  async #race(candidates: readonly Candidate[], signal: AbortSignal): Promise<void> {
    const { clock, limits, greet } = this.#parts
    const times = { staggerMs: limits.directStaggerMs, totalMs: limits.directRaceMsMax * (this.#isLarger ? 2 : 1) }
    try {
      const { link } = await race(candidates, async (each, dial) => runner(await greet(each, dial.signal)), { clock, signal, ...times })
      this.#won(link)
    } catch (reason) {
      this.#lost(SealwireError.from(reason))
    }
  }

  /** The other side has answered us, so it has no dials of its own any more: whatever it was told to hold is over. */
  #won(link: T): void {
    if (this.#state.name === 'over') link.terminate(anotherLink())
    else this.#link(link)
  }

  #lost({ code }: SealwireError): void {
    const state = this.#state
    if (code === 'untrusted') this.#why = 'untrusted'
    if (state.name === 'dialling') this.#state = { name: 'waiting' }
    if (state.name !== 'holding') return
    this.#state = { name: 'admitted' }
    state.hello.resolve()
  }

  #link(link: T): void {
    this.#parts.linked(link)
    this.end(undefined)
  }

  get #isLarger(): boolean {
    return this.goal.ours > this.goal.theirs
  }
}

function runner<T extends AttemptLink>(link: T): Runner & { readonly link: T } {
  return { link, terminate: () => link.terminate(anotherLink()) }
}

function anotherLink(): SealwireError {
  return new SealwireError('conflict', 'another link between the two devices is there, or is being made')
}

/** The same for a token that nobody knows, that has expired, that was used, or that is another device's. */
export function tokenRefused(): SealwireError {
  return new SealwireError('not_permitted', 'the token is not good here, or not any more')
}

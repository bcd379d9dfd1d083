// Answers of a session that become known in any order and are given in the order in which they were asked for. A bounded
// number: behind the last of them everything waits until one is given.

/** How an answer is given, or in its place the reason why there is none. Either may throw: then the session fails. */
export interface Turn<T> {
  readonly give: (value: T) => void
  readonly refuse: (reason: unknown) => void
}

type Outcome<T> = { readonly value: T } | { readonly reason: unknown }

interface Place<T> {
  readonly turn: Turn<T>
  /** `undefined` until it is known. */
  outcome: Outcome<T> | undefined
}

export class InOrder<T> {
  readonly #max: number
  readonly #failed: (reason: unknown) => void
  /** What was asked for and is not given, oldest first. */
  readonly #places: Place<T>[] = []
  #change: PromiseWithResolvers<void> | undefined

  /** `failed` is told what giving an answer threw. */
  constructor(max: number, failed: (reason: unknown) => void) {
    this.#max = max
    this.#failed = failed
  }

  /** Gives the answer in its turn. Returns what the next request has to wait for. */
  add(answer: Promise<T>, turn: Turn<T>): Promise<void> | undefined {
    const place: Place<T> = { turn, outcome: undefined }
    this.#places.push(place)
    answer.then(
      (value) => this.#known(place, { value }),
      (reason: unknown) => this.#known(place, { reason }),
    )
    return this.#places.length < this.#max ? undefined : this.#changed()
  }

  /** Resolves when all are given; `undefined` when all are. */
  idle(): Promise<void> | undefined {
    return this.#places.length === 0 ? undefined : this.#changed().then(() => this.idle())
  }

  #known(place: Place<T>, outcome: Outcome<T>): void {
    place.outcome = outcome
    if (place !== this.#places[0]) return
    for (let first: Place<T> | undefined = place; first?.outcome !== undefined; first = this.#places[0]) {
      this.#places.shift()
      this.#give(first.turn, first.outcome)
    }
    this.#change?.resolve()
    this.#change = undefined
  }

  #give(turn: Turn<T>, outcome: Outcome<T>): void {
    try {
      if ('reason' in outcome) turn.refuse(outcome.reason)
      else turn.give(outcome.value)
    } catch (reason) {
      this.#failed(reason)
    }
  }

  #changed(): Promise<void> {
    this.#change ??= Promise.withResolvers<void>()
    return this.#change.promise
  }
}

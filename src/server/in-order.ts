// Answers of a session that become known in any order and are given in the order in which they were asked for. A bounded
// number: behind the last of them everything waits until one is given.

/** How an answer is given. It may throw: then the session fails. */
export type Give = () => void

export class InOrder {
  readonly #max: number
  readonly #failed: (reason: unknown) => void
  /** How each that was asked for is given, oldest first; `undefined` until that is known. */
  readonly #places: (Give | undefined)[] = []
  /** How many were given before the first of them. */
  #given = 0
  #change: PromiseWithResolvers<void> | undefined

  /** `failed` is told what giving an answer threw. */
  constructor(max: number, failed: (reason: unknown) => void) {
    this.#max = max
    this.#failed = failed
  }

  /**
   * Gives the answer in its turn: what `give` makes of the value, or `refuse` of why there is none. Returns what the next request has
   * to wait for.
   */
  add<T>(answer: Promise<T>, give: (value: T) => void, refuse: (reason: unknown) => void): Promise<void> | undefined {
    const place = this.#given + this.#places.push(undefined) - 1
    answer.then(
      (value) => this.#known(place, () => give(value)),
      (reason: unknown) => this.#known(place, () => refuse(reason)),
    )
    return this.#places.length < this.#max ? undefined : this.#changed()
  }

  /** Resolves when all are given; `undefined` when all are. */
  idle(): Promise<void> | undefined {
    return this.#places.length === 0 ? undefined : this.#changed().then(() => this.idle())
  }

  #known(place: number, give: Give): void {
    this.#places[place - this.#given] = give
    for (let [first] = this.#places; first !== undefined; [first] = this.#places) {
      this.#places.shift()
      this.#given++
      this.#give(first)
    }
    this.#change?.resolve()
    this.#change = undefined
  }

  #give(give: Give): void {
    try {
      give()
    } catch (reason) {
      this.#failed(reason)
    }
  }

  #changed(): Promise<void> {
    this.#change ??= Promise.withResolvers<void>()
    return this.#change.promise
  }
}

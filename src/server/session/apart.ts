// Requests of a session that others need not wait for (`apart` in the table of methods): what is asked for behind them may be
// answered before them. A bounded number: behind the last of them everything waits until one is done.

export class Apart {
  readonly #max: number
  #count = 0
  #change: PromiseWithResolvers<void> | undefined

  constructor(max: number) {
    this.#max = max
  }

  /** `settled` never rejects. Returns what the next request has to wait for. */
  add(settled: Promise<void>): Promise<void> | undefined {
    this.#count++
    void settled.then(() => this.#done())
    return this.#count < this.#max ? undefined : this.#changed()
  }

  /** Resolves when none is under way; `undefined` when none is. */
  idle(): Promise<void> | undefined {
    return this.#count === 0 ? undefined : this.#changed().then(() => this.idle())
  }

  #done(): void {
    this.#count--
    this.#change?.resolve()
    this.#change = undefined
  }

  #changed(): Promise<void> {
    this.#change ??= Promise.withResolvers<void>()
    return this.#change.promise
  }
}

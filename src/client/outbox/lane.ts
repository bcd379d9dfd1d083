// The messages of one conversation that wait, in the order in which they were said. The store of an outbox may have a later one
// sooner: the turn of each begins when it is kept and the turn of everything before it has begun, or that is done with.

export class Lane<M extends { readonly isKept: boolean }> {
  readonly #messages: M[] = []
  /** Of so many of the first the turn has begun. */
  #begun = 0

  get first(): M | undefined {
    return this.#messages[0]
  }

  add(message: M): void {
    this.#messages.push(message)
  }

  remove(message: M): void {
    const at = this.#messages.indexOf(message)
    if (at < 0) return
    this.#messages.splice(at, 1)
    if (at < this.#begun) this.#begun--
  }

  /** The next one whose turn begins now. */
  begin(): M | undefined {
    const next = this.#messages[this.#begun]
    if (next?.isKept !== true) return undefined
    this.#begun++
    return next
  }
}

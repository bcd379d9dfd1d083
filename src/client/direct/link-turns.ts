// One order at a time goes over a link, because whoever is asked refuses a second one before it has answered the first. A turn is over
// with the answer, or when that was waited for as long as it ever is: not when whoever has paid knows enough.

/** Whose turn it is, on each link. */
export class LinkTurns {
  /** What resolves when the turn of a link is over. */
  readonly #underWay = new WeakMap<object, Promise<void>>()

  /** Waits until nobody else has the turn of a link. Answers what ends the own one; `undefined` when the signal aborts before. */
  async take(link: object, signal: AbortSignal): Promise<(() => void) | undefined> {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => abort(), { once: true })
    for (let turn = this.#underWay.get(link); turn !== undefined && !signal.aborted; turn = this.#underWay.get(link)) {
      await Promise.race([turn, aborted])
    }
    if (signal.aborted) return undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#underWay.set(link, promise)
    return () => {
      this.#underWay.delete(link)
      resolve()
    }
  }
}

// One thing after the other, in the order in which they were begun: what is told must make sense to whoever reads it.

export class Turn {
  #last: Promise<void> = Promise.resolve()

  /** Acts when everything that was begun before is over, however that ended. */
  async take<T>(act: () => Promise<T>): Promise<T> {
    const before = this.#last
    const done = Promise.withResolvers<void>()
    this.#last = done.promise
    await before
    try {
      return await act()
    } finally {
      done.resolve()
    }
  }
}

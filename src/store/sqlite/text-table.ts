// Texts between threads: each crosses once, and what says it has its place. The first place is for none.

export class TextTable {
  readonly #places = new Map<string | undefined, number>([[undefined, 0]])
  readonly #all: (string | undefined)[] = [undefined]

  /** By place. */
  get all(): readonly (string | undefined)[] {
    return this.#all
  }

  place(text: string | undefined): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    this.#places.set(text, this.#all.length)
    return this.#all.push(text) - 1
  }
}

// What belongs to conversations, by a key: how many there are of each is known without counting.

export class ByConversation<V extends { readonly conversation: number }> {
  readonly #values = new Map<string, V>()
  readonly #counts = new Map<number, number>()

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  set(key: string, value: V): void {
    this.delete(key)
    this.#values.set(key, value)
    this.#counts.set(value.conversation, this.countOf(value.conversation) + 1)
  }

  delete(key: string): void {
    const value = this.#values.get(key)
    if (value === undefined) return
    this.#values.delete(key)
    const left = this.countOf(value.conversation) - 1
    if (left > 0) this.#counts.set(value.conversation, left)
    else this.#counts.delete(value.conversation)
  }

  keys(): IterableIterator<string> {
    return this.#values.keys()
  }

  values(): IterableIterator<V> {
    return this.#values.values()
  }

  countOf(conversation: number): number {
    return this.#counts.get(conversation) ?? 0
  }
}

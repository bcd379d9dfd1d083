// What a chat tells the server of what was read: one request at a time, and the next one says everything that was shown meanwhile.

/** A conversation, as far as it is read. */
export interface Readable {
  read(seq: number): Promise<unknown>
}

export class ReadMarks {
  readonly #wanted = new Map<Readable, number>()
  #running: Promise<void> | undefined

  add(conversation: Readable, seq: number): void {
    this.#wanted.set(conversation, Math.max(seq, this.#wanted.get(conversation) ?? 0))
    this.#running ??= this.#tell()
  }

  /** Resolves when everything is told, or could not be. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #tell(): Promise<void> {
    for (let [next] = this.#wanted; next !== undefined; [next] = this.#wanted) {
      const [conversation, seq] = next
      this.#wanted.delete(conversation)
      await conversation.read(seq).catch(() => {}) // It is unread then, and is shown again.
    }
    // In the moment of the last look: what is added a microtask later begins anew.
    this.#running = undefined
  }
}

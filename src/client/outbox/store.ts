// Where an outbox keeps what is not stored on the server yet.

/** A message that is not stored on the server yet. */
export interface OutboxEntry {
  /** Its id, as text. */
  readonly id: string
  /** What `message.send` is called with, as CBOR. */
  readonly params: Uint8Array
}

/** Keeps messages until the server has them. Entries stay in the order in which `add` was called, whichever is done first. */
export interface OutboxStore extends AsyncDisposable {
  /** What an earlier run has left, oldest first. Called once, before anything else. */
  load(): Promise<readonly OutboxEntry[]>
  /**
   * Resolves when the entry survives the end of the program; an entry that was refused is never loaded.
   * @throws {SealwireError} `storage_full` or `data_unusable`; `unknown_outcome` when it may be loaded nevertheless.
   */
  add(entry: OutboxEntry): Promise<void>
  /** The entry is done with. It may come back after a crash; that it was removed need not be durable. */
  remove(id: string): Promise<void>
}

/** Keeps messages as long as the program runs. */
export class MemoryOutbox implements OutboxStore {
  readonly #entries = new Map<string, OutboxEntry>()

  async load(): Promise<readonly OutboxEntry[]> {
    return [...this.#entries.values()]
  }

  async add(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.id, entry)
  }

  async remove(id: string): Promise<void> {
    this.#entries.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

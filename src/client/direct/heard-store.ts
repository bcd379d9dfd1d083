// Where is kept which messages came over direct links and were stored by the program, until their copy has come through the
// server: it is not handed out then, in whatever run of whichever program of this home.

/** A message that came over a direct link and is stored. */
export interface HeardMessage {
  /** See `messageKey`. */
  readonly key: string
  readonly conversation: number
  /** That has said it; empty where that is not known any more. */
  readonly device: string
}

/** Keeps what was heard. */
export interface HeardStore extends AsyncDisposable {
  /** What earlier runs have left, oldest first. Called once, before anything else but `has`. */
  load(): Promise<readonly HeardMessage[]>
  /** How many are kept. */
  readonly size: number
  /** Resolves when it survives the end of the program. @throws {SealwireError} `storage_full` or `data_unusable`. */
  add(message: HeardMessage): Promise<void>
  has(key: string): boolean
  /** Its copy was acknowledged. That it was removed need not be durable. Never rejects. */
  remove(key: string): Promise<void>
}

/** Keeps what was heard as long as the program runs. */
export class MemoryHeard implements HeardStore {
  readonly #messages = new Map<string, HeardMessage>()

  async load(): Promise<readonly HeardMessage[]> {
    return [...this.#messages.values()]
  }

  get size(): number {
    return this.#messages.size
  }

  async add(message: HeardMessage): Promise<void> {
    this.#messages.set(message.key, message)
  }

  has(key: string): boolean {
    return this.#messages.has(key)
  }

  async remove(key: string): Promise<void> {
    this.#messages.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

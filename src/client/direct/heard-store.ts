// Where is kept which messages came over direct links and were stored by the program, until their copy has come through the
// server: it is not handed out then, in whatever run of whichever program of this home.

import { ByConversation } from './by-conversation.ts'

/** A message that came over a direct link and is stored. */
export interface HeardMessage {
  /** See `messageKey`. */
  readonly key: string
  readonly conversation: number
  /** That has said it; empty where that is not known any more. */
  readonly device: string
  /** See `wordsHash`; empty where that is not known any more. */
  readonly hash: string
}

/** Keeps what was heard. */
export interface HeardStore extends AsyncDisposable {
  /** What earlier runs have left, oldest first. Called once, before anything else but `has`. */
  load(): Promise<readonly HeardMessage[]>
  /** How many are kept, as far as is known. */
  readonly size: number
  /** How many of them in one conversation. */
  countOf(conversation: number): number
  /** Looks how many there are, where other programs keep and remove some too. */
  recount(): void
  /** Resolves when it survives the end of the program. @throws {SealwireError} `storage_full` or `data_unusable`. */
  add(message: HeardMessage): Promise<void>
  has(key: string): boolean
  /** The `hash` of one; undefined when it is not kept. */
  hashOf(key: string): string | undefined
  /** Its copy was acknowledged. That it was removed need not be durable. Never rejects. */
  remove(key: string): Promise<void>
}

/** Keeps what was heard as long as the program runs. */
export class MemoryHeard implements HeardStore {
  readonly #messages = new ByConversation<HeardMessage>()

  async load(): Promise<readonly HeardMessage[]> {
    return [...this.#messages.values()]
  }

  get size(): number {
    return this.#messages.size
  }

  countOf(conversation: number): number {
    return this.#messages.countOf(conversation)
  }

  recount(): void {}

  async add(message: HeardMessage): Promise<void> {
    this.#messages.set(message.key, message)
  }

  has(key: string): boolean {
    return this.#messages.has(key)
  }

  hashOf(key: string): string | undefined {
    return this.#messages.get(key)?.hash
  }

  async remove(key: string): Promise<void> {
    this.#messages.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

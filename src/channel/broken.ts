import { SealwireError } from '../protocol/errors.ts'

/** The only reason that a peer or a log ever sees for bytes that a channel does not take, whatever was wrong with them. */
export function channelBroken(): SealwireError {
  return new SealwireError('channel_broken', 'the sealed channel was broken')
}

/** Keeps the first failure of something that cannot go on after one: every later use fails the same. */
export class FirstFailure {
  readonly #failed: () => void
  #failure: SealwireError | undefined

  /** `failed` is called once, at the first failure, to give up what is secret. */
  constructor(failed: () => void) {
    this.#failed = failed
  }

  /** From now on every action fails, unless one has already. */
  fail(): void {
    this.#failure ??= channelBroken()
  }

  /** What `action` returns. @throws {SealwireError} the first that any action threw. */
  run<T>(action: () => T): T {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return action()
    } catch (reason) {
      this.#failure = SealwireError.from(reason)
      this.#failed()
      throw this.#failure
    }
  }
}

// A login under way, from the name to the first place among the sessions. Between the moment at which the store said who
// somebody is and the moment at which they are here, their account may be banned or get another password: whatever ends
// the sessions of an account ends those about to begin, too.

import type { SealwireError } from '../../protocol/index.ts'
import type { SecretHash } from '../../store/index.ts'
import type { Presence } from '../people/presence.ts'

export class Arrival {
  readonly #presence: Presence
  #key: string | undefined
  /** Why this login must come to nothing, although the proof was good when it was looked at. */
  ended: SealwireError | undefined
  /** Of the token that proves it, or that it is given; `undefined` without one. */
  readonly tokenHash: SecretHash | undefined

  constructor(presence: Presence, tokenHash?: SecretHash) {
    this.#presence = presence
    this.tokenHash = tokenHash
  }

  /** Whose login it is. Called before, or in the same turn as, what is proof is read from the store. */
  named(key: string): void {
    this.#key = key
    this.#presence.expect(key, this)
  }

  /**
   * The proof was good.
   * @throws {SealwireError} `busy` when the account has `sessionsPerAccountMax` sessions.
   */
  proven(): void {
    if (this.#key !== undefined) this.#presence.requireRoom(this.#key)
  }

  /** They are here, or were refused. */
  over(): void {
    if (this.#key !== undefined) this.#presence.expectNoMore(this.#key, this)
  }
}

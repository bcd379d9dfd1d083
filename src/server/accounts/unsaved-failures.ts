// Failed logins that the store could not count, because its disk is full or has failed. They slow down guesses all the
// same, in memory: an attacker must not gain from a full disk, and the owners of accounts must not lose by it.

import type { Failures } from '../../domain/throttle.ts'

export class UnsavedFailures {
  /** In order of their first failure. */
  readonly #rows = new Map<string, Failures>()
  readonly #rowsMax: number

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax
  }

  /** The rows among `keys` that exist. */
  read(keys: readonly string[]): readonly Failures[] {
    return keys.flatMap((key) => this.#rows.get(key) ?? [])
  }

  /** Counts one failure; a row whose newest failure is older than `windowMs` starts again. */
  fail(key: string, at: bigint, windowMs: bigint): void {
    const known = this.#rows.get(key)
    const row = known === undefined || at - known.lastAt > windowMs ? { key, failures: 0n, since: at, lastAt: at } : known
    if (known === undefined && this.#rows.size >= this.#rowsMax) this.#forgetFirst()
    this.#rows.set(key, { ...row, failures: row.failures + 1n, lastAt: at })
  }

  clear(key: string): void {
    this.#rows.delete(key)
  }

  #forgetFirst(): void {
    for (const key of this.#rows.keys()) return void this.#rows.delete(key)
  }
}

// Backups that are reading files. While there is one, the content of what is deleted stays, because the moment that the backup is of
// still names it. Whoever holds says so again and again: when it dies, its hold ends by itself.

import type { Clock, Timer } from '../../domain/index.ts'
import { limitTable, SealwireError } from '../../protocol/index.ts'
import { fileKey } from './folder.ts'

/** What holds work with. */
export interface FileHoldsParts {
  readonly clock: Pick<Clock, 'after'>
  /** Told when nobody holds any more. */
  readonly released: () => void
}

export class FileHolds {
  readonly #parts: FileHoldsParts
  /** By job. */
  readonly #holds = new Map<string, Timer>()

  constructor(parts: FileHoldsParts) {
    this.#parts = parts
  }

  /** Whether there is one. */
  get any(): boolean {
    return this.#holds.size > 0
  }

  /** Holds from now on, or goes on holding, for {@link holdMs}. @throws {SealwireError} `busy` when `backupsMax` others do. */
  hold(job: Uint8Array): void {
    const key = fileKey(job)
    const known = this.#holds.get(key)
    if (known === undefined && this.#holds.size >= holdsMax) {
      throw new SealwireError('busy', 'too many backups are under way: try again later')
    }
    known?.cancel()
    this.#holds.set(
      key,
      this.#parts.clock.after(holdMs, () => this.release(job)),
    )
  }

  /** Ends a hold, if there is one. */
  release(job: Uint8Array): void {
    const key = fileKey(job)
    const timer = this.#holds.get(key)
    if (timer === undefined) return
    timer.cancel()
    this.#holds.delete(key)
    if (!this.any) this.#parts.released()
  }

  /** Ends all of them, and tells nobody. */
  close(): void {
    for (const timer of this.#holds.values()) timer.cancel()
    this.#holds.clear()
  }
}

/** How long one lasts that nobody asks for again. */
export const holdMs = limitTable.backupHoldMs.value
const holdsMax = limitTable.backupsMax.value

// Files that somebody else replaces: whether they have changed, and have stopped changing. They are looked at by name, which
// also follows links that are set to another file, as tools that renew certificates do.

import { statSync } from 'node:fs'

export class FileWatch {
  readonly #paths: readonly string[]
  /** What they were when they were read last. */
  #settled: string
  /** What they were at the last look. */
  #seen: string

  /** From now on: whoever reads the files right after this misses no change. */
  constructor(paths: readonly string[]) {
    this.#paths = paths
    this.#settled = this.#now()
    this.#seen = this.#settled
  }

  /** They are about to be read: what they are now is no news any more. */
  settle(): void {
    this.#settled = this.#now()
    this.#seen = this.#settled
  }

  /** Looks; true, once, when they are not what they were when they were read last, and are what they were at the last look. */
  hasSettled(): boolean {
    const seen = this.#seen
    this.#seen = this.#now()
    if (this.#seen !== seen || this.#seen === this.#settled) return false
    this.#settled = this.#seen
    return true
  }

  #now(): string {
    return this.#paths.map(markOf).join(' ')
  }
}

function markOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch {
    return 'missing'
  }
}

// How far a long work is, on one line of a terminal that is written over and goes away at the end. Nothing in a pipe.

import { isatty } from 'node:tty'
import type { Clock } from '../domain/clock.ts'
import { writeNow } from './descriptor.ts'

export class ProgressLine implements Disposable {
  readonly #what: string
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #isShown = isatty(standardError)
  readonly #startedAt: number
  #shownAt = Number.NEGATIVE_INFINITY
  #first: number | undefined

  constructor(what: string, clock: Pick<Clock, 'monotonic'>) {
    this.#what = what
    this.#clock = clock
    this.#startedAt = clock.monotonic()
  }

  /** `done` of `size` bytes are there. */
  show(done: number, size: number): void {
    const now = this.#clock.monotonic()
    this.#first ??= done
    if (!this.#isShown || (now - this.#shownAt < everyMs && done < size)) return
    this.#shownAt = now
    const seconds = Math.max((now - this.#startedAt) / 1000, 0.001)
    writeNow(standardError, `\r\u001b[K${progressText(this.#what, { done, size, perSecond: (done - this.#first) / seconds })}`)
  }

  /** Removes the line. */
  end(): void {
    if (this.#isShown && this.#shownAt > 0) writeNow(standardError, '\r\u001b[K')
    this.#shownAt = Number.NEGATIVE_INFINITY
  }

  [Symbol.dispose](): void {
    this.end()
  }
}

/** `sending photo.jpg [#####-----] 50 % of 8.0 MB, 3.2 MB/s, 1 s left`. */
export function progressText(what: string, { done, size, perSecond }: { done: number; size: number; perSecond: number }): string {
  const share = size === 0 ? 1 : done / size
  const filled = Math.round(share * columns)
  const left = perSecond > 0 ? `, ${Math.ceil((size - done) / perSecond)} s left` : ''
  return `${what} [${'#'.repeat(filled)}${'-'.repeat(columns - filled)}] ${Math.floor(share * 100)} % of ${megabytes(size)}, ${megabytes(perSecond)}/s${left}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

const everyMs = 100
const columns = 20
const standardError = 2

// How far a long work is, on one line of a terminal that is written over and goes away at the end. Nothing in a pipe.

import { isatty } from 'node:tty'
import type { Clock } from '../../domain/clock.ts'
import { writeNow } from './descriptor.ts'

export class ProgressLine implements Disposable {
  readonly #what: string
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #isShown = isatty(standardError)
  readonly #startedAt: number
  #shownAt = Number.NEGATIVE_INFINITY
  #first: number | undefined
  #last: Share | undefined
  #note: string | undefined

  constructor(what: string, clock: Pick<Clock, 'monotonic'>) {
    this.#what = what
    this.#clock = clock
    this.#startedAt = clock.monotonic()
  }

  /** How long it has taken until now, to a tenth. */
  get seconds(): number {
    return Math.round((this.#clock.monotonic() - this.#startedAt) / 100) / 10
  }

  /** `done` of `size` bytes are there. */
  show(done: number, size: number): void {
    const now = this.#clock.monotonic()
    this.#first ??= done
    this.#last = { done, size }
    if (now - this.#shownAt >= everyMs || done >= size) this.#draw(now)
  }

  /** Says why nothing comes, in place of how fast it does; `undefined` when it goes on. */
  note(note: string | undefined): void {
    if (note === this.#note) return
    this.#note = note
    this.#draw(this.#clock.monotonic())
  }

  /** Removes the line. */
  end(): void {
    if (this.#isShown && this.#shownAt > 0) writeNow(standardError, '\r\u001b[K')
    this.#shownAt = Number.NEGATIVE_INFINITY
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #draw(now: number): void {
    if (!this.#isShown) return
    this.#shownAt = now
    writeNow(standardError, `\r\u001b[K${this.#text(now)}`)
  }

  #text(now: number): string {
    if (this.#last === undefined) return this.#note === undefined ? '' : `${this.#what}: ${this.#note}`
    const seconds = Math.max((now - this.#startedAt) / 1000, 0.001)
    const perSecond = (this.#last.done - (this.#first ?? 0)) / seconds
    return progressText(this.#what, { ...this.#last, perSecond, note: this.#note })
  }
}

interface Share {
  readonly done: number
  readonly size: number
}

interface Progress extends Share {
  readonly perSecond: number
  /** Why nothing comes. Default: something does. */
  readonly note?: string | undefined
}

/** `sending photo.jpg [#####-----] 50 % of 8.0 MB, 3.2 MB/s, 1 s left`, or with a note in place of the speed. */
export function progressText(what: string, { done, size, perSecond, note }: Progress): string {
  const share = size === 0 ? 1 : done / size
  const filled = Math.round(share * columns)
  const left = perSecond > 0 ? `, ${Math.ceil((size - done) / perSecond)} s left` : ''
  const pace = note ?? `${megabytes(perSecond)}/s${left}`
  return `${what} [${'#'.repeat(filled)}${'-'.repeat(columns - filled)}] ${Math.floor(share * 100)} % of ${megabytes(size)}, ${pace}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

const everyMs = 100
const columns = 20
const standardError = 2

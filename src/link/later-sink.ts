// Where frames are written that nobody waits for: they reach the link as others do, and may leave it a moment later.

import type { FrameSink } from '../protocol/index.ts'
import type { Link } from './link.ts'

/** The later side of a link, as a sink. */
export class LaterSink implements FrameSink {
  readonly #link: Pick<Link, 'bytes' | 'reserveLater'>

  constructor(link: Pick<Link, 'bytes' | 'reserveLater'>) {
    this.#link = link
  }

  get bytes(): Uint8Array {
    return this.#link.bytes
  }

  reserve(count: number): number {
    return this.#link.reserveLater(count)
  }
}

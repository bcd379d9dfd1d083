// The echo service of the first and fourth seed: raw bytes back as they came, no frames and no login. One for
// `serve --echo`, which prints nothing, and for the stand-alone `echo-server`, which prints what its observer makes of
// it.

import type { Clock, Timer } from '../domain/index.ts'
import type { Link, LinkEnd, LinkReceiver } from '../link/index.ts'
import type { Limits } from '../protocol/index.ts'

/** Told what happens; every method may be called very often and must be cheap. */
export interface EchoObserver {
  opened(link: Link): void
  received(link: Link, bytes: Uint8Array): void
  closed(link: Link, end: LinkEnd): void
}

export class EchoService implements Disposable {
  readonly #observer: EchoObserver
  readonly #connections = new Set<EchoConnection>()
  readonly #sweep: Timer

  constructor(limits: Limits, clock: Clock, observer: EchoObserver) {
    this.#observer = observer
    // Two whole intervals of silence make echoIdleMsMax; the interval that was under way at the last byte comes on top.
    this.#sweep = clock.every(limits.echoIdleMsMax / 2, () => {
      for (const connection of this.#connections) connection.sweep()
    })
  }

  /** The connections that are open. */
  get connections(): number {
    return this.#connections.size
  }

  /** Serves one link until it is over. */
  open(link: Link): LinkReceiver {
    const connection = new EchoConnection(link, this.#observer, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    this.#observer.opened(link)
    return connection
  }

  /** Hands over what is on its way and closes every connection. */
  closeAll(): void {
    for (const connection of this.#connections) connection.close()
  }

  [Symbol.dispose](): void {
    this.#sweep.cancel()
    for (const connection of this.#connections) connection.cut()
  }
}

class EchoConnection implements LinkReceiver {
  readonly #link: Link
  readonly #observer: EchoObserver
  readonly #over: () => void
  #sweepsSilent = 0

  constructor(link: Link, observer: EchoObserver, over: () => void) {
    this.#link = link
    this.#observer = observer
    this.#over = over
  }

  received(bytes: Uint8Array): void {
    this.#sweepsSilent = 0
    this.#observer.received(this.#link, bytes)
    this.#link.send(bytes)
    if (!this.#link.keepsUp) this.#link.pause()
  }

  drained(): void {
    this.#link.resume()
  }

  closed(end: LinkEnd): void {
    this.#over()
    this.#observer.closed(this.#link, end)
  }

  sweep(): void {
    if (++this.#sweepsSilent > 2) this.close()
  }

  close(): void {
    this.#link.close()
  }

  cut(): void {
    this.#link.terminate()
  }
}

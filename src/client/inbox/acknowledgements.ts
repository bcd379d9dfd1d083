// How far this installation has stored its inbox, and that the server learns it. One acknowledgement is under way at a time, and
// the next one says everything that was stored meanwhile.

import type { LoggedIn } from '../uplink.ts'

export class Acknowledgements {
  #session: LoggedIn | undefined
  #place: number | undefined
  #known = 0
  #rewinds = 0
  #running: Promise<void> | undefined

  /** What was stored last, whether the server knows it or not; `undefined` while neither is known. */
  get place(): number | undefined {
    return this.#place
  }

  /** What the server knows. */
  get known(): number {
    return this.#known
  }

  /** The connection that there is now. */
  online(session: LoggedIn): void {
    if (this.#session !== undefined && this.#session.device !== session.device) {
      this.#place = undefined
      this.#known = 0
    }
    this.#session = session
    void this.settle()
  }

  /** What the server says that was acknowledged. */
  begin(place: number): void {
    this.#known = Math.max(this.#known, place)
    this.#place = Math.max(this.#place ?? 0, place)
  }

  /** The server knows less than was stored here: its places begin anew. */
  rewind(): void {
    this.#place = undefined
    this.#known = 0
    this.#rewinds++
  }

  acknowledge(place: number): void {
    this.#place = Math.max(this.#place ?? 0, place)
    void this.settle()
  }

  /** Resolves when the server knows everything, or cannot be told now. */
  settle(): Promise<void> {
    this.#running ??= this.#tell().finally(() => (this.#running = undefined))
    return this.#running
  }

  async #tell(): Promise<void> {
    while (this.#session !== undefined && this.#place !== undefined && this.#place > this.#known) {
      const [place, rewinds] = [this.#place, this.#rewinds]
      try {
        await this.#session.client.request('inbox.ack', { seq: place })
      } catch {
        return // The next connection tells it, and so does the next item.
      }
      if (this.#rewinds === rewinds) this.#known = Math.max(this.#known, place)
    }
  }
}

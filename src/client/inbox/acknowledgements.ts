// How far this installation has stored its inbox, and that the server learns it. One acknowledgement is under way at a time, and
// the next one says everything that was stored meanwhile.

import type { LoggedIn } from '../uplink.ts'

export class Acknowledgements {
  #session: LoggedIn | undefined
  #place: number | undefined
  #known = 0
  #rewinds = 0
  #isTelling = false
  #told: Promise<void> = Promise.resolve()

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
    if (!this.#isTelling) this.#told = this.#tell()
    return this.#told
  }

  /** It is over in the very moment in which it looks for the last time: what is stored after that begins the next one. */
  async #tell(): Promise<void> {
    this.#isTelling = true
    try {
      while (this.#session !== undefined && this.#place !== undefined && this.#place > this.#known)
        await this.#say(this.#session, this.#place)
    } catch {
      // The next connection tells it, and so does the next item.
    } finally {
      this.#isTelling = false
    }
  }

  async #say({ client }: LoggedIn, place: number): Promise<void> {
    const rewinds = this.#rewinds
    await client.request('inbox.ack', { seq: place })
    if (this.#rewinds === rewinds) this.#known = Math.max(this.#known, place)
  }
}

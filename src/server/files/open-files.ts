// Files that are open, a bounded number of them: who needs one more closes the one that was used longest ago.

import { SealwireError } from '../../protocol/index.ts'
import type { FileContent } from './content.ts'

/** Something that is open as long as it is used. */
interface Place {
  readonly opened: Promise<FileContent>
  /** Once it is open. */
  content: FileContent | undefined
  /** How many are at it. */
  users: number
  /** Closed as soon as nobody is at it. */
  dropped: boolean
}

export class OpenFiles {
  readonly #max: number
  /** The one that was used longest ago comes first. */
  readonly #places = new Map<string, Place>()
  readonly #closing = new Map<string, Promise<void>>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#places.size
  }

  /**
   * Does something with a file, which `open` opens if it is not.
   * @throws {SealwireError} `busy` when as many as may be open are in use; what `open` and `action` throw.
   */
  async use<T>(key: string, open: () => Promise<FileContent>, action: (content: FileContent) => Promise<T>): Promise<T> {
    const place = this.#place(key, open)
    place.users++
    try {
      return await action(await place.opened)
    } finally {
      place.users--
      if (place.content === undefined || place.content.hasFailed) this.#forget(key, place)
      if (place.dropped && place.users === 0) this.#close(key, place)
    }
  }

  /** Whoever uses the file from now on opens it anew. */
  drop(key: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#forget(key, place)
    if (place.users === 0) this.#close(key, place)
  }

  /** Resolves when all of them are closed, with everything on the disk that was appended. */
  async close(): Promise<void> {
    for (const key of [...this.#places.keys()]) this.drop(key)
    while (this.#closing.size > 0) await Promise.all(this.#closing.values())
  }

  #place(key: string, open: () => Promise<FileContent>): Place {
    const known = this.#places.get(key)
    if (known === undefined) this.#makeRoom()
    else this.#places.delete(key)
    const place = known ?? opening(open, this.#closing.get(key))
    this.#places.set(key, place)
    return place
  }

  #makeRoom(): void {
    if (this.#places.size < this.#max) return
    for (const [key, { users, content }] of this.#places) {
      if (users === 0 && content?.isIdle === true) return this.drop(key)
    }
    throw new SealwireError('busy', 'too many files are in use, try again later')
  }

  #forget(key: string, place: Place): void {
    place.dropped = true
    if (this.#places.get(key) === place) this.#places.delete(key)
  }

  #close(key: string, { content }: Place): void {
    if (content === undefined) return
    const closed = Promise.all([this.#closing.get(key), content.close()]).then(() => {
      if (this.#closing.get(key) === closed) this.#closing.delete(key)
    })
    this.#closing.set(key, closed)
  }
}

/** Who had it open before has given everything to the disk first. */
function opening(open: () => Promise<FileContent>, closed: Promise<void> | undefined): Place {
  const place: Place = {
    opened: (closed === undefined ? open() : closed.then(open)).then((content) => (place.content = content)),
    content: undefined,
    users: 0,
    dropped: false,
  }
  return place
}

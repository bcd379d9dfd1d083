// What is said and changed: into the store, and from there to every session that waits for it. Who may do what is decided in
// the store, in the step itself.

import type { Clock } from '../domain/index.ts'
import { limitTable, SealwireError } from '../protocol/index.ts'
import type { NewEntry, Posted, Store, StoredEntry } from '../store/index.ts'
import { type EntryData, encodeData } from './messages/entry-event.ts'
import type { Inboxes } from './messages/inboxes.ts'

/** What messages work with. */
export interface MessagesParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly inboxes: Inboxes
  /** Told of each entry that went into inboxes, in the turn in which the store answered. */
  readonly said: (posted: Posted, entry: StoredEntry) => void
  /** Told after each entry that may have to be searched for, or may not be found any more. */
  readonly posted: () => void
  /** Told which files no message has any more. */
  readonly freed: (files: readonly Uint8Array[]) => void
}

/** Who says it, and on which device. */
export interface Author {
  readonly id: bigint
  readonly name: string
  readonly device: string | undefined
}

/** What is said or changed, but for who does it, and when. */
export type Said = Omit<NewEntry, 'accountId' | 'device' | 'at' | 'data'> & { readonly more?: EntryData | undefined }

/** The most that data takes: with the largest body and the longest names the entry still fits one frame. */
const dataBytesMax = limitTable.messageDataBytesMax.value

export class Messages {
  readonly #parts: MessagesParts

  constructor(parts: MessagesParts) {
    this.#parts = parts
  }

  /**
   * Resolves when it is durable. The sessions that are here were given it, or will be in the next turns when they are many.
   * Rejects with those of `entry.post`.
   * @throws {SealwireError} `message_too_large` when what goes with the body is too long.
   */
  post(author: Author, said: Said): Promise<Posted> {
    const { store, clock } = this.#parts
    const { conversationId, peerId, kind, id, type, body, target, file, more } = said
    const data = more && encodeData(more)
    if (data !== undefined && data.length > dataBytesMax) throw new SealwireError('message_too_large', 'too much goes with the message')
    const { id: accountId, device } = author
    const at = BigInt(clock.now())
    const entry: NewEntry = { accountId, device, at, conversationId, peerId, kind, id, type, body, target, file, data }
    return store.run('entry.post', entry).then((posted) => {
      this.deliver(posted, entry, author)
      return posted
    })
  }

  /** A message with a file says what the file is; of one that is gone with its message the store knows the answer. */
  async postFile(author: Author, said: Said & { readonly file: Uint8Array }): Promise<Posted> {
    const file = await this.#parts.store.run('file.find', { accountId: author.id, id: said.file })
    if (file === undefined) return this.post(author, said)
    const { id, name, size, sha256 } = file
    return this.post(author, { ...said, more: { ...said.more, file: { id, name, size: Number(size), sha256 } } })
  }

  /** Brings what the store has just stored to who waits for it; call it in the turn in which the store answered. */
  deliver(posted: Posted, entry: NewEntry, author: Author): void {
    if (posted.repeated) return
    if (posted.deliveries.length > 0) {
      const stored = storedEntry(posted, entry, author)
      this.#bring(posted, stored)
      this.#parts.said(posted, stored)
    }
    this.#parts.posted()
    if (posted.files !== undefined && posted.files.length > 0) this.#parts.freed(posted.files)
  }

  #bring(posted: Posted, stored: StoredEntry): void {
    const { inboxes } = this.#parts
    if (posted.wordless === undefined) return inboxes.deliver(posted, stored)
    const wordless = new Set(posted.wordless)
    const to = (isWordless: boolean) => posted.deliveries.filter(({ accountId }) => wordless.has(accountId) === isWordless)
    inboxes.deliver({ ...posted, deliveries: to(false) }, stored)
    inboxes.deliver({ ...posted, deliveries: to(true) }, { ...stored, type: undefined, body: undefined })
  }

  /** The same where only the store knows the words. */
  announce(posted: Posted): void {
    if (posted.repeated) return
    this.#parts.inboxes.announce(posted)
    this.#parts.posted()
  }
}

/** The entry as a reader of the store finds it. */
function storedEntry({ conversationId, seq, at }: Posted, entry: NewEntry, { id: authorId, name: author, device }: Author): StoredEntry {
  const { kind, id, type, body, target, data } = entry
  const [editedAt, deletedAt] = [undefined, undefined]
  return { conversationId, seq, kind, id, authorId, author, device, at, type, body, target, data, editedAt, deletedAt }
}

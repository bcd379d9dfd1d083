// One conversation, as a program uses it.

import { limitTable } from '../protocol/index.ts'
import type { ConversationInfo, Params, Result } from '../protocol/contract/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import { type AnswerIds, bodyOf, type Content, type MessageContent, partsOf, type ReadEntry, readEntry } from './content.ts'
import type { FileSource, Files, TransferOptions } from './files.ts'
import type { Sent } from './outbox.ts'
import type { SendOptions } from './sealwire.ts'

export type { ConversationInfo } from '../protocol/contract/index.ts'

/** Somebody with whom one talks, or who asks to. */
export type Contact = Result<'contact.list'>['contacts'][number]

/** Messages that were found. */
export interface SearchPage {
  /** Newest first. */
  readonly entries: readonly ReadEntry[]
  /** Whether there are more: search again with `behind` the last one. */
  readonly more: boolean
  /** Everything stored before this moment was searched, milliseconds since 1970. */
  readonly upTo: number
}

/** Which part of what has the words is found. */
export interface SearchOptions extends CallOptions {
  /** Older than this moment, milliseconds since 1970. */
  readonly before?: number
  /** What comes behind this entry, the last one of the page before; `before` is not looked at then. */
  readonly behind?: Pick<ReadEntry, 'at' | 'conversation' | 'seq'>
  /** How many at most. Default: 50. */
  readonly max?: number
}

/** Which part of a conversation is read. */
export interface HistoryOptions extends CallOptions {
  /** Newest to oldest, from the entry before this place. Default: from the newest. */
  readonly before?: number
  /** Oldest to newest, from the entry after this place; 0 is the beginning. Not together with `before`. */
  readonly after?: number
  /** Only messages that are pinned. */
  readonly pinned?: boolean
}

/** Changes an entry under an id. */
interface ChangeOptions extends CallOptions {
  readonly id?: string
}

/** How a file is sent. */
export interface SendFileOptions extends SendOptions, TransferOptions {
  /** What is said with it. Default: nothing. */
  readonly text?: string
}

/** @internal What a conversation works with. */
export interface ConversationParts {
  readonly calls: Calls
  readonly files: Files
  send(to: number, content: Content, options?: SendOptions): Promise<Sent>
  readonly ids?: AnswerIds | undefined
  /** An own change has a place. */
  changed?(sent: Sent): void
}

type Change = Result<'message.edit'>

/** One conversation. Made by `me.conversation`. */
export class Conversation {
  #info: ConversationInfo
  readonly #calls: Calls
  readonly #parts: ConversationParts

  /** @internal */
  constructor(info: ConversationInfo, parts: ConversationParts) {
    this.#info = info
    this.#calls = parts.calls
    this.#parts = parts
  }

  /** Its number. */
  get number(): number {
    return this.#info.conversation
  }

  /** What was true when it was last looked at; `refresh` looks again. */
  get info(): ConversationInfo {
    return this.#info
  }

  async refresh(options: CallOptions = {}): Promise<ConversationInfo> {
    this.#info = await this.#calls.again('conversation.find', { conversation: this.number }, options)
    return this.#info
  }

  /** As `me.send`. */
  async send(content: Content, options: SendOptions = {}): Promise<Sent> {
    return this.#parts.send(this.number, content, options)
  }

  /**
   * Sends a file, by its path or from a source such as `blobSource(blob)`, with a text. Under the same `id` it goes on where an
   * earlier try stopped, also after a restart.
   * @throws {SealwireError} as `send`; `quota_exceeded`, `storage_full`, `file_invalid` when its bytes change meanwhile, `data_unusable`.
   */
  async sendFile(what: string | FileSource, options: SendFileOptions = {}): Promise<Sent> {
    const { id = this.#calls.newId(), text = '', signal, progress } = options
    const file = this.#calls.idBytes(id)
    const peer = this.#info.kind === 'direct' ? this.#info.name : undefined
    await this.#parts.files.put(this.number, what, file, { signal, progress, peer })
    return this.send({ body: text, file }, { id, ...(signal === undefined ? {} : { signal }) })
  }

  /** What was said, newest to oldest; with `after`, oldest to newest. Pages are asked for as they are needed. */
  async *history({ before, after, pinned, signal }: HistoryOptions = {}): AsyncGenerator<ReadEntry, void, undefined> {
    const forwards = after !== undefined
    let max: number | undefined
    for (let place = after ?? before; ; max = pageMax) {
      const { entries, more } = await this.#page({ place, forwards, pinned, max, signal })
      for (const entry of forwards ? entries : entries.toReversed()) yield readEntry(entry, this.#parts.ids)
      place = entries.at(forwards ? -1 : 0)?.seq
      if (!more || place === undefined) return
    }
  }

  /** Messages with all these words, newest first. */
  async search(text: string, options: SearchOptions = {}): Promise<SearchPage> {
    return searched(this.#calls, { text, conversation: this.number }, { ...options, ids: this.#parts.ids })
  }

  /**
   * Replaces the body of an own message; what goes with it (reply, mentions, file) stays as it is.
   * @throws {SealwireError} `not_permitted`, `gone`, `not_found`.
   * @throws {TypeError} for a content with anything but `body` and `type`.
   */
  async edit(target: number, content: string | Pick<MessageContent, 'body' | 'type'>, { id, signal }: ChangeOptions = {}): Promise<Change> {
    const { body, type } = partsOf(content, ['body', 'type'])
    const words = bodyOf({ ...(body === undefined ? {} : { body }), ...(type === undefined ? {} : { type }) })
    return this.#changed(this.#calls.again('message.edit', { ...this.#target(target, id), ...words }, { signal }))
  }

  /** Deletes a message for everybody. @throws {SealwireError} `not_permitted`, `not_found`. */
  async delete(target: number, { id, signal }: ChangeOptions = {}): Promise<Change> {
    this.#parts.files.withdraw(this.number)
    return this.#changed(this.#calls.again('message.delete', this.#target(target, id), { signal }))
  }

  /** Adds a reaction; `on: false` takes it back. @throws {SealwireError} `gone`, `not_found`. */
  async react(target: number, emoji: string, { on = true, id, signal }: ChangeOptions & { readonly on?: boolean } = {}): Promise<Change> {
    return this.#changed(this.#calls.again('message.react', { ...this.#target(target, id), emoji, on }, { signal }))
  }

  /** Pins a message; `on: false` takes the pin away. @throws {SealwireError} `not_permitted`, `gone`, `not_found`. */
  async pin(target: number, { on = true, id, signal }: ChangeOptions & { readonly on?: boolean } = {}): Promise<Change> {
    return this.#changed(this.#calls.again('message.pin', { ...this.#target(target, id), on }, { signal }))
  }

  /** Says that the account has read up to here. Answers up to where it has. */
  async read(seq: number, options: CallOptions = {}): Promise<number> {
    return (await this.#calls.again('mark.read', { conversation: this.number, seq }, options)).readSeq
  }

  /** Tells those who are here that this account is typing. */
  async typing(options: CallOptions = {}): Promise<void> {
    await this.#calls.once('presence.typing', { conversation: this.number }, options)
  }

  /** Sets how long what is said stays, in ms; `undefined` is for ever. Answers what that deleted. @throws {SealwireError} `not_permitted`, `not_contact`. */
  async retain(retentionMs: number | undefined, options: CallOptions = {}): Promise<Result<'conversation.retain'>> {
    const kept = retentionMs === undefined ? {} : { retentionMs }
    return this.#calls.again('conversation.retain', { conversation: this.number, ...kept }, options)
  }

  async #changed(change: Promise<Change>): Promise<Change> {
    const { seq, at } = await change
    this.#parts.changed?.({ id: '', conversation: this.number, seq, at })
    return change
  }

  #target(target: number, id: string | undefined): { conversation: number; target: number; id: Uint8Array } {
    return { conversation: this.number, target, id: this.#calls.idBytes(id) }
  }

  #page({ place, forwards, pinned, max, signal }: Place): Promise<Result<'message.history'>> {
    const from = place === undefined ? {} : forwards ? { after: place } : { before: place }
    const which = { ...(pinned === undefined ? {} : { pinned }), ...(max === undefined ? {} : { max }) }
    const params: Params<'message.history'> = { conversation: this.number, ...from, ...which }
    return this.#calls.again('message.history', params, { signal })
  }
}

interface Place {
  readonly place: number | undefined
  readonly forwards: boolean
  readonly pinned: boolean | undefined
  readonly max: number | undefined
  readonly signal: AbortSignal | undefined
}

/** Who reads on after a page of the usual length reads much: each request counts towards the rate, however much it asks for. */
const pageMax = limitTable.historyEntriesMax.value

/** One page of what was found. */
export async function searched(
  calls: Calls,
  what: { readonly text: string; readonly conversation?: number },
  { before, behind, max, signal, ids }: SearchOptions & { readonly ids?: AnswerIds | undefined },
): Promise<SearchPage> {
  const place = behind && { before: behind.at, place: { conversation: behind.conversation, seq: behind.seq } }
  const from = place ?? (before === undefined ? {} : { before })
  const params = { ...what, ...from, ...(max === undefined ? {} : { max }) }
  const { entries, more, upTo } = await calls.again('message.search', params, { signal })
  return { entries: entries.map((entry) => readEntry(entry, ids)), more, upTo }
}

// What the program has got already, and which way, so that it gets everything once.
//
//   said directly:  queued ──done──▶ done, kept ──its copy's turn──▶ passed ──the server knows──▶ forgotten
//                     └──dropped, the reader went──▶ unknown: the copy is handed out
//   relayed:        came: what is said directly under its id from now on is refused; handed out, unless it says what was said
//
// A copy that comes while the message is queued or done is not handed out; its turn is behind the message, so it is acknowledged when
// the program has done with that.

import type { Entry } from '../../protocol/contract/index.ts'
import { type Limits, SealwireError } from '../../protocol/index.ts'
import type { InboxTap } from '../inbox.ts'
import { formatMessageId } from '../outbox/message-id.ts'
import { Sha256 } from '../sha256.ts'
import { stampUuid7 } from '../../domain/uuid7.ts'
import { ByConversation } from './by-conversation.ts'
import type { HeardMessage, HeardStore } from './heard-store.ts'
import { isSameWords } from './words.ts'

/** What makes a message the same, whichever way it comes. */
export type Identified = Pick<Entry, 'conversation' | 'from' | 'id'>

/**
 * A UUID for a message, the same whichever way it comes; another one for each conversation and author, so that nobody can take the
 * place of somebody else's message by its id. Its time is that of the id.
 */
export function messageKey({ conversation, from, id }: Identified): string {
  const hash = new Sha256()
  hash.update(new TextEncoder().encode(`sealwire message\0${conversation}\0${from.toLowerCase()}\0`))
  hash.update(id)
  const [view, bytes] = [new DataView(id.buffer, id.byteOffset, id.byteLength), hash.digest().subarray(0, id.length)]
  return formatMessageId(stampUuid7(bytes, view.getUint32(0) * 0x1_0000 + view.getUint16(4)))
}

export class Heard implements InboxTap {
  readonly #store: HeardStore
  readonly #limits: Limits
  /** What came directly, and the server does not know yet that it is stored. */
  readonly #said = new ByConversation<HeardMessage & { readonly state: 'queued' | 'done' }>()
  /** Copies of it whose turn has come, by their place in the inbox, lowest first. */
  readonly #passed = new Map<string, number>()
  /** What came through the server, newest last, and whether it was handed out then. */
  readonly #came = new Map<string, 'new' | 'heard'>()
  /** What was handed out, or is about to be, with the place where the inbox had it: 0 of what came directly. */
  readonly #handed = new Map<string, number>()
  /** What came directly and has no place here yet. */
  readonly #unplaced = new Map<string, Pick<HeardMessage, 'conversation' | 'device'>>()
  /** Done with, and not kept: the disk was full. */
  readonly #unkept = new Map<string, HeardMessage>()
  readonly #keeping = new Map<string, Promise<void>>()
  /** Of entries that are on their way through the inbox: a hash in the language is slow. */
  readonly #keys = new WeakMap<Entry, string>()
  readonly #loaded: Promise<void>

  constructor(store: HeardStore, limits: Limits) {
    this.#store = store
    this.#limits = limits
    this.#loaded = this.#load()
    this.#loaded.catch(() => {}) // Whoever says something is told.
  }

  /**
   * Resolves when there is room for one more in a conversation.
   * @throws {SealwireError} `busy` when too many wait for their copies; `storage_full` or `data_unusable` when they cannot be kept.
   */
  async ready(conversation: number): Promise<void> {
    await this.#loaded
    const [unkept] = this.#unkept.values()
    if (unkept !== undefined) await this.#keep(unkept)
    if (this.#hasRoom(conversation)) return
    this.#store.recount()
    if (this.#hasRoom(conversation)) return
    throw new SealwireError('busy', 'too many messages that came directly have not come through the server yet')
  }

  /** What is known of something that is said now: `stored` when the program has it for good, `known` when it gets it anyway. */
  find(key: string): 'new' | 'known' | 'stored' {
    if (this.#came.has(key) || this.#said.has(key)) return 'known'
    return this.#store.has(key) ? 'stored' : 'new'
  }

  /** Whether the program has got it, or gets it before whatever is queued from now on. */
  isHanded(key: string): boolean {
    return this.#handed.has(key) || this.#store.has(key)
  }

  /** Whether something came directly, has no place here yet, and may be unknown to a device in that conversation. */
  isUnplaced(conversation: number, exceptOf: string): boolean {
    for (const one of this.#unplaced.values()) if (one.conversation === conversation && one.device !== exceptOf) return true
    return false
  }

  /** It is about to be handed out. */
  queue(message: HeardMessage): void {
    const { key, conversation, device } = message
    this.#said.set(key, { ...message, state: 'queued' })
    this.#remember(this.#handed, key, 0)
    this.#remember(this.#unplaced, key, { conversation, device })
  }

  /** It was not stored, and comes through the server. */
  drop(key: string): void {
    if (this.#said.get(key)?.state !== 'queued') return
    this.#said.delete(key)
    this.#handed.delete(key)
    this.#passed.delete(key)
  }

  /** The program has stored it. Resolves when that is kept. @throws {SealwireError} `storage_full` or `data_unusable`. */
  async done(message: HeardMessage): Promise<void> {
    // It was dropped, and its copy is handed out to the next reader.
    if (!this.#said.has(message.key) && this.#came.get(message.key) === 'new') return
    this.#said.set(message.key, { ...message, state: 'done' })
    this.#remember(this.#handed, message.key, 0)
    await this.#keep(message)
  }

  /** The `messageKey` of an entry. */
  keyOf(entry: Entry): string {
    const key = this.#keys.get(entry) ?? messageKey(entry)
    this.#keys.set(entry, key)
    return key
  }

  passes(entry: Entry, position: number): 'new' | 'heard' {
    const key = this.keyOf(entry)
    const hash = this.#said.get(key)?.hash ?? this.#store.hashOf(key)
    const how = hash !== undefined && isSameWords(entry, hash) ? 'heard' : 'new'
    this.#unplaced.delete(key)
    this.#remember(this.#came, key, how)
    this.#remember(this.#handed, key, how === 'heard' && this.#said.has(key) ? 0 : position)
    return how
  }

  passed(entry: Entry, position: number): void {
    const key = this.keyOf(entry)
    this.#passed.delete(key)
    this.#passed.set(key, position)
  }

  acknowledged(position: number): void {
    for (const [key, place] of this.#passed) {
      if (place > position) return
      this.#passed.delete(key)
      this.#said.delete(key)
      this.#unkept.delete(key)
      void this.#forget(key)
    }
  }

  ended(position: number): void {
    for (const [key, place] of this.#handed) if (place > position) this.#handed.delete(key)
    for (const [key, place] of this.#passed) if (place > position) this.#passed.delete(key)
  }

  forget(): void {
    this.#handed.clear()
    this.#passed.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#keeping.values())
    await this.#store[Symbol.asyncDispose]()
  }

  #hasRoom(conversation: number): boolean {
    const { directHeardMax, directHeardPerConversationMax } = this.#limits
    if (Math.max(this.#said.size, this.#store.size) >= directHeardMax) return false
    return Math.max(this.#said.countOf(conversation), this.#store.countOf(conversation)) < directHeardPerConversationMax
  }

  async #load(): Promise<void> {
    for (const { key, conversation, device } of await this.#store.load()) {
      if (device !== '' && !this.#came.has(key)) this.#remember(this.#unplaced, key, { conversation, device })
    }
  }

  #keep(message: HeardMessage): Promise<void> {
    const keeping = this.#store.add(message).then(
      () => void this.#unkept.delete(message.key),
      (reason: unknown) => {
        if (this.#said.has(message.key)) this.#unkept.set(message.key, message)
        // It is told to the other device, which need not know where this one keeps things.
        throw new SealwireError(SealwireError.from(reason).code, 'what came cannot be kept here', { cause: reason })
      },
    )
    this.#keeping.set(message.key, keeping)
    return keeping.finally(() => this.#keeping.delete(message.key))
  }

  async #forget(key: string): Promise<void> {
    await this.#keeping.get(key)?.catch(() => {})
    await this.#store.remove(key)
  }

  /** What is remembered longest is forgotten first. */
  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key)
    map.set(key, value)
    if (map.size <= this.#limits.directHandedMax) return
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
}

// What was said and is not stored on the server yet.
//
//   send ──kept──▶ waiting ──first of its conversation, online──▶ under way ──Result──▶ sent
//                     ▲                                              ├──no decision──▶ waiting (same id)
//                     └──an earlier run has left it                  └──refused──▶ told to who sent it, else to failures()
//
// A conversation has one message under way at a time: its order is the one in which it was said, whatever is refused or lost in
// between. Conversations do not wait for each other. The same id is the same message, so sending it again is harmless.

import { nameKey } from '../domain/case-fold.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import { decodeCbor, encodeCbor, type Params, parseParams, type Result } from '../protocol/contract/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import { Broadcast } from './feed.ts'
import type { OutboxEntry, OutboxStore } from './outbox-store.ts'
import { isPassing } from './refusals.ts'
import type { Uplink } from './uplink.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** A message that the server has stored. */
export interface Sent {
  /** Its id, as text. */
  readonly id: string
  readonly conversation: number
  /** Its place there. */
  readonly seq: number
  /** When it was stored, milliseconds since 1970. */
  readonly at: number
}

/** A message of an earlier run that the server refuses for good. */
export interface SendFailure {
  readonly id: string
  /** What `message.send` was called with. */
  readonly params: Params<'message.send'>
  readonly reason: SealwireError
}

interface NewEntry extends OutboxEntry {
  /** Its id was made for it: nobody can have it yet. */
  readonly isFresh: boolean
  readonly message: Params<'message.send'>
}

interface Waiting extends NewEntry {
  /** Who waits; an entry of an earlier run has nobody. */
  readonly senders: Set<PromiseWithResolvers<Sent>>
  readonly abort: AbortController
  isUnderWay: boolean
  /** It was said over a direct link: whether it can be called back is not known any more. */
  isSaid: boolean
}

/** @internal Who brings messages to their receivers sooner, besides. */
export interface OutboxTap {
  /**
   * A message is kept, and about to be sent to the server. Answers whether it was said over a direct link.
   * @param isNew false of what an earlier run has left
   */
  keeps(id: string, message: Params<'message.send'>, isNew: boolean): boolean
  /** The server has stored it. */
  sent(sent: Sent): void
  /** It was stored, refused or given up. */
  left(id: string): void
  /** Another `laneOf` of the same conversation, where there is one. Once known it stays. */
  sameLane(lane: string): string | undefined
}

/** @internal Messages of one lane are sent one after the other. */
export function laneOf({ conversation, to }: Params<'message.send'>): string {
  return to === undefined ? `#${conversation}` : nameKey(to)
}

export interface OutboxParts {
  readonly uplink: Uplink
  readonly calls: Calls
  readonly store: OutboxStore
  readonly limits: Limits
  readonly tap?: OutboxTap | undefined
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #waiting = new Map<string, Waiting>()
  readonly #lanes = new Map<string, Waiting[]>()
  readonly #failures: Broadcast<SendFailure>
  /** Refused when nobody read failures(): they stay in the store until somebody does. */
  readonly #untold: SendFailure[] = []
  readonly #loaded: Promise<void>
  /** What is about to get its place: an end comes after it. */
  readonly #entering = new Set<Promise<Waiting>>()
  #bytes = 0
  #ended: SealwireError | undefined
  #idle: PromiseWithResolvers<void> | undefined

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#failures = new Broadcast(parts.limits.outboxEntriesMax)
    this.#loaded = this.#load()
    this.#loaded.catch(() => {}) // Whoever sends is told.
  }

  /**
   * Resolves when the server has stored it.
   * @throws {SealwireError} `busy` when the outbox is full; `storage_full` or `data_unusable` when it cannot be kept; `conflict`
   * when something else has this id; `unreachable` when the signal aborts before it was sent, `unknown_outcome` when it aborts later;
   * `connection_lost` when this end is closed first: it stays in the outbox; and what the server refuses.
   */
  async send(
    id: string,
    message: Params<'message.send'>,
    { signal, isFresh = true }: CallOptions & { readonly isFresh?: boolean },
  ): Promise<Sent> {
    const params = encodeCbor({ ...parseParams('message.send', message) })
    if (this.#ended !== undefined) throw this.#ended
    const sender = Promise.withResolvers<Sent>()
    sender.promise.catch(() => {}) // It may be refused before anybody awaits it.
    const entering = this.#enter({ id, params, message, isFresh }, sender, signal)
    this.#entering.add(entering)
    const waiting = await entering.finally(() => this.#entering.delete(entering))
    const abort = (): void => this.#giveUp(waiting)
    signal?.addEventListener('abort', abort, { once: true })
    if (isAborted(signal)) abort()
    return sender.promise.finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Gives it a place, beside what an earlier run has left. */
  async #enter(entry: NewEntry, sender: PromiseWithResolvers<Sent>, signal: AbortSignal | undefined): Promise<Waiting> {
    await this.#loaded
    if (isAborted(signal)) throw new SealwireError('unreachable', 'the message was given up before it was sent')
    const waiting = this.#same(entry.id, entry.params) ?? this.#keep(entry)
    waiting.senders.add(sender)
    return waiting
  }

  /** Messages of an earlier run that the server has refused for good. */
  failures(signal: AbortSignal | undefined): AsyncIterableIterator<SendFailure> {
    const untold = this.#untold.splice(0)
    for (const { id } of untold) this.#remove(id)
    return this.#failures.read(signal, untold)
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#loaded.catch(() => {})
    if (this.#waiting.size === 0) return
    this.#idle ??= Promise.withResolvers<void>()
    await this.#idle.promise
  }

  /** What still waits stays in the store. */
  async end(reason: SealwireError | undefined): Promise<void> {
    const refusal =
      reason ?? new SealwireError('connection_lost', 'this client was closed before the message was sent: it stays in the outbox')
    this.#ended = refusal
    await Promise.allSettled(this.#entering)
    for (const { senders } of this.#waiting.values()) for (const sender of senders) sender.reject(refusal)
    this.#waiting.clear()
    this.#lanes.clear()
    this.#failures.end(reason)
    await this.#loaded.catch(() => {})
    await this.#parts.store[Symbol.asyncDispose]()
  }

  async #load(): Promise<void> {
    for (const entry of await this.#parts.store.load()) {
      this.#queue(this.#reserve({ ...entry, isFresh: false, message: parseParams('message.send', decodeCbor(entry.params)) }), false)
    }
  }

  /** The same message is sent once, whoever asks for it how often. */
  #same(id: string, params: Uint8Array): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || sameBytes(waiting.params, params)) return waiting
    throw new SealwireError('conflict', 'another message with this id waits to be sent')
  }

  #keep(entry: NewEntry): Waiting {
    const { limits, store } = this.#parts
    if (this.#waiting.size >= limits.outboxEntriesMax || this.#bytes + entry.params.length > limits.outboxBytesMax) {
      throw new SealwireError('busy', 'too many messages wait to be sent', { hint: 'wait for the promises of those before' })
    }
    const waiting = this.#reserve(entry)
    store.add({ id: entry.id, params: entry.params }).then(
      () => this.#queue(waiting, entry.isFresh),
      (reason: unknown) => {
        this.#leave(waiting)
        for (const sender of waiting.senders) sender.reject(reason)
      },
    )
    return waiting
  }

  #reserve(entry: NewEntry): Waiting {
    const state = { senders: new Set<PromiseWithResolvers<Sent>>(), abort: new AbortController(), isUnderWay: false, isSaid: false }
    const waiting = { ...entry, ...state }
    this.#waiting.set(entry.id, waiting)
    this.#bytes += entry.params.length
    return waiting
  }

  #queue(waiting: Waiting, isNew: boolean): void {
    if (this.#waiting.get(waiting.id) !== waiting) return
    const { tap } = this.#parts
    waiting.isSaid = tap?.keeps(waiting.id, waiting.message, isNew) ?? false
    const key = laneOf(waiting.message)
    const lane = this.#lanes.get(key) ?? this.#lanes.get(tap?.sameLane(key) ?? key)
    if (lane !== undefined) return void lane.push(waiting)
    const begun = [waiting]
    this.#lanes.set(key, begun)
    void this.#run(key, begun)
  }

  async #run(key: string, lane: Waiting[]): Promise<void> {
    for (let first = lane[0]; first !== undefined && this.#lanes.get(key) === lane; first = lane[0]) {
      if (this.#waiting.get(first.id) === first) await this.#deliver(first)
      lane.shift()
    }
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key)
  }

  async #deliver(waiting: Waiting): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const { client } = await this.#parts.uplink.ready(waiting.abort.signal)
        waiting.isUnderWay = true
        return this.#sent(waiting, await client.request('message.send', waiting.message, { signal: waiting.abort.signal }))
      } catch (reason) {
        const error = SealwireError.from(reason)
        if (waiting.abort.signal.aborted || this.#parts.uplink.state === 'closed') return
        if (!isPassing(error) || (error.code === 'internal' && tries >= internalTriesMax)) return this.#refused(waiting, error)
        waiting.isUnderWay = false
        // A connection that was lost is waited for anyway.
        if (!error.fatal) await this.#parts.calls.pause(tries)
      }
    }
  }

  #sent(waiting: Waiting, { conversation, seq, at }: Result<'message.send'>): void {
    const sent = { id: waiting.id, conversation, seq, at }
    this.#parts.tap?.sent(sent)
    this.#done(waiting)
    for (const sender of waiting.senders) sender.resolve(sent)
  }

  #refused(waiting: Waiting, reason: SealwireError): void {
    if (waiting.senders.size > 0) {
      this.#done(waiting)
      for (const sender of waiting.senders) sender.reject(reason)
      return
    }
    const failure = { id: waiting.id, params: waiting.message, reason }
    if (this.#failures.readers === 0) {
      this.#leave(waiting)
      this.#untold.push(failure)
      return
    }
    this.#done(waiting)
    this.#failures.push(failure)
  }

  #giveUp(waiting: Waiting): void {
    if (this.#waiting.get(waiting.id) !== waiting) return
    waiting.abort.abort()
    this.#done(waiting)
    const reason =
      waiting.isUnderWay || waiting.isSaid
        ? new SealwireError('unknown_outcome', 'the message was given up while it was sent')
        : new SealwireError('unreachable', 'the message was given up before it was sent')
    for (const sender of waiting.senders) sender.reject(reason)
  }

  #done(waiting: Waiting): void {
    this.#leave(waiting)
    this.#remove(waiting.id)
  }

  /** What stays there by mistake is sent again under its id, which changes nothing. */
  #remove(id: string): void {
    this.#parts.store.remove(id).catch(() => {})
  }

  #leave(waiting: Waiting): void {
    if (this.#waiting.get(waiting.id) !== waiting) return
    this.#waiting.delete(waiting.id)
    this.#bytes -= waiting.params.length
    this.#parts.tap?.left(waiting.id)
    if (this.#waiting.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }
}

const internalTriesMax = limitTable.outboxInternalTriesMax.value

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

// What was said and is not stored on the server yet.
//
//   send ──kept──▶ waiting ──first of its conversation, online──▶ under way ──Result──▶ sent
//                     ▲                                              ├──no decision──▶ waiting (same id)
//                     └──an earlier run has left it                  └──refused──▶ told to who sent it, else to failures()
//
// A conversation has one message under way at a time: its order is the one in which it was said, whatever is refused or lost in
// between. Conversations do not wait for each other. The same id is the same message, so sending it again is harmless.

import { nameKey } from '../domain/case-fold.ts'
import { type Clock, waitAtMost } from '../domain/clock.ts'
import { type Limits, limitTable, SealwireError } from '../protocol/index.ts'
import { decodeCbor, encodeCbor, type Params, parseParams, type Result } from '../protocol/contract/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import { Broadcast } from './feed.ts'
import { Lane } from './outbox/lane.ts'
import type { OutboxEntry, OutboxStore } from './outbox/store.ts'
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
  /** It is there until it is done with. */
  readonly lane: Lane<Waiting>
  /** Resolves when its turn there begins, or it is done with. */
  readonly turn: PromiseWithResolvers<void>
  /** The store has it. */
  isKept: boolean
  /** The outbox, and the store while it keeps it: its bytes count until both have let go. */
  holders: number
  isUnderWay: boolean
  /** It was said over a direct link: whether it can be called back is not known any more. */
  isSaid: boolean
  /** Why the server has not taken it so far, where it has said so. */
  why?: SealwireError
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
  readonly clock: Pick<Clock, 'after'>
  readonly tap?: OutboxTap | undefined
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #waiting = new Map<string, Waiting>()
  readonly #lanes = new Map<string, Lane<Waiting>>()
  readonly #failures: Broadcast<SendFailure>
  /** Refused, and nobody has taken them from failures(): they stay in the store until somebody does. */
  readonly #untold = new Set<SendFailure>()
  readonly #loaded: Promise<void>
  /** What is about to get its place: an end comes after it. */
  readonly #entering = new Set<Promise<Waiting>>()
  /** What the store is about to keep. */
  readonly #adding = new Set<Promise<void>>()
  #bytes = 0
  /** What is told of messages that it has. */
  #ended: SealwireError | undefined
  /** What is told of those that it does not take any more. */
  #refusal: SealwireError | undefined
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
   * when something else has this id; `unreachable` when the signal aborts before it was sent, or when this end was closed before: it was
   * not taken; `unknown_outcome` when it aborts later;
   * `connection_lost` when this end is closed first: it stays in the outbox; `unknown_outcome` when it is closed while the store does
   * not say whether it has it; and what the server refuses.
   */
  async send(
    id: string,
    message: Params<'message.send'>,
    { signal, isFresh = true }: CallOptions & { readonly isFresh?: boolean },
  ): Promise<Sent> {
    const params = encodeCbor({ ...parseParams('message.send', message) })
    if (this.#refusal !== undefined) throw this.#refusal
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
    return this.#failures.read(signal, [...this.#untold], (failure) => {
      if (this.#untold.delete(failure)) this.#remove(failure.id)
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#loaded.catch(() => {})
    if (this.#waiting.size === 0) return
    this.#idle ??= Promise.withResolvers<void>()
    await this.#idle.promise
  }

  /** What still waits stays in the store. What that is about to keep is waited for, at most `clientGoodbyeMsMax`. */
  async end(reason: SealwireError | undefined): Promise<void> {
    this.#refusal = reason ?? new SealwireError('unreachable', 'this client is closed: the message was not taken')
    this.#ended = reason ?? new SealwireError('connection_lost', closedBefore)
    await Promise.allSettled(this.#entering)
    const { clock, limits, store } = this.#parts
    await waitAtMost(clock, limits.clientGoodbyeMsMax, Promise.all(this.#adding))
    for (const { senders, isKept, why } of this.#waiting.values()) {
      const ended = reason === undefined && why !== undefined ? notTaken(why) : this.#ended
      for (const sender of senders) sender.reject(isKept ? ended : notKnownKept(ended))
    }
    this.#waiting.clear()
    this.#lanes.clear()
    this.#failures.end(reason)
    await this.#loaded.catch(() => {})
    await store[Symbol.asyncDispose]()
  }

  async #load(): Promise<void> {
    for (const entry of await this.#parts.store.load()) {
      this.#kept(this.#reserve({ ...entry, isFresh: false, message: parseParams('message.send', decodeCbor(entry.params)) }))
    }
  }

  /** The same message is sent once, whoever asks for it how often. */
  #same(id: string, params: Uint8Array): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || sameBytes(waiting.params, params)) return waiting
    throw new SealwireError('conflict', 'another message with this id waits to be sent')
  }

  #keep(entry: NewEntry): Waiting {
    const { limits } = this.#parts
    const entries = Math.max(this.#waiting.size, this.#adding.size)
    if (entries >= limits.outboxEntriesMax || this.#bytes + entry.params.length > limits.outboxBytesMax) {
      throw new SealwireError('busy', 'too many messages wait to be sent', { hint: 'wait for the promises of those before' })
    }
    const waiting = this.#reserve(entry)
    waiting.holders++
    const adding = this.#add(waiting).finally(() => {
      this.#adding.delete(adding)
      this.#letGo(waiting)
    })
    this.#adding.add(adding)
    return waiting
  }

  async #add(waiting: Waiting): Promise<void> {
    try {
      // A store that throws is one that rejects: whoever sends waits by then.
      await (async () => this.#parts.store.add({ id: waiting.id, params: waiting.params }))()
      this.#kept(waiting)
      // Given up meanwhile: the store may have been told so before it had it.
      if (!this.#waiting.has(waiting.id)) this.#remove(waiting.id)
    } catch (reason) {
      this.#leave(waiting)
      for (const sender of waiting.senders) sender.reject(reason)
    }
  }

  /** It has its place from the moment at which it was said: what is said later comes behind it, also where the store has that sooner. */
  #reserve(entry: NewEntry): Waiting {
    const state = { senders: new Set<PromiseWithResolvers<Sent>>(), abort: new AbortController(), turn: Promise.withResolvers<void>() }
    const steps = { isKept: false, holders: 1, isUnderWay: false, isSaid: false }
    const waiting = { ...entry, ...state, ...steps, lane: this.#laneFor(entry.message) }
    this.#waiting.set(entry.id, waiting)
    this.#bytes += entry.params.length
    waiting.lane.add(waiting)
    return waiting
  }

  #laneFor(message: Params<'message.send'>): Lane<Waiting> {
    const key = laneOf(message)
    const lane = this.#lanes.get(key) ?? this.#lanes.get(this.#parts.tap?.sameLane(key) ?? key)
    if (lane !== undefined) return lane
    const begun = new Lane<Waiting>()
    this.#lanes.set(key, begun)
    // Once its first message is there.
    queueMicrotask(() => void this.#run(key, begun))
    return begun
  }

  #kept(waiting: Waiting): void {
    waiting.isKept = true
    this.#begin(waiting.lane)
  }

  #begin(lane: Lane<Waiting>): void {
    if (this.#ended !== undefined) return
    for (let next = lane.begin(); next !== undefined; next = lane.begin()) {
      next.isSaid = this.#parts.tap?.keeps(next.id, next.message, next.isFresh) ?? false
      next.turn.resolve()
    }
  }

  async #run(key: string, lane: Lane<Waiting>): Promise<void> {
    for (let { first } = lane; first !== undefined && this.#lanes.get(key) === lane; { first } = lane) {
      await first.turn.promise
      if (this.#waiting.get(first.id) === first) await this.#deliver(first)
      // It stays where it is when everything ends.
      if (lane.first === first) return
    }
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key)
  }

  async #deliver(waiting: Waiting): Promise<void> {
    for (let tries = 1; ; tries++) {
      const wasUnderWay = waiting.isUnderWay
      try {
        const { client } = await this.#parts.uplink.ready(waiting.abort.signal)
        waiting.isUnderWay = true
        return this.#sent(waiting, await client.request('message.send', waiting.message, { signal: waiting.abort.signal }))
      } catch (reason) {
        const error = SealwireError.from(reason)
        if (waiting.abort.signal.aborted || this.#parts.uplink.state === 'closed') return
        if (!isPassing(error) || (error.code === 'internal' && tries >= internalTriesMax)) return this.#refused(waiting, error)
        // Of what was lost with its connection nobody knows whether it was stored.
        if (!error.fatal && error.code !== 'unknown_outcome') waiting.isUnderWay = wasUnderWay
        if (!error.fatal) waiting.why = error
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
    this.#leave(waiting)
    this.#untold.add(failure)
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

  #letGo(waiting: Waiting): void {
    waiting.holders--
    if (waiting.holders === 0) this.#bytes -= waiting.params.length
  }

  #leave(waiting: Waiting): void {
    if (this.#waiting.get(waiting.id) !== waiting) return
    this.#waiting.delete(waiting.id)
    this.#letGo(waiting)
    waiting.lane.remove(waiting)
    waiting.turn.resolve()
    this.#begin(waiting.lane)
    this.#parts.tap?.left(waiting.id)
    if (this.#waiting.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }
}

const internalTriesMax = limitTable.outboxInternalTriesMax.value

function notTaken(cause: SealwireError): SealwireError {
  return new SealwireError('connection_lost', `${closedBefore}; at last the server said: ${cause.sentence}`, { cause })
}

const closedBefore = 'this client was closed before the message was sent: it stays in the outbox'

function notKnownKept(cause: SealwireError): SealwireError {
  return new SealwireError('unknown_outcome', 'this client was closed while the message was being kept: it may be in the outbox', { cause })
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

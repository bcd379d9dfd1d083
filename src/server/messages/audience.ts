// Who can be told something now: the sessions of the contract by account. What is told is told to all sessions of an account
// and is gone with them; what must not be lost goes through the inbox.

import { type EventData, type EventName, encodeEvent } from '../../protocol/contract/index.ts'
import type { Participant } from '../classic/chats.ts'

/** A session that takes events. */
export interface Listener extends Pick<Participant, 'id' | 'standing'> {
  /** False while its output waits: it is spared what it can do without. */
  readonly keepsUp: boolean
  /** Body of an event. */
  hear(event: Uint8Array): void
}

const nobody: readonly Listener[] = Object.freeze([])

export class Audience {
  readonly #listeners = new Map<bigint, Listener[]>()

  enter(listener: Listener): void {
    const listeners = this.#listeners.get(listener.id)
    if (listeners === undefined) this.#listeners.set(listener.id, [listener])
    else listeners.push(listener)
  }

  leave(listener: Listener): void {
    const listeners = this.#listeners.get(listener.id) ?? []
    const at = listeners.indexOf(listener)
    if (at >= 0) listeners.splice(at, 1)
    if (listeners.length === 0) this.#listeners.delete(listener.id)
  }

  /** The sessions of an account. */
  of(accountId: bigint): readonly Listener[] {
    return this.#listeners.get(accountId) ?? nobody
  }

  /** Tells all sessions of an account but `except`. */
  tell<E extends EventName>(accountId: bigint, event: E, data: EventData<E>, except?: object): void {
    const listeners = this.of(accountId)
    if (listeners.length === 0) return
    const body = encodeEvent(event, data)
    for (const listener of listeners) if (listener !== except) listener.hear(body)
  }
}

// Who can be told something now: the sessions of the contract by account. What is told is told to all sessions of an account
// and is gone with them; what must not be lost goes through the inbox.

import { type EventData, type EventName, encodeEvent } from '../../protocol/contract/index.ts'
import type { Participant } from '../classic/chats.ts'

/** A session that takes events. */
export interface Hearer extends Pick<Participant, 'id' | 'standing'> {
  /** False while its output waits: it is spared what it can do without. */
  readonly keepsUp: boolean
  /** Body of an event. */
  hear(event: Uint8Array): void
}

const nobody: readonly Hearer[] = Object.freeze([])

export class Audience {
  readonly #hearers = new Map<bigint, Hearer[]>()

  enter(hearer: Hearer): void {
    const hearers = this.#hearers.get(hearer.id)
    if (hearers === undefined) this.#hearers.set(hearer.id, [hearer])
    else hearers.push(hearer)
  }

  leave(hearer: Hearer): void {
    const hearers = this.#hearers.get(hearer.id) ?? []
    const at = hearers.indexOf(hearer)
    if (at >= 0) hearers.splice(at, 1)
    if (hearers.length === 0) this.#hearers.delete(hearer.id)
  }

  /** The sessions of an account. */
  of(accountId: bigint): readonly Hearer[] {
    return this.#hearers.get(accountId) ?? nobody
  }

  /** Tells all sessions of an account but `except`. */
  tell<E extends EventName>(accountId: bigint, event: E, data: EventData<E>, except?: object): void {
    const hearers = this.of(accountId)
    if (hearers.length === 0) return
    const body = encodeEvent(event, data)
    for (const hearer of hearers) if (hearer !== except) hearer.hear(body)
  }
}

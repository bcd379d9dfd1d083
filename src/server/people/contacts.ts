// Consent: who may talk with whom. A request is an entry of the conversation that it asks for; accepting it makes both
// contacts. To who is blocked all of it looks like somebody who does not answer.

import type { Clock, Randomness } from '../../domain/index.ts'
import { limitTable } from '../../protocol/index.ts'
import type { ContactRow, Person, Posted, Store } from '../../store/index.ts'
import type { Participant } from '../classic/chats.ts'
import { newEntryId } from '../messages/entry-id.ts'
import type { Inboxes } from '../messages/inboxes.ts'
import type { People } from '../people.ts'

/** What contacts work with. */
export interface ContactsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  /** For the ids of answers. Default: that of the runtime. */
  readonly fill?: Randomness | undefined
  readonly inboxes: Inboxes
  readonly people: People
  /** Told of a request that is open. */
  readonly asked: (me: Participant, peer: Person) => void
  /** Told of the answer to one, also of an answer that was given before. */
  readonly answered: (me: Participant, peer: Person, accept: boolean) => void
}

/** Who asks or answers. */
export interface Asking extends Participant {
  readonly device: string | undefined
}

/** A request: its id, made by the client, and what goes with it. */
export interface ContactRequest {
  readonly id: Uint8Array
  readonly text: Uint8Array | undefined
}

/** Contacts in one answer. */
const pageMax = limitTable.contactsPageMax.value

export class Contacts {
  readonly #parts: ContactsParts

  constructor(parts: ContactsParts) {
    this.#parts = parts
  }

  /** Asks `peer` to talk, or accepts what they asked before. @throws {SealwireError} those of `contact.request`. */
  async request(me: Asking, peer: Person, { id, text }: ContactRequest): Promise<Posted & { readonly accepted: boolean }> {
    const { store, inboxes, people, asked, answered } = this.#parts
    const posted = await store.run('contact.request', { ...this.#act(me), peerId: peer.id, id, text })
    if (posted.accepted) people.agreed(me, peer)
    inboxes.announce(posted)
    if (posted.accepted) answered(me, peer, true)
    else asked(me, peer)
    return posted
  }

  /** @throws {SealwireError} `no_request`; those of the store. */
  async answer(me: Asking, peer: Person, accept: boolean): Promise<Posted> {
    const { store, clock, fill, inboxes, people, answered } = this.#parts
    const posted = await store.run('contact.answer', { ...this.#act(me), peerId: peer.id, id: newEntryId(clock.now(), fill), accept })
    if (accept) people.agreed(me, peer)
    inboxes.announce(posted)
    answered(me, peer, accept)
    return posted
  }

  /** Ends what there is with `peer`. @throws {SealwireError} `not_contact`; those of the store. */
  async remove(me: Asking, peer: Person): Promise<void> {
    const { store, clock, fill, inboxes, people } = this.#parts
    const posted = await store.run('contact.remove', { ...this.#act(me), peerId: peer.id, id: newEntryId(clock.now(), fill) })
    people.parted(me, peer)
    inboxes.announce(posted)
  }

  /** Contacts and open requests behind a key, by key; `more` when these are not all. */
  async page({ id: accountId }: Participant, after: string): Promise<{ readonly rows: readonly ContactRow[]; readonly more: boolean }> {
    const rows = await this.#parts.store.run('contact.page', { accountId, after, max: BigInt(pageMax + 1) })
    return { rows: rows.slice(0, pageMax), more: rows.length > pageMax }
  }

  #act({ id: accountId, device }: Asking) {
    return { accountId, device, at: BigInt(this.#parts.clock.now()) }
  }
}

// Who knows whom, who sees whom, and who wants to hear nothing of whom. What is decided at every request (blocks, contacts,
// visibility) is in memory for those who are here, see presence.ts; the store has it for good. A block is in the store
// before it is answered; a contact is written behind the chat that made it.

import type { Clock } from '../domain/index.ts'
import { SealwireError } from '../protocol/index.ts'
import type { Account, Person, Store, Visibility } from '../store/index.ts'
import type { Participant } from './chats.ts'
import type { Log } from './log.ts'
import type { Presence, Standing } from './presence.ts'

/** What people work with; whoever made the parts closes them. */
export interface PeopleParts {
  readonly presence: Presence
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly contactsPerAccountMax: number
}

/** Somebody who is here, as one of the others sees them. */
export interface Seen {
  readonly name: string
  readonly contact: boolean
}

/** Nothing of either reaches the other. */
export function cutOff(one: Participant, other: Participant): boolean {
  return one.standing.blocks.has(other.id) || other.standing.blocks.has(one.id)
}

export class People {
  readonly #parts: PeopleParts
  /** Contacts that are being written. */
  readonly #writing = new Set<Promise<void>>()

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  /** How an account that logs in stands to others. Wants the login to be an arrival that is named. */
  async standingOf({ id, key, visibility }: Pick<Account, 'id' | 'key' | 'visibility'>): Promise<Standing> {
    const { presence, store } = this.#parts
    const known = presence.standingOf(key)
    if (known !== undefined) return known
    const { contacts, blocks } = await store.run('people.relations', { accountId: id })
    return presence.settle(key, { contacts: new Set(contacts), blocks: new Set(blocks), visibility })
  }

  /** Both agreed to talk: they are contacts from now on. */
  met(one: Participant, other: Participant): void {
    const { contactsPerAccountMax: max } = this.#parts
    if (one.standing.contacts.has(other.id)) return
    if (one.standing.contacts.size >= max || other.standing.contacts.size >= max) return
    one.standing.contacts.add(other.id)
    other.standing.contacts.add(one.id)
    const written = this.#write(one.id, other.id).finally(() => this.#writing.delete(written))
    this.#writing.add(written)
  }

  /** Who is here and to be seen by `me`, ordered by key. */
  seenBy(me: Participant): readonly Seen[] {
    const seen = [...this.#parts.presence.people()].filter((other) => isSeen(other, me))
    seen.sort((one, other) => (one.key < other.key ? -1 : 1))
    return seen.map(({ id, name }) => ({ name, contact: me.standing.contacts.has(id) }))
  }

  /** @throws {SealwireError} those of the store. */
  async show(me: Participant, visibility: Visibility): Promise<void> {
    await this.#parts.store.run('account.setVisibility', { id: me.id, visibility })
    me.standing.visibility = visibility
  }

  /**
   * Another account, whether it is here or not.
   * @throws {SealwireError} `is_self`, `not_found`; those of the store.
   */
  async find(me: Participant, key: string): Promise<Person> {
    if (key === me.key) throw new SealwireError('is_self', 'that is your own name')
    const account = await this.#parts.store.run('account.find', { key })
    if (account === undefined) throw new SealwireError('not_found', 'there is no account of that name')
    return account
  }

  /** @throws {SealwireError} `busy` when `blocksPerAccountMax` are blocked already; those of the store. */
  async block(me: Participant, { id }: Person): Promise<void> {
    const { store, clock } = this.#parts
    await store.run('block.add', { accountId: me.id, blockedId: id, at: BigInt(clock.now()) })
    me.standing.blocks.add(id)
  }

  /** @throws {SealwireError} those of the store. */
  async unblock(me: Participant, { id }: Person): Promise<void> {
    await this.#parts.store.run('block.remove', { accountId: me.id, blockedId: id })
    me.standing.blocks.delete(id)
  }

  /** Whom `me` blocks, ordered by key. */
  blocked(me: Participant): Promise<readonly Person[]> {
    return this.#parts.store.run('block.list', { accountId: me.id })
  }

  /** Resolves when nothing is being written any more. Wants the sessions to have ended. */
  async close(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  /** Nobody waits for it; when it fails, they are contacts until both have left, and again after their next chat. */
  async #write(a: bigint, b: bigint): Promise<void> {
    const { store, clock, log } = this.#parts
    try {
      await store.run('contact.add', { a, b, at: BigInt(clock.now()) })
    } catch (reason) {
      log.warning('contact not stored', { why: SealwireError.from(reason).code })
    }
  }
}

function isSeen(other: Participant, me: Participant): boolean {
  if (other.id === me.id || cutOff(other, me)) return false
  const { visibility } = other.standing
  return visibility === 'everyone' || (visibility === 'contacts' && me.standing.contacts.has(other.id))
}

// Who knows whom, who sees whom, and who wants to hear nothing of whom. What is decided at every request (blocks, contacts,
// visibility) is in memory for those who are here, see presence.ts; the store has it for good. A block is in the store
// before it is answered; a contact is written behind the chat that made it.

import type { Clock } from '../domain/index.ts'
import { SealwireError } from '../protocol/index.ts'
import type { Account, Person, Privacy, Store, Visibility } from '../store/index.ts'
import type { Participant } from './classic/chats.ts'
import type { Log } from './log.ts'
import type { PresenceNews, Present } from './people/presence-news.ts'
import type { Presence, Standing } from './people/presence.ts'

/** What people work with; whoever made the parts closes them. */
export interface PeopleParts {
  readonly presence: Presence
  readonly news: PresenceNews
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

/** An account with how it stands to others. */
export type Standpoint = Pick<Participant, 'id' | 'standing'>

/** What decides what somebody shows. */
export type Showing = Pick<Standing, 'visibility' | 'privacy'>

/** Nothing of either reaches the other. */
export function cutOff(one: Standpoint, other: Standpoint): boolean {
  return one.standing.blocks.has(other.id) || other.standing.blocks.has(one.id)
}

/** Whether `me` may learn this of `other`. Who shows themselves to nobody shows nothing at all. */
export function shows(other: Standpoint, me: Standpoint, what: keyof Privacy): boolean {
  return other.id !== me.id && !cutOff(other, me) && showsTo(other.standing, me.standing.contacts.has(other.id), what)
}

/** The same but for blocks, of whoever shows as much, whether they are here or not. */
export function showsTo({ visibility, privacy }: Showing, isContact: boolean, what: keyof Privacy): boolean {
  return privacy[what] && (visibility === 'everyone' || (visibility === 'contacts' && isContact))
}

/** Whether it is nobody's business that they are here. */
export function isHidden({ visibility, privacy }: Showing): boolean {
  return visibility === 'nobody' || !privacy.presence
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
    const { contacts, blocks, privacy } = await store.run('people.relations', { accountId: id })
    return presence.settle(key, { contacts: new Set(contacts), blocks: new Set(blocks), visibility, privacy })
  }

  /** What an account shows, whether it is here or not. @throws {SealwireError} those of the store. */
  async showingOf({ id, key }: Person): Promise<Showing> {
    const { presence, store } = this.#parts
    const known = presence.standingOf(key)
    if (known !== undefined) return known
    const [account, privacy] = await Promise.all([store.run('account.findById', { id }), store.run('privacy.read', { accountId: id })])
    return { visibility: account?.visibility ?? 'nobody', privacy }
  }

  /** Both said in the store that they talk: they are contacts from now on. */
  agreed(me: Participant, { id, key }: Person): void {
    if (me.standing.contacts.has(id)) return
    me.standing.contacts.add(id)
    this.#parts.presence.standingOf(key)?.contacts.add(me.id)
    const [other] = this.#parts.presence.sessionsOf(key)
    this.#parts.news.met(me, [id])
    if (other !== undefined) this.#parts.news.met(other, [me.id])
  }

  /** The store says that they are contacts no more. */
  parted(me: Participant, { id, key }: Person): void {
    const { presence, news } = this.#parts
    const [other] = presence.sessionsOf(key)
    const part = (): void => {
      me.standing.contacts.delete(id)
      presence.standingOf(key)?.contacts.delete(me.id)
    }
    news.around(me, other === undefined ? part : () => news.around(other, part))
  }

  /** Both agreed to talk: they are contacts from now on. */
  met(one: Present, other: Present): void {
    const { contactsPerAccountMax: max } = this.#parts
    if (one.standing.contacts.has(other.id)) return
    if (one.standing.contacts.size >= max || other.standing.contacts.size >= max) return
    one.standing.contacts.add(other.id)
    other.standing.contacts.add(one.id)
    this.#parts.news.met(one, [other.id])
    this.#parts.news.met(other, [one.id])
    const written = this.#write(one.id, other.id).finally(() => this.#writing.delete(written))
    this.#writing.add(written)
  }

  /** Who is here and to be seen by `me`, ordered by key. */
  seenBy(me: Participant): readonly Seen[] {
    const seen = [...this.#parts.presence.people()].filter((other) => shows(other, me, 'presence'))
    seen.sort((one, other) => (one.key < other.key ? -1 : 1))
    return seen.map(({ id, name }) => ({ name, contact: me.standing.contacts.has(id) }))
  }

  /** @throws {SealwireError} those of the store. */
  async show(me: Participant, visibility: Visibility): Promise<void> {
    const { store, news } = this.#parts
    await store.run('account.setVisibility', { id: me.id, visibility })
    news.around(me, () => {
      me.standing.visibility = visibility
    })
  }

  /** Whether an account is here, for all that `me` may know. */
  sees(me: Participant, key: string): boolean {
    const [other] = this.#parts.presence.sessionsOf(key)
    return other !== undefined && shows(other, me, 'presence')
  }

  /** Changes what others learn of `me`; answers what is true now. @throws {SealwireError} those of the store. */
  async setPrivacy(me: Participant, changes: { readonly [P in keyof Privacy]?: boolean | undefined }): Promise<Privacy> {
    const { store, news } = this.#parts
    const privacy = await store.run('privacy.set', { accountId: me.id, ...changes })
    news.around(me, () => {
      me.standing.privacy = privacy
    })
    return privacy
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
    const { store, clock, news } = this.#parts
    await store.run('block.add', { accountId: me.id, blockedId: id, at: BigInt(clock.now()) })
    news.around(me, () => me.standing.blocks.add(id))
  }

  /** @throws {SealwireError} those of the store. */
  async unblock(me: Participant, { id }: Person): Promise<void> {
    const { store, news } = this.#parts
    await store.run('block.remove', { accountId: me.id, blockedId: id })
    news.around(me, () => me.standing.blocks.delete(id))
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

// Rooms: who may do what is decided by the store, in the step that does it; here names become accounts, links get their
// secrets, and what happened reaches the inboxes that are open.

import type { Clock, Randomness } from '../domain/index.ts'
import { invitationHash } from '../pki/index.ts'
import { SealwireError } from '../protocol/index.ts'
import type { HistoryPolicy, MemberRow, Person, Posted, Role, Store } from '../store/index.ts'
import type { Participant } from './classic/chats.ts'
import { newEntryId } from './messages/entry-id.ts'
import type { Files } from './files.ts'
import type { Inboxes } from './messages/inboxes.ts'
import type { People } from './people.ts'
import { newRoomSecret } from './room-secret.ts'

/** What rooms work with; whoever made the parts closes them. */
export interface RoomsParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  /** For the ids of what members do. Default: that of the runtime. */
  readonly fill?: Randomness | undefined
  readonly people: Pick<People, 'sees'>
  readonly inboxes: Pick<Inboxes, 'announce'>
  readonly files: Pick<Files, 'remove'>
}

/** Who does something, and on which device. */
export interface Actor {
  readonly account: Participant
  readonly device: string | undefined
}

/** What a room is like. */
export interface RoomTraits {
  readonly title: string
  readonly topic: string
  readonly announcement: boolean
  readonly history: HistoryPolicy
}

/** With what somebody joins: an invitation of theirs, or the secret of a link. */
export type Entrance = { readonly conversationId: bigint } | { readonly secret: Uint8Array }

/** A link to a room. */
export interface RoomLink {
  readonly secret: Uint8Array
  readonly expiresAt: number
}

/** A member as one of the others sees them. */
export interface SeenMember extends MemberRow {
  /** Undefined also of those who do not show it. */
  readonly here: true | undefined
}

export class Rooms {
  readonly #parts: RoomsParts

  constructor(parts: RoomsParts) {
    this.#parts = parts
  }

  /** Answers its number. The same id again answers the same room. @throws {SealwireError} `busy`, `conflict`; those of the store. */
  async create(actor: Actor, id: Uint8Array, traits: RoomTraits): Promise<bigint> {
    const { conversationId } = this.#announced(await this.#parts.store.run('room.create', { ...this.#act(actor), id, ...traits }))
    return conversationId
  }

  /** @throws {SealwireError} `not_found`, `not_permitted`; those of the store. */
  async update(
    actor: Actor,
    conversationId: bigint,
    traits: { readonly [T in keyof RoomTraits]?: RoomTraits[T] | undefined },
  ): Promise<bigint> {
    return this.#done(await this.#parts.store.run('room.update', { ...this.#change(actor, conversationId), ...traits }))
  }

  /** @throws {SealwireError} `not_found`, `not_contact`, `not_permitted`, `room_full`; those of the store. */
  async invite(actor: Actor, conversationId: bigint, key: string): Promise<bigint> {
    const { id: peerId } = await this.#find(key)
    return this.#done(await this.#parts.store.run('room.invite', { ...this.#change(actor, conversationId), peerId }))
  }

  /**
   * A link in place of the one before. Only the hash of its secret is kept.
   * @throws {SealwireError} `not_found`, `not_permitted`; those of the store.
   */
  async link(
    actor: Actor,
    conversationId: bigint,
    { uses, livesMs }: { readonly uses: number; readonly livesMs: number },
  ): Promise<RoomLink> {
    const secret = newRoomSecret()
    const expiresAt = Math.min(this.#parts.clock.now() + livesMs, Number.MAX_SAFE_INTEGER)
    const link = { hash: invitationHash(secret), uses: BigInt(uses), expiresAt: BigInt(expiresAt) }
    await this.#parts.store.run('room.link', { ...this.#act(actor), conversationId, ...link })
    return { secret, expiresAt }
  }

  /**
   * @throws {SealwireError} `not_found` without an invitation; `invitation_invalid`, `invitation_used`, `invitation_expired` for
   * a link; `room_full`; those of the store.
   */
  async join(actor: Actor, entrance: Entrance): Promise<Posted> {
    const by = 'secret' in entrance ? { hash: invitationHash(entrance.secret) } : entrance
    return this.#announced(await this.#parts.store.run('room.join', { ...this.#act(actor), ...this.#id(), ...by }))
  }

  /** With the last one everything of the room goes. Who is not in it has left. @throws {SealwireError} those of the store. */
  async leave(actor: Actor, conversationId: bigint): Promise<void> {
    const left = await this.#parts.store.run('room.leave', this.#change(actor, conversationId))
    if (left === undefined) return
    this.#announced(left)
    await this.#parts.files.remove(left.files)
  }

  /** @throws {SealwireError} `not_found`, `not_permitted`; those of the store. */
  async remove(actor: Actor, conversationId: bigint, key: string): Promise<bigint> {
    const { id: peerId } = await this.#find(key)
    return this.#done(await this.#parts.store.run('room.remove', { ...this.#change(actor, conversationId), peerId }))
  }

  /** @throws {SealwireError} `not_found`, `not_permitted`; those of the store. */
  async giveRole(actor: Actor, conversationId: bigint, key: string, role: Role): Promise<bigint> {
    const { id: peerId } = await this.#find(key)
    return this.#done(await this.#parts.store.run('room.role', { ...this.#change(actor, conversationId), peerId, role }))
  }

  /** At most `max` members whose keys come after `after`, by key. @throws {SealwireError} `not_found`; those of the store. */
  async members(
    me: Participant,
    conversationId: bigint,
    { after, max }: { readonly after: string; readonly max: number },
  ): Promise<readonly SeenMember[]> {
    const { store, people } = this.#parts
    const rows = await store.run('room.members', { accountId: me.id, conversationId, after, max: BigInt(max) })
    if (rows === undefined) throw noRoom()
    return rows.map((row) => ({ ...row, here: row.account.id === me.id || people.sees(me, row.account.key) || undefined }))
  }

  #act({ account, device }: Actor) {
    return { accountId: account.id, device, at: BigInt(this.#parts.clock.now()) }
  }

  #id() {
    return { id: newEntryId(this.#parts.clock.now(), this.#parts.fill) }
  }

  #change(actor: Actor, conversationId: bigint) {
    return { ...this.#act(actor), ...this.#id(), conversationId }
  }

  /** In the turn in which the store answered: entries leave in the order in which they were stored. */
  #announced<P extends Posted>(posted: P): P {
    this.#parts.inboxes.announce(posted)
    return posted
  }

  #done(posted: Posted): bigint {
    return this.#announced(posted).seq
  }

  async #find(key: string): Promise<Person> {
    const account = await this.#parts.store.run('account.find', { key })
    if (account === undefined) throw new SealwireError('not_found', 'there is no account of that name')
    return account
  }
}

function noRoom(): SealwireError {
  return new SealwireError('not_found', 'there is no such room')
}

// Rooms: conversations of more than two.

import type { Params, Result } from '../protocol/contract/index.ts'
import type { CallOptions, Calls } from './calls.ts'
import type { Conversation } from './conversation.ts'

/** What a room is called and how it is. */
export type RoomOptions = Omit<Params<'room.create'>, 'id' | 'title'> & CallOptions & { readonly id?: string }
/** Somebody in a room. */
export type RoomMember = Result<'room.members'>['members'][number]
/** What somebody may do in a room. */
export type Role = Params<'room.role'>['role']

/** Rooms: made, joined, changed. Rooms are named by their number. What is so already is done: all of it survives lost connections. */
export class Rooms {
  readonly #calls: Calls
  readonly #find: (room: number) => Promise<Conversation>

  /** @internal */
  constructor(calls: Calls, find: (room: number) => Promise<Conversation>) {
    this.#calls = calls
    this.#find = find
  }

  /** Makes a room; who makes it is its owner. @throws {SealwireError} `busy` when the account owns too many. */
  async create(title: string, { id, signal, ...how }: RoomOptions = {}): Promise<Conversation> {
    const { conversation } = await this.#calls.again('room.create', { id: this.#calls.idBytes(id), title, ...how }, { signal })
    return this.#find(conversation)
  }

  /** Joins a room to which one is invited, by its number, or has a link, by the secret in it. @throws {SealwireError} `not_found`, `room_full`. */
  async join(room: number | Uint8Array, options: CallOptions = {}): Promise<Conversation> {
    const which = typeof room === 'number' ? { conversation: room } : { secret: room }
    return this.#find((await this.#calls.again('room.join', which, options)).conversation)
  }

  /** Changes what is given. @throws {SealwireError} `not_permitted`. */
  async update(room: number, changes: Omit<Params<'room.update'>, 'conversation'>, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('room.update', { conversation: room, ...changes }, options)
  }

  /** Invites a contact. @throws {SealwireError} `not_permitted`, `not_contact`, `room_full`. */
  async invite(room: number, name: string, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('room.invite', { conversation: room, name }, options)
  }

  /** Makes the secret of a link with which whoever has it joins; the one before is void. @throws {SealwireError} `not_permitted`. */
  async link(room: number, { signal, ...how }: Omit<Params<'room.link'>, 'conversation'> & CallOptions = {}): Promise<Result<'room.link'>> {
    return this.#calls.again('room.link', { conversation: room, ...how }, { signal })
  }

  /** Leaves a room, or turns an invitation down. Who is not in it has left. */
  async leave(room: number, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('room.leave', { conversation: room }, options)
  }

  /** Removes a member, or takes an invitation back. @throws {SealwireError} `not_permitted`; `not_found` for an unknown room or name. */
  async remove(room: number, name: string, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('room.remove', { conversation: room, name }, options)
  }

  /** Gives a member another role. @throws {SealwireError} `not_permitted`; `not_found` also for who is no member. */
  async role(room: number, name: string, role: Role, options: CallOptions = {}): Promise<void> {
    await this.#calls.again('room.role', { conversation: room, name, role }, options)
  }

  /** Who is in a room, by name. */
  async *members(room: number, options: CallOptions = {}): AsyncGenerator<RoomMember, void, undefined> {
    for (let after: string | undefined; ; ) {
      const page = await this.#calls.again('room.members', { conversation: room, ...(after === undefined ? {} : { after }) }, options)
      yield* page.members
      after = page.members.at(-1)?.name
      if (!page.more || after === undefined) return
    }
  }
}

// Where an entry was said, as its line has it. An entry names its conversation by number alone: what that is the server is asked,
// once.

import { Recent } from '../../domain/recent.ts'
import type { ConversationInfo, Entry } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { placeLabel } from './place-label.ts'

/** Asks the server for a conversation, as `conversation.find` answers. */
type Find = (conversation: number) => Promise<Pick<ConversationInfo, 'kind' | 'title' | 'name'>>

/** Where something was said. */
export interface EntryPlace {
  /** Empty for what is said between two; else the title as chat shows it, or `#` and the number of a room, and a space. */
  readonly room: string
  /** To whom one has said it oneself, where it is between two. Not escaped. */
  readonly to?: string | undefined
}

export class EntryRooms {
  readonly #find: Find
  readonly #own: string
  readonly #known = new Recent<number, Known>(limitTable.inboxPlacesMax.value)

  /** For the account of the name `own`. */
  constructor(find: Find, own: string) {
    this.#find = find
    this.#own = own
  }

  /** @throws {SealwireError} what the server refuses to answer with; not `not_found`, which is a room that one is not in any more. */
  async placeOf(entry: Entry): Promise<EntryPlace> {
    if (entry.kind === 'contact') return { room: '' }
    const { room, peer } = await this.#knownOf(entry)
    return entry.from === this.#own ? { room, to: peer } : { room }
  }

  async #knownOf({ conversation, kind, title, what, about }: Entry): Promise<Known> {
    if (kind === 'room' && title !== undefined) return this.#learn(conversation, { room: `${placeLabel({ conversation, room: title })} ` })
    // Who is invited can be told more than before.
    const isChanged = kind === 'member' && what === 'invited' && about === this.#own
    const known = isChanged ? undefined : this.#known.find(conversation)
    return known ?? this.#learn(conversation, await this.#ask(conversation))
  }

  #learn(conversation: number, known: Known): Known {
    this.#known.add(conversation, known)
    return known
  }

  async #ask(conversation: number): Promise<Known> {
    try {
      const { kind, title, name } = await this.#find(conversation)
      return kind === 'direct' ? { room: '', peer: name } : { room: `${placeLabel({ conversation, room: title })} ` }
    } catch (reason) {
      // A conversation between two is there for ever.
      if (SealwireError.is(reason) && reason.code === 'not_found') return { room: `${placeLabel({ conversation })} ` }
      throw reason
    }
  }
}

/** A conversation: its label, and the other one of two. */
interface Known extends Pick<EntryPlace, 'room'> {
  readonly peer?: string | undefined
}

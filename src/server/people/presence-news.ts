// presence.changed: contacts who are here hear when somebody comes, goes, or is to be seen no more. Whoever stops showing
// themselves goes, for those who saw them: nobody can tell that from a broken line.

import type { Audience, Hearer } from '../messages/audience.ts'
import type { Participant } from '../classic/chats.ts'
import { shows } from '../people.ts'

/** Somebody as this knows them. */
export type Present = Pick<Participant, 'id' | 'name' | 'standing'>

export class PresenceNews {
  readonly #audience: Audience

  constructor(audience: Audience) {
    this.#audience = audience
  }

  /** The first session of an account is here. */
  came(me: Present): void {
    for (const id of this.#onlookers(me)) this.#tell(id, me, true)
  }

  /** The last one is gone. */
  went(me: Present): void {
    for (const id of this.#onlookers(me)) this.#tell(id, me, false)
  }

  /** Two accounts see each other from now on. */
  met(me: Present, others: Iterable<bigint>): void {
    const onlookers = new Set(this.#onlookers(me))
    for (const id of others) if (onlookers.has(id)) this.#tell(id, me, true)
  }

  /** Carries out a change of who sees `me`, who is here, and tells whoever sees the difference. */
  around(me: Present, change: () => void): void {
    const before = new Set(this.#onlookers(me))
    change()
    const after = new Set(this.#onlookers(me))
    for (const id of before) if (!after.has(id)) this.#tell(id, me, false)
    for (const id of after) if (!before.has(id)) this.#tell(id, me, true)
  }

  /** The contacts who are here and see `me`. */
  *#onlookers(me: Present): Iterable<bigint> {
    for (const id of me.standing.contacts) {
      const [hearer] = this.#audience.of(id)
      if (hearer !== undefined && sees(hearer, me)) yield id
    }
  }

  #tell(id: bigint, { name }: Present, here: boolean): void {
    this.#audience.tell(id, 'presence.changed', { name, here })
  }
}

function sees(hearer: Hearer, me: Present): boolean {
  return shows(me, hearer, 'presence')
}

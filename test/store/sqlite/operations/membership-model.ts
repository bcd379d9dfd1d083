// Who talks with whom and who is in which room, as plain objects: what the store has to agree with.

import type { Code } from '../../../../src/protocol/index.ts'
import type { Role } from '../../../../src/store/delivery.ts'

interface Person {
  role: Role
  invited: boolean
  since: number
}

/** What became of an operation: done, or refused with this code. */
export type Verdict = Code | undefined

export class MembershipModel {
  /** By `low-high`: whether they talk, and who asked. */
  readonly pairs = new Map<string, { state: 'requested' | 'accepted' | 'declined'; by: number }>()
  readonly rooms = new Map<number, Map<number, Person>>()

  request(by: number, peer: number): Verdict {
    if (by === peer) return 'is_self'
    const pair = this.pairs.get(keyOf(by, peer))
    if (pair === undefined || (pair.state === 'declined' && pair.by === peer)) this.pairs.set(keyOf(by, peer), { state: 'requested', by })
    else if (pair.state === 'declined') return 'busy'
    else if (pair.by === peer) pair.state = 'accepted'
    return undefined
  }

  answer(by: number, peer: number, accept: boolean): Verdict {
    const pair = this.pairs.get(keyOf(by, peer))
    const state = accept ? 'accepted' : 'declined'
    if (pair?.state === 'accepted') return accept ? undefined : 'no_request'
    if (pair?.by !== peer || (pair.state === 'declined' && accept)) return 'no_request'
    pair.state = state
    return undefined
  }

  part(by: number, peer: number): Verdict {
    const pair = this.pairs.get(keyOf(by, peer))
    if (pair === undefined || (pair.state === 'requested' && pair.by === peer)) return 'not_contact'
    if (pair.state === 'accepted') pair.by = peer
    pair.state = 'declined'
    return undefined
  }

  create(room: number, by: number, at: number): void {
    this.rooms.set(room, new Map([[by, { role: 'owner', invited: false, since: at }]]))
  }

  invite(room: number, by: number, peer: number, at: number): Verdict {
    const role = this.#joined(room, by)?.role
    if (role === undefined) return 'not_found'
    if (role === 'member') return 'not_permitted'
    if (this.pairs.get(keyOf(by, peer))?.state !== 'accepted') return 'not_contact'
    const members = this.rooms.get(room)
    if (members?.has(peer) === false) members.set(peer, { role: 'member', invited: true, since: at })
    return undefined
  }

  join(room: number, by: number, at: number): Verdict {
    const person = this.rooms.get(room)?.get(by)
    if (person === undefined) return 'not_found'
    if (person.invited) Object.assign(person, { invited: false, since: at })
    return undefined
  }

  leave(room: number, by: number): void {
    const members = this.rooms.get(room)
    const person = members?.get(by)
    if (members === undefined || person === undefined) return
    members.delete(by)
    const left = [...members].filter(([, { invited }]) => !invited)
    if (left.length === 0) this.rooms.delete(room)
    if (person.role !== 'owner') return
    const [heir] = left.toSorted(([id, one], [otherId, other]) => rank(other) - rank(one) || one.since - other.since || id - otherId)
    if (heir !== undefined) heir[1].role = 'owner'
  }

  remove(room: number, by: number, peer: number): Verdict {
    const role = this.#joined(room, by)?.role
    const other = this.rooms.get(room)?.get(peer)?.role
    if (role === undefined) return 'not_found'
    if (other === undefined) return undefined
    if (role === 'member' || other === 'owner' || (role === 'moderator' && other === 'moderator')) return 'not_permitted'
    this.rooms.get(room)?.delete(peer)
    return undefined
  }

  role(room: number, by: number, peer: number, role: Role): Verdict {
    const own = this.#joined(room, by)
    const other = this.rooms.get(room)?.get(peer)
    if (own === undefined || other === undefined) return 'not_found'
    if (!other.invited && other.role === role) return undefined
    if (own.role !== 'owner' || by === peer) return 'not_permitted'
    if (other.invited) return 'not_found'
    if (role === 'owner') own.role = 'moderator'
    other.role = role
    return undefined
  }

  /** As {@link Stage.members} says it. */
  members(room: number): readonly string[] {
    const members = [...(this.rooms.get(room) ?? [])].toSorted(([one], [other]) => one - other)
    return members.map(([id, { role, invited }]) => `a${id}:${invited ? 'invited' : role}`)
  }

  /** Names with states, as the list of contacts of an account has them. */
  contacts(of: number, accounts: number): readonly string[] {
    return Array.from({ length: accounts }, (_, index) => index + 1).flatMap((peer) => {
      const pair = this.pairs.get(keyOf(of, peer))
      if (pair === undefined || pair.state === 'declined') return []
      return [`a${peer}:${pair.state === 'accepted' ? 'accepted' : pair.by === of ? 'asked' : 'asking'}`]
    })
  }

  #joined(room: number, account: number): Person | undefined {
    const person = this.rooms.get(room)?.get(account)
    return person?.invited === false ? person : undefined
  }
}

function keyOf(one: number, other: number): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`
}

function rank({ role }: Person): number {
  return role === 'moderator' ? 1 : 0
}

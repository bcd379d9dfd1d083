// How far things have come: stored on a device, read, being typed. Marks are in the store; who is here and may know hears of
// them at once. Whoever hides them, or themselves, shows nothing: it looks as if nobody were there.

import { type Clock, TokenBucket } from '../../domain/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { ConversationRow, Privacy, Store } from '../../store/index.ts'
import type { Audience } from './audience.ts'
import type { Participant } from '../classic/chats.ts'
import { type Standpoint, shows } from '../people.ts'
import type { Standing } from '../people/presence.ts'
import { Recent } from '../../domain/recent.ts'

/** What marks work with. */
export interface MarksParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'monotonic' | 'now'>
  readonly limits: Pick<Limits, 'peersRememberedMax' | 'typingPerSecondMax'>
  readonly audience: Audience
}

/** The session whose account has stored, read or typed something. */
export type Marking = Pick<Participant, 'id' | 'name' | 'standing'>

/** Somewhere in a conversation. */
export interface Place {
  readonly conversationId: bigint
  readonly seq: bigint
}

/** In a larger room nobody is told who types or how far others have read. */
const roomMembersToldMax = BigInt(limitTable.roomMembersToldMax.value)
const nobody: readonly bigint[] = Object.freeze([])

export class Marks {
  readonly #parts: MarksParts
  /** Both accounts of direct conversations in which they have talked. Whether they still do is in memory. */
  readonly #pairs: Recent<bigint, readonly bigint[]>
  /** One for each account that is here. */
  readonly #typing = new WeakMap<Standing, TokenBucket>()

  constructor(parts: MarksParts) {
    this.#parts = parts
    this.#pairs = new Recent(parts.limits.peersRememberedMax)
  }

  /** A device of theirs has stored its inbox up to `seq`. @throws {SealwireError} those of the store. */
  async acknowledge(me: Marking, device: string, seq: bigint): Promise<void> {
    const { store, clock } = this.#parts
    for (let isMore = true; isMore; ) {
      const { delivered, more } = await store.run('inbox.ack', { accountId: me.id, device, seq, at: BigInt(clock.now()) })
      isMore = more
      if (isSilent(me, 'delivered')) continue
      // Of rooms nobody is told: every message would cost as many marks as there are pairs of members.
      for (const place of delivered) await this.#tell(me, place, 'delivered')
    }
  }

  /**
   * Answers up to where it is read now. Who has no inbox to acknowledge `settles` it with that.
   * @throws {SealwireError} `not_found`; those of the store.
   */
  async read(me: Marking, { conversationId, seq }: Place, settles = false): Promise<bigint> {
    const mark = await this.#parts.store.run('mark.read', { accountId: me.id, conversationId, seq, settles })
    if (mark === undefined) throw noConversation()
    if (!mark.changed) return mark.readSeq
    const data = { conversation: Number(conversationId), name: me.name, readSeq: Number(mark.readSeq) }
    this.#parts.audience.tell(me.id, 'mark.changed', data, me)
    if (!isSilent(me, 'read')) await this.#tell(me, { conversationId, seq: mark.readSeq }, 'read')
    return mark.readSeq
  }

  /** What is too often is not passed on. @throws {SealwireError} `not_found`; those of the store. */
  async typing(me: Marking, conversationId: bigint): Promise<void> {
    const others = await this.#others(me, conversationId)
    if (others === undefined) throw noConversation()
    if (isSilent(me, 'typing') || !this.#mayType(me)) return
    const data = { conversation: Number(conversationId), name: me.name }
    for (const id of this.#whoMayKnow(me, others, ['presence', 'typing'])) this.#parts.audience.tell(id, 'presence.typing', data)
  }

  async #tell(me: Marking, { conversationId, seq }: Place, what: 'delivered' | 'read'): Promise<void> {
    const others = (await this.#others(me, conversationId, what === 'read')) ?? nobody
    const how = what === 'read' ? { readSeq: Number(seq) } : { deliveredSeq: Number(seq) }
    const data = { conversation: Number(conversationId), name: me.name, ...how }
    for (const id of this.#whoMayKnow(me, others, [what])) this.#parts.audience.tell(id, 'mark.changed', data)
  }

  #whoMayKnow(me: Standpoint, others: readonly bigint[], what: readonly (keyof Privacy)[]): readonly bigint[] {
    return others.filter((id) => {
      const [hearer] = this.#parts.audience.of(id)
      return hearer !== undefined && what.every((each) => shows(me, hearer, each))
    })
  }

  /** Who is in a conversation beside `me`, if it is one in which such things are told; undefined when `me` is not in it. */
  async #others(me: Standpoint, id: bigint, alsoInRooms = true): Promise<readonly bigint[] | undefined> {
    const { store } = this.#parts
    const pair = this.#pairs.find(id)
    const peers = pair?.includes(me.id) ? pair.filter((each) => each !== me.id) : undefined
    if (peers?.every((each) => me.standing.contacts.has(each))) return peers
    const row = await store.run('conversation.find', { accountId: me.id, id })
    if (row === undefined || row.state !== 'accepted') return row && nobody
    if (row.kind === 'room') return alsoInRooms ? this.#othersInRoom(me, row) : nobody
    if (row.peer === undefined) return nobody
    this.#pairs.add(id, [me.id, row.peer.id])
    return [row.peer.id]
  }

  async #othersInRoom(me: Standpoint, { id, members }: ConversationRow): Promise<readonly bigint[]> {
    if (members > roomMembersToldMax) return nobody
    const all = (await this.#parts.store.run('conversation.members', { accountId: me.id, id })) ?? nobody
    return all.filter((each) => each !== me.id)
  }

  #mayType({ standing }: Standpoint): boolean {
    const now = this.#parts.clock.monotonic()
    const { typingPerSecondMax: rate } = this.#parts.limits
    const known = this.#typing.get(standing)
    const bucket = known ?? new TokenBucket(rate, rate, now)
    if (known === undefined) this.#typing.set(standing, bucket)
    return bucket.take(now)
  }
}

/** Nobody may know. */
function isSilent({ standing }: Standpoint, what: keyof Privacy): boolean {
  return standing.visibility === 'nobody' || !standing.privacy[what]
}

function noConversation(): SealwireError {
  return new SealwireError('not_found', 'there is no such conversation')
}

// What one device says at a stretch in a direct conversation: messages that stand next to each other in a group of the store.
// They share what decides about them, read once, and what counts them, written once, before anything else looks at it. Each
// keeps its own place, its own answer and its own refusal.

import { mayPost } from '../../../domain/permissions.ts'
import { SealwireError } from '../../../protocol/errors.ts'
import type { NewEntry, Posted } from '../../delivery.ts'
import type { Request, StoreLimits } from '../../store.ts'
import type { Database, Deferred } from '../database.ts'
import { keyOf } from './entry-key.ts'
import { dropUpTo, findFullness, type Fullness, putIn, setFullness, surplus } from './inbox-fill.ts'
import { addWaiting, insertEntry, nextPlace, repeatedPost, setLastSeq, sizeOf } from './post.ts'
import { requireSame } from './repetition.ts'
import { countSaid, maySay, requireMaySay } from './said-bytes.ts'
import { hasRoomFor, requireRoomFor, type Standing, type Waiting } from './standing.ts'

/** An inbox that gets everything of the stretch. */
interface Recipient {
  readonly accountId: bigint
  inbox: Fullness
}

export class Stretch implements Deferred {
  readonly #database: Database
  readonly #limits: StoreLimits
  readonly #first: NewEntry
  readonly #standing: Standing
  readonly #recipients: readonly Recipient[]
  #said = 0n
  #bytes = 0n

  private constructor(database: Database, first: NewEntry, standing: Standing, limits: StoreLimits) {
    this.#database = database
    this.#limits = limits
    this.#first = first
    this.#standing = standing
    const { peerId, blockerId, hasOthers } = standing
    const accounts = [...(peerId === undefined || peerId === blockerId ? [] : [peerId]), ...(hasOthers ? [first.accountId] : [])]
    this.#recipients = accounts.map((accountId) => ({ accountId, inbox: findFullness(database, accountId) }))
  }

  /** Whether this is a message that a stretch can begin with. */
  static fits(standing: Standing, { kind, file }: NewEntry): boolean {
    return kind === 'message' && file === undefined && standing.kind === 'direct' && standing.isAccepted && mayPost(standing, kind, true)
  }

  /** Says the first one. @throws {SealwireError} as {@link say}. */
  static begin(database: Database, first: NewEntry, standing: Standing, limits: StoreLimits): Posted {
    const stretch = new Stretch(database, first, standing, limits)
    database.defer(stretch)
    return stretch.say(first)
  }

  covers({ name, input }: Request): boolean {
    if (name !== 'entry.post') return false
    const { accountId, device, conversationId, peerId } = this.#first
    return (
      input.accountId === accountId &&
      input.device === device &&
      input.conversationId === conversationId &&
      input.peerId === peerId &&
      input.kind === 'message' &&
      input.file === undefined
    )
  }

  /** @throws {SealwireError} `conflict`, `quota_exceeded`; then nothing has happened. */
  say(input: NewEntry): Posted {
    const size = sizeOf(input)
    const isAllowed = hasRoomFor(size, this.#waiting, this.#limits) && maySay(this.#saidBytes, size, this.#limits)
    return (isAllowed ? this.#post(input, size) : undefined) ?? this.#repeat(input, size)
  }

  write(): void {
    const { conversationId, lastSeq, peerId } = this.#standing
    if (this.#said === 0n) return
    countSaid(this.#database, this.#first.accountId, this.#bytes)
    setLastSeq(this.#database, conversationId, lastSeq + this.#said, this.#first.at)
    for (const { accountId, inbox } of this.#recipients) {
      setFullness(this.#database, accountId, inbox)
      if (accountId === peerId) addWaiting(this.#database, conversationId, peerId, this.#said)
    }
  }

  get #waiting(): Waiting {
    const { waiting, waitingInAll, bytesInAll, peerId, blockerId } = this.#standing
    if (peerId === blockerId) return this.#standing
    return { waiting: waiting + this.#said, waitingInAll: waitingInAll + this.#said, bytesInAll: bytesInAll + this.#bytes }
  }

  get #saidBytes(): bigint {
    return this.#standing.saidBytes + this.#bytes
  }

  /** Undefined, and nothing has happened, when there is something under this id. */
  #post(input: NewEntry, size: bigint): Posted | undefined {
    const { conversationId, lastSeq, blockerId: hiddenFrom } = this.#standing
    const seq = nextPlace(lastSeq + this.#said)
    const { accountId: authorId, id, kind, device, at, type, body, data } = input
    const key = keyOf(conversationId, seq)
    if (!insertEntry(this.#database, key, { conversationId, authorId, id, kind, device, at, type, body, data, hiddenFrom }))
      return undefined
    this.#said++
    this.#bytes += size
    for (const recipient of this.#recipients)
      recipient.inbox = putIn(this.#database, recipient.accountId, recipient.inbox, { key, at, size })
    const deliveries = this.#recipients.map(({ accountId, inbox }) => ({ accountId, inboxSeq: inbox.lastSeq }))
    this.#dropSurplus()
    return { conversationId, seq, at, repeated: false, deliveries }
  }

  /** Of an inbox that is too full the oldest entries leave; the stretch is over then. */
  #dropSurplus(): void {
    for (const { accountId, inbox } of this.#recipients) {
      const seq = surplus(this.#database, accountId, inbox, this.#limits)
      if (seq <= inbox.goneSeq) continue
      this.#database.settle()
      dropUpTo(this.#database, accountId, seq)
    }
  }

  #repeat(input: NewEntry, size: bigint): Posted {
    const known = repeatedPost(this.#database, input.accountId, input.id)
    if (known !== undefined) {
      requireSame(this.#database, input, known, this.#standing)
      return known.posted
    }
    requireRoomFor(size, { ...this.#standing, ...this.#waiting }, this.#limits)
    requireMaySay(this.#saidBytes, size, this.#limits)
    throw new SealwireError('internal', 'internal error', { cause: 'an id is taken by nothing' })
  }
}

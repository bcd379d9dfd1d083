// How two clients find each other for a link of their own (direct.md): who takes offers, who is told of one, and who may know
// with which devices. An offer goes from session to session and nothing of it is kept. Whether two may is in memory for those
// who are here (people.ts), so that an offer that nobody is told of costs the same whatever the reason, and waits for nothing.

import type { Clock, TokenBucket } from '../domain/index.ts'
import { encodeEvent, type Params } from '../protocol/contract/index.ts'
import { frameBodyBytesLimit, SealwireError } from '../protocol/index.ts'
import type { Device, Store } from '../store/index.ts'
import type { Hearer } from './messages/audience.ts'
import type { Participant } from './classic/chats.ts'
import { type DirectDevice, DirectWatches } from './direct/watches.ts'
import { cutOff } from './people.ts'
import { offerTokens } from './people/presence.ts'

/** What direct links work with. */
export interface DirectParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly directWatchedMax: number
}

/** A session that can have a part in direct links. */
export interface DirectSession extends Hearer, Pick<Participant, 'name' | 'key'> {
  /** Rate of the account, shared by its sessions. */
  readonly offers: TokenBucket
}

/** An offer, and the device whose sessions are meant; without one it is for all. */
export type DirectOffer = Omit<Params<'direct.offer'>, 'to'>

export class Direct {
  readonly #parts: DirectParts
  /** Sessions that take offers, by account key. */
  readonly #listening = new Map<string, Map<DirectSession, string>>()
  readonly #watches: DirectWatches<DirectSession>

  constructor(parts: DirectParts) {
    this.#parts = parts
    this.#watches = new DirectWatches(parts.directWatchedMax)
  }

  /** A session of this device takes offers from now on, or does not any more. */
  listen(me: DirectSession, device: string, on: boolean): void {
    if (!on) return this.#deafen(me)
    const listening = this.#listening.get(me.key) ?? new Map<DirectSession, string>()
    this.#listening.set(me.key, listening.set(me, device))
  }

  /**
   * Tells the sessions of another account that take offers, if the two may; returns how many those were.
   * @throws {SealwireError} `rate_limited`.
   */
  offer(me: DirectSession, from: string, key: string, { device, token, candidates }: DirectOffer): number {
    if (!me.offers.take(this.#parts.clock.monotonic(), offerTokens)) {
      throw new SealwireError('rate_limited', 'too many offers of direct links, try again in a minute')
    }
    const listening = [...(this.#listening.get(key) ?? [])]
    const wanted = listening.filter(([other, its]) => mayLink(me, other) && other.keepsUp && (device ?? its) === its)
    if (wanted.length === 0) return 0
    const body = encodeEvent('direct.offered', { from: me.name, device: from, token, candidates })
    for (const [other] of wanted) other.hear(body)
    return wanted.length
  }

  /**
   * The devices of an account that may make direct links, the newest first. The session is told of each when it may not any more.
   * @throws {SealwireError} `not_found` unless it is the own account or one with which the two may; those of the store.
   */
  devicesOf(me: DirectSession, key: string): Promise<DirectDevice[]> {
    const { store, clock } = this.#parts
    return this.#watches.ask(me, key, async () => {
      const devices = await store.run('device.listFor', { accountId: me.id, key, at: BigInt(clock.now()) })
      return devices?.slice(0, answerMax).map(listed)
    })
  }

  /** A device was revoked. */
  revoked(key: string, device: string): void {
    this.#watches.revoked(key, device)
  }

  /** An account was banned. */
  banned(key: string): void {
    this.#watches.over(key)
  }

  /** One of two accounts blocks the other, or ends that they are contacts. */
  part(one: string, other: string): void {
    this.#watches.over(one, other)
    this.#watches.over(other, one)
  }

  /** A session is over. */
  leave(session: DirectSession): void {
    this.#deafen(session)
    this.#watches.leave(session)
  }

  #deafen(session: DirectSession): void {
    const listening = this.#listening.get(session.key)
    listening?.delete(session)
    if (listening?.size === 0) this.#listening.delete(session.key)
  }
}

/** Both have agreed to talk, and neither blocks the other. */
function mayLink(one: DirectSession, other: DirectSession): boolean {
  return one.standing.contacts.has(other.id) && other.standing.contacts.has(one.id) && !cutOff(one, other)
}

/** Devices in one answer: each takes less than 128 bytes, and so does what is around them. */
const answerMax = Math.floor(frameBodyBytesLimit / 128) - 1

function listed({ id, spkiHash, ed25519 }: Device): DirectDevice {
  return { device: id, spki: spkiHash, ...(ed25519 === undefined ? {} : { ed25519 }) }
}

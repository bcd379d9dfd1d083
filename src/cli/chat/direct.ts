// Direct links in a chat: how one talks with somebody is told when it changes for good, and noted for `status`; and what becomes of
// messages that go that way.

import type { Direct, DirectDelivery, Placed, WayTo } from '../../client/direct/direct.ts'
import type { DirectNote, NotedWay } from '../../client/home/direct-ways.ts'
import { nameKey } from '../../domain/case-fold.ts'
import { Recent } from '../../domain/recent.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { DirectNews } from './direct-news.ts'
import { isSettled, namedWay } from './direct-words.ts'
import type { Talker } from './talker.ts'

export interface ChatDirectParts {
  readonly direct: Direct
  readonly me: Pick<Talker, 'state'>
  readonly tell: (news: DirectNews) => void
  /** Whether one talks with that person. */
  readonly isAbout: (name: string) => boolean
  /** Takes the place of what came directly. */
  readonly placed: (placed: Placed) => void
  /** Default: nothing is noted. */
  readonly note?: Pick<DirectNote, 'write'> | undefined
  /** Whether a program reads what is told: it is told of everybody. Default: false. */
  readonly json?: boolean
}

export class ChatDirect {
  readonly #parts: ChatDirectParts
  /** With whom one talks how, by name. */
  readonly #ways = new Map<string, NotedWay>()
  /** What was told last of whom. */
  readonly #told = new Recent<string, NotedWay>(waysMax)
  readonly #delivered = new Recent<string, true>(limitTable.chatDirectMax.value)

  constructor(parts: ChatDirectParts) {
    this.#parts = parts
  }

  /** With whom one talks how, or tries to. */
  get ways(): readonly NotedWay[] {
    return [...this.#ways.values()]
  }

  /** Follows what happens until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { direct, placed } = this.#parts
    await Promise.all([
      each(direct.ways({ signal }), (way) => this.#changed(way)),
      each(direct.deliveries({ signal }), (delivery) => this.#deliver(delivery)),
      each(direct.placed({ signal }), (place) => {
        this.#parts.tell({ event: 'placed', ...place })
        placed(place)
      }),
    ])
  }

  /** One talks with somebody from now on. How is told again, if it is known. */
  begun(name: string): void {
    const { direct } = this.#parts
    direct.reach(name)
    this.#told.add(nameKey(name), { name, way: 'relayed', why: 'off' })
    this.#notice(namedWay(name, direct.way(name)))
  }

  /** One wants nothing of somebody any more. */
  leave(name: string): void {
    this.#parts.direct.leave(name)
  }

  #changed({ name, way }: WayTo): void {
    const now = namedWay(name, way)
    this.#ways.delete(nameKey(name))
    if (now.why !== 'off') this.#ways.set(nameKey(name), now)
    const [oldest] = this.#ways.keys()
    if (oldest !== undefined && this.#ways.size > waysMax) this.#ways.delete(oldest)
    this.#note()
    if (this.#parts.json === true || this.#parts.isAbout(name)) this.#notice(now)
  }

  /** While a link is made nothing is told, unless there was one. */
  #notice(now: NotedWay): void {
    const before = this.#told.find(nameKey(now.name))
    const isNews = isSettled(now) ? before?.way !== now.way || before.why !== now.why : before?.way === 'direct'
    if (!isNews) return
    this.#told.add(nameKey(now.name), now)
    this.#parts.tell({ event: 'way', ...now })
  }

  /** What cannot be noted is missing in `status`, and that is all. */
  #note(): void {
    try {
      this.#parts.note?.write(this.ways)
    } catch {
      // As above.
    }
  }

  /** Several devices may have it: people are told once. */
  #deliver(delivery: DirectDelivery): void {
    const isWaiting = this.#parts.me.state !== 'online' && this.#delivered.find(delivery.id) === undefined
    this.#delivered.add(delivery.id, true)
    this.#parts.tell({ event: 'delivered', ...delivery, isWaiting })
  }
}

async function each<T>(values: AsyncIterable<T>, take: (value: T) => void | Promise<void>): Promise<void> {
  for await (const value of values) await take(value)
}

const waysMax = limitTable.directWaysMax.value

// The part of a Sealwire that makes direct links: who is met where (meetings.ts), what is said (talk.ts), paid (direct-pay.ts).

import type { X509Certificate } from 'node:crypto'
import type { ParsedEvent } from '../../protocol/contract/index.ts'
import type { Checksum, SealwireError } from '../../protocol/index.ts'
import type { CallOptions } from '../calls.ts'
import { Broadcast } from '../feed.ts'
import type { Disk } from '../files.ts'
import type { DirectOrders } from '../payments/live.ts'
import type { LoggedIn } from '../uplink.ts'
import type { DirectDelivery, DirectOptions, HeldOrder, Placed, WayTo } from './direct.ts'
import { DirectFiles } from './direct-files.ts'
import { DirectPay, type DirectPayParts } from './direct-pay.ts'
import type { HeardStore } from './heard-store.ts'
import { Meetings } from './meetings.ts'
import type { MeetingsParts } from './meetings-parts.ts'
import type { DirectCore, DirectPart } from './part.ts'
import type { PeerAnswers, PeerLink } from './peer-link.ts'
import { DirectTalk } from './talk.ts'
import type { Way } from './ways.ts'

/** What is this installation's own: its keys, its sockets, and where it keeps things. */
export interface DirectPlace extends Pick<MeetingsParts, 'identity' | 'listen' | 'dial'>, Pick<DirectPayParts, 'ledgerKey'> {
  readonly authorities: () => readonly X509Certificate[]
  readonly heard: HeardStore
  readonly orders: DirectPayParts['store']
  readonly handed: DirectPayParts['handed']
  readonly disk: Disk
  readonly checksum: Checksum
}

export class DirectLinks implements DirectPart {
  readonly talk: DirectTalk
  readonly files: DirectFiles
  readonly #pay: DirectPay
  readonly #meetings: Meetings
  readonly #ways: Broadcast<WayTo>
  /** By name, the one that changed longest ago first. */
  readonly #known = new Map<string, Way>()
  readonly #core: DirectCore
  #me: LoggedIn | undefined

  constructor(
    { host, port, announce }: DirectOptions,
    { heard, orders, handed, ledgerKey, disk, ...place }: DirectPlace,
    core: DirectCore,
  ) {
    const { calls, clock, limits, fill, random, session, inbox } = core
    this.#core = core
    this.#ways = new Broadcast(limits.clientLiveEventsMax)
    this.talk = new DirectTalk({
      ...{ heard, limits, clock, inbox },
      find: (name) => calls.again('conversation.find', { name }),
      inboxEnd: async () => (await calls.once('inbox.open', {})).lastSeq,
      me: () => this.#me,
    })
    this.files = new DirectFiles({ clock, limits, disk, links: (name) => this.#meetings.links(name) })
    this.#pay = new DirectPay({
      ...{ clock, limits, calls, ledgerKey },
      online: () => session() !== undefined,
      name: () => this.#me?.name ?? '',
      links: (name) => this.#meetings.links(name),
      ...{ store: orders, handed },
    })
    this.#meetings = new Meetings({
      ...{ ...place, clock, limits, fill, random, host, port, announce },
      call: (method, params) => calls.once(method, params),
      answers: this.#answers(),
      linked: (link) => this.#linked(link),
      changed: (name, way) => this.#changed(name, asTold(way)),
    })
  }

  /** A payment has its place in the conversation, which what is said next comes behind. */
  get orders(): DirectOrders {
    const { order, ...others } = this.#pay.orders
    const carryOut: DirectOrders['order'] = async (params, options, made) => {
      const done = await order(params, options, made)
      if (this.#core.session() !== undefined) this.talk.doubt(made.payee)
      return done
    }
    return { ...others, order: carryOut }
  }

  reach(name: string): void {
    this.#meetings.reach(name)
  }

  leave(name: string): void {
    this.#meetings.leave(name)
  }

  way(name: string): Way {
    return asTold(this.#meetings.wayTo(name))
  }

  ways({ signal }: CallOptions = {}): AsyncIterableIterator<WayTo> {
    return this.#ways.read(
      signal,
      [...this.#known].map(([name, way]) => ({ name, way })),
    )
  }

  deliveries({ signal }: CallOptions = {}): AsyncIterableIterator<DirectDelivery> {
    return this.talk.deliveries.read(signal)
  }

  placed({ signal }: CallOptions = {}): AsyncIterableIterator<Placed> {
    return this.talk.placed.read(signal)
  }

  held(options: CallOptions = {}): AsyncIterableIterator<HeldOrder> {
    return this.#pay.held(options)
  }

  online(session: LoggedIn): void {
    this.#me = session
    this.#meetings.online(session)
    this.#pay.online()
  }

  offline(): void {
    this.#meetings.offline()
  }

  event(event: ParsedEvent): void {
    this.#meetings.event(event)
  }

  wake(): void {
    this.#meetings.wake()
  }

  async close(reason: SealwireError | undefined): Promise<void> {
    this.#ways.end(reason)
    this.#pay.close(reason)
    await this.#meetings.close()
    await this.talk.end(reason)
  }

  #answers(): PeerAnswers {
    return {
      'direct.say': (params, link) => this.talk.hear(params, link),
      'direct.pay': (params, link) => this.#pay.take(params, link),
      'direct.file': (params, link) => this.files.answer(params, link),
    }
  }

  #linked(link: PeerLink): void {
    this.talk.linked(link)
    this.#pay.linked(link)
  }

  #changed(name: string, way: Way): void {
    this.#known.delete(name)
    this.#known.set(name, way)
    const [oldest] = this.#known.keys()
    if (this.#known.size > this.#core.limits.directWaysMax && oldest !== undefined) this.#known.delete(oldest)
    this.#ways.push({ name, way })
  }
}

/** Who is blocked shall not tell: it looks as if nobody took offers. */
function asTold(way: Way): Way {
  return way.way === 'relayed' && way.why === 'not_contact' ? { way: 'relayed', why: 'not_listening' } : way
}

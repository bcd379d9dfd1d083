// Direct links that a test makes and breaks by hand, and people who have them.

import type { Direct, DirectDelivery, HeldOrder, Placed, WayTo } from '../../../src/client/direct/direct.ts'
import type { Way, WhyRelayed } from '../../../src/client/direct/ways.ts'
import { Broadcast } from '../../../src/client/feed.ts'
import type { CallOptions, Sealwire } from '../../../src/client/index.ts'
import type { Talker } from '../../../src/cli/chat/talker.ts'

export class DirectDouble implements Direct {
  readonly reached: string[] = []
  readonly left: string[] = []
  readonly #ways = new Map<string, Way>()
  readonly #changes = new Broadcast<WayTo>(100)
  readonly #deliveries = new Broadcast<DirectDelivery>(100)
  readonly #placed = new Broadcast<Placed>(100)
  readonly #held = new Broadcast<HeldOrder>(100)

  reach(name: string): void {
    this.reached.push(name)
  }

  leave(name: string): void {
    this.left.push(name)
  }

  way(name: string): Way {
    return this.#ways.get(name) ?? { way: 'relayed', why: 'off' }
  }

  ways({ signal }: CallOptions = {}): AsyncIterableIterator<WayTo> {
    return this.#changes.read(
      signal,
      [...this.#ways].map(([name, way]) => ({ name, way })),
    )
  }

  deliveries({ signal }: CallOptions = {}): AsyncIterableIterator<DirectDelivery> {
    return this.#deliveries.read(signal)
  }

  placed({ signal }: CallOptions = {}): AsyncIterableIterator<Placed> {
    return this.#placed.read(signal)
  }

  held({ signal }: CallOptions = {}): AsyncIterableIterator<HeldOrder> {
    return this.#held.read(signal)
  }

  /** How one talks with somebody from now on. */
  turn(name: string, how: 'direct' | WhyRelayed): void {
    const way: Way = how === 'direct' ? { way: 'direct', devices: ['d1'] } : { way: 'relayed', why: how }
    this.#ways.set(name, way)
    this.#changes.push({ name, way })
  }

  deliver(delivery: DirectDelivery): void {
    this.#deliveries.push(delivery)
  }

  place(placed: Placed): void {
    this.#placed.push(placed)
  }

  hold(order: HeldOrder): void {
    this.#held.push(order)
  }
}

/** Somebody with direct links. `changes` are other things that are as the test says. */
export function withDirect(me: Sealwire, direct: Direct, changes: Partial<Talker> = {}): Talker {
  const wrapped: Talker = new Proxy(me, {
    get(_, name) {
      if (name === 'direct' || name === 'handed') return direct
      const value: unknown = name in changes ? Reflect.get(changes, name) : Reflect.get(me, name, me)
      return typeof value === 'function' ? (value.bind(me) as unknown) : value
    },
  })
  return wrapped
}

// A contact with whom there is a wish for a link, a link, or an attempt at one.

import { nameKey } from '../../domain/case-fold.ts'
import type { PeerDevice, PeerLink } from './peer-link.ts'
import type { ListedDevice } from './rendezvous.ts'
import type { Way, WhyRelayed } from './ways.ts'
import type { Wish } from './wish.ts'

/** A link that is up. */
export interface Linked {
  readonly link: PeerLink
  /** In ms of the monotonic clock. */
  readonly since: number
}

export class Partner {
  /** The form of the name by which accounts are found. */
  readonly key: string
  wish: Wish | undefined
  /** By device. */
  readonly links = new Map<string, Linked>()
  /** Tries and attempts that are not over. */
  readonly underWay = new Set<object>()
  /** What was told of it last. */
  told: Way = off
  #name: string
  #isNamed = false
  /** By the hash of its key. */
  #devices: ReadonlyMap<string, PeerDevice> = new Map()
  #why: WhyRelayed | undefined

  constructor(name: string) {
    this.#name = name
    this.key = nameKey(name)
  }

  get name(): string {
    return this.#name
  }

  /** Whether the name is known as its owner wrote it. */
  get isNamed(): boolean {
    return this.#isNamed
  }

  /** There is nothing left to remember. */
  get isIdle(): boolean {
    return this.wish === undefined && this.links.size === 0 && this.underWay.size === 0
  }

  /** A link is wished for, there is none, and none is being made. */
  get isWaiting(): boolean {
    return this.wish !== undefined && this.links.size === 0 && this.underWay.size === 0
  }

  /** The devices that may be at the other end, by the hash of their key. */
  get devices(): ReadonlyMap<string, PeerDevice> {
    return this.#devices
  }

  named(name: string): void {
    this.#name = name
    this.#isNamed = true
  }

  device(id: string): PeerDevice | undefined {
    return [...this.#devices.values()].find(({ device }) => device === id)
  }

  /** From now on these, and no others. Returns the ids of those that are none any more. */
  list(devices: readonly ListedDevice[]): readonly string[] {
    const before = [...this.#devices.values()].map(({ device }) => device)
    this.#devices = new Map(devices.map((each) => [each.spki, { name: this.#name, ...each }]))
    return [...before, ...this.links.keys()].filter((id) => this.device(id) === undefined)
  }

  /** Why something that was under way has come to nothing. Of several reasons the gravest counts. */
  blame(why: WhyRelayed | undefined): void {
    if (why !== undefined && gravityOf(why) >= gravityOf(this.#why)) this.#why = why
  }

  /** Nothing is under way any more: why, since the last time. */
  settle(): WhyRelayed | undefined {
    const why = this.#why
    this.#why = undefined
    return why
  }

  /** How one talks with them now. */
  way(isServerHere: boolean): Way {
    if (this.links.size > 0) return { way: 'direct', devices: [...this.links.keys()] }
    if (this.wish === undefined) return off
    if (!isServerHere) return { way: 'relayed', why: 'offline' }
    return { way: 'relayed', why: this.underWay.size > 0 ? 'connecting' : this.wish.why }
  }
}

function gravityOf(why: WhyRelayed | undefined): number {
  return why === 'untrusted' ? 2 : why === 'unreachable' ? 1 : 0
}

export const off: Way = Object.freeze({ way: 'relayed', why: 'off' })

/** Whether the two say the same. */
export function sameWay(one: Way, other: Way): boolean {
  if (one.way === 'relayed') return other.way === 'relayed' && one.why === other.why
  return other.way === 'direct' && one.devices.join() === other.devices.join()
}

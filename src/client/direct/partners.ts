// All partners. There are no more of them than wishes, links, and what the rate of offers lets be under way.

import { nameKey } from '../../domain/case-fold.ts'
import type { Limits } from '../../protocol/limits.ts'
import { off, Partner, sameWay } from './partner.ts'
import type { Way } from './ways.ts'
import type { Wish } from './wish.ts'

export interface PartnersParts {
  readonly limits: Pick<Limits, 'directWishesMax'>
  readonly isServerHere: () => boolean
  /** One talks with somebody in another way than before. */
  changed(name: string, way: Way): void
}

export class Partners implements Iterable<Partner> {
  readonly #parts: PartnersParts
  /** By the key of their name; the one whose wish was renewed last is the last. */
  readonly #partners = new Map<string, Partner>()
  /** Keys of the names of those who are not to be linked with, the one who was left longest ago first. */
  readonly #shunned = new Set<string>()

  constructor(parts: PartnersParts) {
    this.#parts = parts
  }

  [Symbol.iterator](): Iterator<Partner> {
    return [...this.#partners.values()].values()
  }

  /** All links that there are. */
  get links(): number {
    return [...this].reduce((sum, { links }) => sum + links.size, 0)
  }

  find(name: string): Partner | undefined {
    return this.#partners.get(nameKey(name))
  }

  /** The one with this name, from now on if there was none. */
  of(name: string): Partner {
    const partner = this.find(name) ?? new Partner(name)
    this.#partners.set(partner.key, partner)
    return partner
  }

  /** Whose device this is, by the hash of its key. */
  owner(spki: string): Partner | undefined {
    return [...this].find(({ devices }) => devices.has(spki))
  }

  /** Wishes for a link with somebody, or goes on doing so. Of too many wishes the one that was renewed longest ago ends. */
  wish(name: string, make: () => Wish): void {
    const partner = this.of(name)
    this.#shunned.delete(partner.key)
    this.#partners.delete(partner.key)
    this.#partners.set(partner.key, partner)
    if (partner.wish !== undefined) return
    partner.wish = make()
    this.tell(partner)
    const wished = [...this].filter(({ wish }) => wish !== undefined)
    if (wished.length > this.#parts.limits.directWishesMax && wished[0] !== undefined) this.unwish(wished[0])
  }

  unwish(partner: Partner): void {
    partner.wish = undefined
    this.tell(partner)
  }

  /** No links with somebody, until one is wished for. */
  shun(name: string): void {
    const key = nameKey(name)
    this.#shunned.delete(key)
    this.#shunned.add(key)
    const [oldest] = this.#shunned
    if (this.#shunned.size > this.#parts.limits.directWishesMax && oldest !== undefined) this.#shunned.delete(oldest)
  }

  isShunned(key: string): boolean {
    return this.#shunned.has(key)
  }

  /** The wish whose turn it is: of those that are due whichever has failed least, else the one that is due first. */
  next(now: number): { readonly partner: Partner; readonly wish: Wish } | undefined {
    const wishes = [...this].flatMap((partner) =>
      partner.isWaiting && partner.wish !== undefined ? [{ partner, wish: partner.wish }] : [],
    )
    const due = wishes.filter(({ wish }) => wish.dueAt <= now).sort((one, other) => one.wish.failures - other.wish.failures)
    return due[0] ?? wishes.sort((one, other) => one.wish.dueAt - other.wish.dueAt)[0]
  }

  wayTo(name: string): Way {
    return this.find(name)?.way(this.#parts.isServerHere()) ?? off
  }

  /** Something may have changed with somebody: tells it, and forgets whom there is nothing to remember of. */
  tell(partner: Partner): void {
    const way = partner.way(this.#parts.isServerHere())
    if (partner.isIdle && this.#partners.get(partner.key) === partner) this.#partners.delete(partner.key)
    if (sameWay(way, partner.told)) return
    partner.told = way
    this.#parts.changed(partner.name, way)
  }
}

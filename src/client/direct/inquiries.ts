// Which devices partners have: asked before each attempt, and for those with whom there is a link whenever the server may have
// stopped to tell of them: with another connection, or because it was asked for so many others since. A link that would come about
// meanwhile waits for the answer (`assure`).

import type { Clock, Timer } from '../../domain/clock.ts'
import type { Method, Params, Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Limits } from '../../protocol/limits.ts'
import type { Partner } from './partner.ts'
import type { Rendezvous } from './rendezvous.ts'
import type { WhyRelayed } from './ways.ts'

export interface InquiriesParts {
  readonly call: <M extends Method>(method: M, params: Params<M>) => Promise<Result<M>>
  readonly rendezvous: Rendezvous
  readonly clock: Clock
  readonly limits: Pick<Limits, 'directRetryMs' | 'directRaceMsMax'>
  /** These devices of theirs are good no more. */
  ended(partner: Partner, devices: readonly string[]): void
}

export class Inquiries {
  readonly #parts: InquiriesParts
  readonly #doubtful = new Set<Partner>()
  /** Under way for those who are about to be linked. */
  readonly #assuring = new Map<Partner, Promise<void>>()
  /** Of each question that is under way: what the server has told of meanwhile. */
  readonly #revoked = new Set<Set<string>>()
  #isAsking = false
  #retry: Timer | undefined

  constructor(parts: InquiriesParts) {
    this.#parts = parts
  }

  /** Asks which devices they have, and ends what is with others. @throws {SealwireError} what ends a call, and what the server refuses. */
  async ask(partner: Partner): Promise<void> {
    const { rendezvous } = this.#parts
    const revoked = new Set<string>()
    this.#revoked.add(revoked)
    try {
      const [devices, name] = await Promise.all([rendezvous.devices(partner.name, partner.key), this.#nameOf(partner)])
      partner.named(name)
      this.#parts.ended(partner, partner.list(devices.filter(({ device }) => !revoked.has(device))))
    } catch (reason) {
      if (whyNot(reason) === 'not_contact') this.#parts.ended(partner, partner.list([]))
      throw reason
    } finally {
      this.#revoked.delete(revoked)
    }
  }

  /** The server says so: also an answer that is on its way is without it. */
  revoked(device: string): void {
    for (const each of this.#revoked) each.add(device)
  }

  /**
   * Before a link: which devices they have is known from the server as of now. That is so while it tells of their ends; else it is
   * asked, for no longer than a race lasts.
   * @throws {SealwireError} what ends a call, and what the server refuses; `unreachable` when it does not answer.
   */
  async assure(partner: Partner): Promise<void> {
    if (this.#isWatched(partner)) return
    const asking = this.#assuring.get(partner) ?? this.#ask(partner)
    this.#assuring.set(partner, asking)
    await asking
    if (!this.#isWatched(partner)) throw unknown()
  }

  /** Of a linked one, soon: one after the other, and again what the server could not answer. */
  doubt(partner: Partner): void {
    this.#doubtful.add(partner)
    void this.#askAll()
  }

  /** There is nobody to ask any more. */
  stop(): void {
    this.#doubtful.clear()
    this.#retry?.cancel()
  }

  #isWatched({ key }: Partner): boolean {
    return this.#parts.rendezvous.watches(key)
  }

  async #ask(partner: Partner): Promise<void> {
    const { clock, limits } = this.#parts
    const late = Promise.withResolvers<never>()
    const timer = clock.after(limits.directRaceMsMax, () => late.reject(unknown()))
    try {
      await Promise.race([this.ask(partner), late.promise])
    } finally {
      timer.cancel()
      this.#assuring.delete(partner)
    }
  }

  /** As its owner wrote it. */
  async #nameOf({ name, isNamed }: Partner): Promise<string> {
    return isNamed ? name : ((await this.#parts.call('conversation.find', { name })).name ?? name)
  }

  async #askAll(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#retry?.cancel()
    for (const partner of this.#doubtful) {
      if (partner.links.size > 0 && !(await this.#isAsked(partner))) break
      this.#doubtful.delete(partner)
    }
    this.#isAsking = false
    const { clock, limits } = this.#parts
    if (this.#doubtful.size > 0) this.#retry = clock.after(limits.directRetryMs, () => void this.#askAll())
  }

  /** Whether there is an answer, whichever it is. */
  async #isAsked(partner: Partner): Promise<boolean> {
    try {
      await this.ask(partner)
      return true
    } catch (reason) {
      return whyNot(reason) === 'not_contact'
    }
  }
}

function unknown(): SealwireError {
  return new SealwireError('unreachable', 'whether the other device is still good is not known', { hint: 'a server has to say so' })
}

/** What the server's refusal means for a link. */
export function whyNot(reason: unknown): WhyRelayed {
  const { code } = SealwireError.from(reason)
  if (code === 'not_found' || code === 'name_invalid') return 'not_contact'
  // The server is there, and takes more offers in a minute.
  return code === 'rate_limited' ? 'connecting' : 'offline'
}

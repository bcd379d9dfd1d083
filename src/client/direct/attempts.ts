// The attempts that are under way: one a device, and the door is open for them.

import type { Clock } from '../../domain/clock.ts'
import type { ClientCertificate, DialledLink, PeerDialOptions } from '../../link/index.ts'
import { sameBytes } from '../../protocol/same-bytes.ts'
import { Attempt } from './attempt.ts'
import { type Candidate, parseCandidate } from './candidates.ts'
import type { Partner } from './partner.ts'
import { greetPeer } from './peer-greeting.ts'
import type { PeerDevice, PeerLink, PeerLinkParts } from './peer-link.ts'
import type { WhyRelayed } from './ways.ts'

/** With whom, and by which token. */
export interface AttemptStart {
  readonly partner: Partner
  readonly peer: PeerDevice
  readonly token: Uint8Array
  /** How long the token is good, in ms. */
  readonly lifeMs: number
}

export interface AttemptsParts {
  readonly peer: PeerLinkParts & { readonly clock: Clock }
  readonly identity: () => { readonly certificate: ClientCertificate; readonly spki: string }
  /** `dialPeer`. */
  readonly dial: (options: PeerDialOptions) => Promise<DialledLink>
  verify(certificate: Uint8Array, devices: { has(spki: string): boolean }): void
  /** Before anything is said. @throws {SealwireError} unless the device is still one of theirs as far as the server knows. */
  assure(start: AttemptStart): Promise<void>
  linked(start: AttemptStart, link: PeerLink): void
  ended(start: AttemptStart, attempt: PeerAttempt, why: WhyRelayed | undefined): void
}

export type PeerAttempt = Attempt<PeerLink>

export class Attempts {
  readonly #parts: AttemptsParts
  /** By device, the oldest first. */
  readonly #underWay = new Map<string, PeerAttempt>()

  constructor(parts: AttemptsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#underWay.size
  }

  /** The one with this device by this token. */
  find(device: string, token: Uint8Array): PeerAttempt | undefined {
    const attempt = this.#underWay.get(device)
    return attempt !== undefined && sameBytes(attempt.goal.token, token) ? attempt : undefined
  }

  /** The one before with the same device is over, and so is the oldest of too many. */
  start(start: AttemptStart): PeerAttempt {
    const { partner, peer, token, lifeMs } = start
    const { limits, clock } = this.#parts.peer
    const attempt: PeerAttempt = new Attempt(
      { token, theirs: peer.spki, ours: this.#parts.identity().spki, lifeMs },
      {
        clock,
        limits,
        greet: (candidate, signal) => this.#greet(start, candidate, signal),
        linked: (link) => this.#parts.linked(start, link),
        ended: (why) => {
          if (this.#underWay.get(peer.device) === attempt) this.#underWay.delete(peer.device)
          partner.underWay.delete(attempt)
          this.#parts.ended(start, attempt, why)
        },
      },
    )
    partner.underWay.add(attempt)
    const before = this.#underWay.get(peer.device)
    this.#underWay.delete(peer.device)
    this.#underWay.set(peer.device, attempt)
    before?.end(undefined)
    const [oldest] = this.#underWay.values()
    if (this.#underWay.size > limits.directAttemptsMax) oldest?.end('connecting')
    return attempt
  }

  /** That device is no good any more, or nobody wants it. */
  end(device: string, why: WhyRelayed | undefined): void {
    this.#underWay.get(device)?.end(why)
  }

  close(): void {
    for (const attempt of this.#underWay.values()) attempt.end(undefined)
  }

  async #greet(start: AttemptStart, told: Candidate, signal: AbortSignal): Promise<PeerLink> {
    const { peer, token } = start
    const { dial, identity, peer: parts } = this.#parts
    const { host, port } = parseCandidate(told)
    const assured = (): Promise<void> => this.#parts.assure(start)
    await assured()
    const link = await dial({
      host,
      port,
      identity: identity().certificate,
      verify: (certificate) => this.#parts.verify(certificate, new Set([peer.spki])),
      timeoutMs: parts.limits.directRaceMsMax,
      signal,
    })
    return greetPeer(link, { peer, token, signal, assured }, parts)
  }
}

// Who may connect, decided at TCP accept and before any TLS work is done for the stranger. What is counted here is
// counted by us, from accept to the moment the socket is gone, because the runtime would happily accept until it runs
// out of descriptors.

import { addressGroup, type Clock, TokenBucket } from '../domain/index.ts'
import type { Ticket } from '../link/index.ts'
import type { Limits } from '../protocol/index.ts'

/** A place for one connection. It counts as unauthenticated until `authenticated` is called. */
export interface ConnectionTicket extends Ticket {
  authenticated(): void
}

/** Facts of the machine that admission depends on; injected so that tests can be a small machine. */
export interface Machine {
  /** Descriptors this process may open, or `undefined` where the system does not say. */
  descriptorsMax(): number | undefined
  residentBytes(): number
  /** Uniform in [0, 1). */
  random(): number
}

/** Why a connection was dropped; counted, and logged once a second at most. */
export type Refusal = 'connections' | 'unauthenticated' | 'address' | 'address_rate' | 'handshake_rate' | 'memory' | 'echo'

interface AddressEntry {
  unauthenticated: number
  readonly rate: TokenBucket
}

/** Random early drop starts at this share of `connectionsUnauthenticatedMax`, new connections are shed at this share of memory. */
const earlyDropFrom = 0.6
const memoryShedFrom = 0.8
const residentCheckEveryMs = 500

export class Admission {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #machine: Machine
  readonly #refused: (why: Refusal, address: string) => void
  readonly #connectionsMax: number
  readonly #handshakes: TokenBucket
  /** In order of last use: the first is the one to forget. */
  readonly #addresses = new Map<string, AddressEntry>()
  #connections = 0
  #unauthenticated = 0
  #echoes = 0
  #residentBytes = 0
  #residentAt = Number.NEGATIVE_INFINITY

  constructor(limits: Limits, clock: Clock, machine: Machine, refused: (why: Refusal, address: string) => void) {
    this.#limits = limits
    this.#clock = clock
    this.#machine = machine
    this.#refused = refused
    const usable = (machine.descriptorsMax() ?? Number.POSITIVE_INFINITY) - limits.descriptorsReserved
    this.#connectionsMax = Math.max(1, Math.min(limits.connectionsMax, usable))
    this.#handshakes = new TokenBucket(limits.handshakesPerSecondMax, limits.handshakesPerSecondMax, clock.monotonic())
  }

  get connections(): number {
    return this.#connections
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#addresses.size
  }

  get unauthenticated(): number {
    return this.#unauthenticated
  }

  /** A place for a connection that will log in; `undefined` drops it. */
  admit(address: string): ConnectionTicket | undefined {
    const group = addressGroup(address)
    const entry = this.#entry(group)
    const refusal = this.#refusal(entry) ?? this.#crowd(entry)
    if (refusal !== undefined) return this.#refuse(refusal, address)
    return this.#loginTicket(entry)
  }

  /** A place for an echo connection, which never logs in. */
  admitEcho(address: string): Ticket | undefined {
    const refusal =
      this.#refusal(this.#entry(addressGroup(address))) ?? (this.#echoes >= this.#limits.echoConnectionsMax ? 'echo' : undefined)
    if (refusal !== undefined) return this.#refuse(refusal, address)
    this.#connections++
    this.#echoes++
    return {
      release: once(() => {
        this.#connections--
        this.#echoes--
      }),
    }
  }

  #refuse(why: Refusal, address: string): undefined {
    this.#refused(why, address)
  }

  /** What holds for every connection. The rates come last: who is refused otherwise uses none up. */
  #refusal(entry: AddressEntry): Refusal | undefined {
    const now = this.#clock.monotonic()
    if (this.#connections >= this.#connectionsMax) return 'connections'
    if (this.#resident(now) > this.#limits.residentBytesMax * memoryShedFrom) return 'memory'
    if (!entry.rate.take(now)) return 'address_rate'
    return this.#handshakes.take(now) ? undefined : 'handshake_rate'
  }

  /** What holds for those without a login. Past 60 % the chance to be dropped grows until nobody gets in at 100 %. */
  #crowd(entry: AddressEntry): Refusal | undefined {
    if (entry.unauthenticated >= this.#limits.connectionsUnauthenticatedPerAddressMax) return 'address'
    const share = this.#unauthenticated / this.#limits.connectionsUnauthenticatedMax
    const chance = (share - earlyDropFrom) / (1 - earlyDropFrom)
    return chance > 0 && this.#machine.random() < chance ? 'unauthenticated' : undefined
  }

  #loginTicket(entry: AddressEntry): ConnectionTicket {
    this.#connections++
    this.#unauthenticated++
    entry.unauthenticated++
    const authenticated = once(() => {
      this.#unauthenticated--
      entry.unauthenticated--
    })
    const release = once(() => {
      authenticated()
      this.#connections--
    })
    return { authenticated, release }
  }

  #entry(group: string): AddressEntry {
    const known = this.#addresses.get(group)
    if (known !== undefined) {
      this.#addresses.delete(group)
      this.#addresses.set(group, known)
      return known
    }
    if (this.#addresses.size >= this.#limits.addressesTrackedMax) this.#forgetOldest()
    const { connectionsPerSecondPerAddressMax: rate, connectionsBurstPerAddressMax: burst } = this.#limits
    const entry = { unauthenticated: 0, rate: new TokenBucket(rate, burst, this.#clock.monotonic()) }
    this.#addresses.set(group, entry)
    return entry
  }

  /** Forgets the address that was quiet longest among the first few; one with open connections stays. */
  #forgetOldest(): void {
    let looked = 0
    for (const [group, entry] of this.#addresses) {
      if (entry.unauthenticated === 0) return void this.#addresses.delete(group)
      if (++looked >= 64) return
    }
  }

  #resident(now: number): number {
    if (now - this.#residentAt > residentCheckEveryMs) {
      this.#residentAt = now
      this.#residentBytes = this.#machine.residentBytes()
    }
    return this.#residentBytes
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

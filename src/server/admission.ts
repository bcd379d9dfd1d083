// Who may connect, decided at TCP accept and before any TLS work is done for the stranger. What is counted here is
// counted by us, from accept to the moment the socket is gone, because the runtime would happily accept until it runs
// out of descriptors.
//
// When the places of those without a login are taken, the oldest connection that is still in its handshake makes room:
// a good client needs its place for a moment, whoever only wants to sit there loses it to the next.

import { addressGroup, type Clock, TokenBucket } from '../domain/index.ts'
import type { Ticket } from '../link/index.ts'
import { type LimitName, type Limits, SealwireError } from '../protocol/index.ts'

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

/** The limit behind each. */
export const refusalLimits: Readonly<Record<Refusal, LimitName>> = {
  connections: 'connectionsMax',
  unauthenticated: 'connectionsUnauthenticatedMax',
  address: 'connectionsUnauthenticatedPerAddressMax',
  address_rate: 'connectionsPerSecondPerAddressMax',
  handshake_rate: 'handshakesPerSecondMax',
  memory: 'residentBytesMax',
  echo: 'echoConnectionsMax',
}

/** Cuts a connection whose handshake is not done. */
type Evict = () => void

interface Crowd {
  readonly why: Refusal
  readonly handshaking: ReadonlySet<Evict>
}

interface AddressEntry {
  unauthenticated: number
  /** Those in their handshake, oldest first. */
  readonly handshaking: Set<Evict>
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
  /** Of all addresses, oldest first. */
  readonly #handshaking = new Set<Evict>()
  #connections = 0
  #unauthenticated = 0
  #echoes = 0
  #residentBytes = 0
  #residentAt = Number.NEGATIVE_INFINITY

  /** @throws {SealwireError} `config_invalid` when the process may not open enough descriptors for a server. */
  constructor(limits: Limits, clock: Clock, machine: Machine, refused: (why: Refusal, address: string) => void) {
    this.#limits = limits
    this.#clock = clock
    this.#machine = machine
    this.#refused = refused
    this.#connectionsMax = connectionsMaxOf(limits, machine)
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

  /** The most connections there can be: `connectionsMax`, or what the descriptors allow. */
  get connectionsMax(): number {
    return this.#connectionsMax
  }

  /** A place for a connection that will log in; `undefined` drops it. `evict` is called at most once, before it is established. */
  admit(address: string, evict: () => void): ConnectionTicket | undefined {
    const entry = this.#entry(addressGroup(address))
    const crowd = this.#crowd(entry)
    const full = crowd?.handshaking.size === 0 ? crowd.why : undefined
    const refusal = this.#shortage() ?? full ?? this.#haste(entry)
    if (refusal !== undefined) return this.#refuse(refusal, address)
    if (crowd !== undefined) evictOldest(crowd.handshaking)
    return this.#loginTicket(entry, evict)
  }

  /** A place for an echo connection, which never logs in. */
  admitEcho(address: string): Ticket | undefined {
    const full = this.#echoes >= this.#limits.echoConnectionsMax ? 'echo' : undefined
    const refusal = this.#shortage() ?? full ?? this.#haste(this.#entry(addressGroup(address)))
    if (refusal !== undefined) return this.#refuse(refusal, address)
    this.#connections++
    this.#echoes++
    const release = once(() => {
      this.#connections--
      this.#echoes--
    })
    return { established() {}, release }
  }

  #refuse(why: Refusal, address: string): undefined {
    this.#refused(why, address)
  }

  /** Is there room at all? */
  #shortage(): Refusal | undefined {
    if (this.#connections >= this.#connectionsMax) return 'connections'
    return this.#resident(this.#clock.monotonic()) > this.#limits.residentBytesMax * memoryShedFrom ? 'memory' : undefined
  }

  /**
   * `undefined` while there is room for one more without a login; else why there is none, and who could make room. Past
   * 60 % the chance that there is none grows until it is certain at 100 %.
   */
  #crowd(entry: AddressEntry): Crowd | undefined {
    if (entry.unauthenticated >= this.#limits.connectionsUnauthenticatedPerAddressMax) {
      return { why: 'address', handshaking: entry.handshaking }
    }
    const share = this.#unauthenticated / this.#limits.connectionsUnauthenticatedMax
    const chance = (share - earlyDropFrom) / (1 - earlyDropFrom)
    const isDropped = chance > 0 && this.#machine.random() < chance
    return isDropped ? { why: 'unauthenticated', handshaking: this.#handshaking } : undefined
  }

  /** Rates come last, the process's own at the very end: who is refused otherwise uses none of it up. */
  #haste(entry: AddressEntry): Refusal | undefined {
    const now = this.#clock.monotonic()
    if (!entry.rate.take(now)) return 'address_rate'
    return this.#handshakes.take(now) ? undefined : 'handshake_rate'
  }

  #loginTicket(entry: AddressEntry, evict: Evict): ConnectionTicket {
    this.#handshaking.add(evict)
    entry.handshaking.add(evict)
    this.#connections++
    this.#unauthenticated++
    entry.unauthenticated++
    const established = once(() => {
      this.#handshaking.delete(evict)
      entry.handshaking.delete(evict)
    })
    const authenticated = once(() => {
      established()
      this.#unauthenticated--
      entry.unauthenticated--
    })
    const release = once(() => {
      authenticated()
      this.#connections--
    })
    return { established, authenticated, release }
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
    const entry = { unauthenticated: 0, handshaking: new Set<Evict>(), rate: new TokenBucket(rate, burst, this.#clock.monotonic()) }
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

/** Its ticket is released by that. */
function evictOldest(handshaking: ReadonlySet<Evict>): void {
  const [oldest] = handshaking
  oldest?.()
}

/** A server that could serve next to nobody says so at its start instead. */
function connectionsMaxOf(limits: Limits, machine: Machine): number {
  const descriptors = machine.descriptorsMax()
  if (descriptors === undefined) return limits.connectionsMax
  const usable = descriptors - limits.descriptorsReserved
  if (usable < connectionsUsefulMin) {
    throw new SealwireError(
      'config_invalid',
      `this process may open ${descriptors} files, of which ${limits.descriptorsReserved} are reserved`,
      {
        hint: 'raise the limit on open files (ulimit -n), or lower the limit descriptorsReserved',
      },
    )
  }
  return Math.min(limits.connectionsMax, usable)
}

const connectionsUsefulMin = 32

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

// Where devices of contacts meet, in one process: what stands for the server passes offers on, in the order in which they were made,
// and each device has meetings of its own, over TLS on 127.0.0.1 or over links in memory.

import type { PeerAnswers, PeerLink } from '../../src/client/direct/peer-link.ts'
import { Meetings } from '../../src/client/direct/meetings.ts'
import type { Way } from '../../src/client/direct/ways.ts'
import type { Clock } from '../../src/domain/index.ts'
import { deviceId } from '../../src/pki/index.ts'
import type { EventData, EventName, Method, ParsedEvent, Params, Result } from '../../src/protocol/contract/index.ts'
import { type Code, type Limits, resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import type { Signer } from './certificates.ts'
import { deviceOf, keyHash, makeAuthority, type NamedSigner } from './client-certificates.ts'
import type { DirectNetwork } from './direct-networks.ts'
import { someAnswers } from './peer-says.ts'
import { shownBy } from './peers.ts'
import { randomOf } from '../faults/random.ts'

export interface SquareParts {
  readonly clock: Clock
  readonly network: DirectNetwork
  readonly limits?: Partial<Limits>
  /** From 0 to 1; for waits and delays. Default: a half. */
  readonly random?: () => number
  /** The longest way to the server, and back. Default 0. */
  readonly delayMsMax?: number
}

export interface MemberOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string | undefined
  readonly answers?: Partial<PeerAnswers>
  readonly signer?: Signer
}

export class Square {
  readonly parts: SquareParts
  readonly authority: NamedSigner
  readonly members: Member[] = []
  /** `alice bob`, both ways. */
  readonly #contacts = new Set<string>()
  readonly #revoked = new Set<string>()

  private constructor(parts: SquareParts, authority: NamedSigner) {
    this.parts = parts
    this.authority = authority
  }

  static async open(parts: SquareParts): Promise<Square> {
    return new Square(parts, await makeAuthority('the authority'))
  }

  /** A device of an account; it is online. */
  async member(name: string, options: MemberOptions = {}): Promise<Member> {
    const member = new Member(this, name, options.signer ?? (await deviceOf(this.authority)), options)
    this.members.push(member)
    member.online()
    return member
  }

  introduce(one: string, other: string): void {
    for (const pair of [`${one} ${other}`, `${other} ${one}`]) this.#contacts.add(pair)
  }

  /** One blocks the other: both are told. */
  block(one: string, other: string): void {
    for (const pair of [`${one} ${other}`, `${other} ${one}`]) this.#contacts.delete(pair)
    const told = [
      [one, other],
      [other, one],
    ]
    for (const [who, whom] of told) {
      for (const member of this.#of(who)) for (const { device } of this.#of(whom)) member.hear('direct.revoked', { device })
    }
  }

  revoke({ device }: Member): void {
    this.#revoked.add(device)
    for (const member of this.members) member.hear('direct.revoked', { device })
  }

  /** What the server makes of a request. */
  answer(from: Member, method: Method, params: unknown): object {
    if (method === 'direct.listen') return this.#listen(from)
    if (method === 'direct.devices') return { devices: this.#devices(from, params as Params<'direct.devices'>) }
    if (method === 'direct.offer') return { told: this.#offer(from, params as Params<'direct.offer'>) }
    if (method === 'conversation.find') return { name: this.#of((params as Params<'conversation.find'>).name).at(0)?.name }
    throw new SealwireError('unknown_method', `${method} is not asked for here`)
  }

  #listen(from: Member): object {
    from.isListening = true
    return { address: '127.0.0.1', authorities: [new Uint8Array(this.authority.certificate.raw)] }
  }

  #devices(from: Member, { name }: Params<'direct.devices'>): Result<'direct.devices'>['devices'] {
    if (!this.#contacts.has(`${from.name} ${name.toLowerCase()}`)) throw new SealwireError('not_found', 'there is no such account')
    const devices = this.#of(name).filter(({ device }) => !this.#revoked.has(device))
    return devices.map(({ device, spki }) => ({ device, spki: Uint8Array.from(Buffer.from(spki, 'hex')) }))
  }

  #offer(from: Member, { to, device, token, candidates }: Params<'direct.offer'>): number {
    from.offers.push(this.parts.clock.monotonic())
    if (!this.#contacts.has(`${from.name} ${to.toLowerCase()}`)) return 0
    const told = this.#of(to).filter((each) => each.isListening && (device ?? each.device) === each.device)
    for (const each of told) each.hear('direct.offered', { from: from.name, device: from.device, token, candidates })
    return told.length
  }

  #of(name: string | undefined): readonly Member[] {
    return this.members.filter((each) => each.name === name?.toLowerCase())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(({ meetings }) => meetings.close()))
  }
}

/** One device. */
export class Member {
  readonly name: string
  readonly signer: Signer
  readonly spki: string
  readonly device: string
  readonly meetings: Meetings
  /** Links that came about, and how one talks with whom, in the order in which it was told. */
  readonly linked: PeerLink[] = []
  readonly ways: string[] = []
  /** When it has made offers, in ms of the monotonic clock. */
  readonly offers: number[] = []
  readonly asked: Method[] = []
  /** What the next calls of a method are refused with. */
  readonly refuses = new Map<Method, Code>()
  isListening = false
  readonly #square: Square
  readonly #up: Line
  readonly #down: Line
  #isOnline = false

  constructor(square: Square, name: string, signer: Signer, options: MemberOptions) {
    const { host, answers = {} } = { host: '127.0.0.1', ...options }
    const { clock, network, random = () => 0.5, limits = {}, delayMsMax = 0 } = square.parts
    const chance = square.parts.random ?? randomOf(square.members.length)
    this.#square = square
    this.name = name
    this.signer = signer
    this.spki = keyHash(signer.certificate)
    this.device = deviceId(Buffer.from(this.spki, 'hex'))
    this.#up = new Line(clock, () => delayMsMax * random())
    this.#down = new Line(clock, () => delayMsMax * random())
    const certificate = shownBy(signer)
    this.meetings = new Meetings({
      call: (method, params) => this.call(method, params),
      identity: () => ({ certificate, spki: this.spki }),
      authorities: () => [],
      answers: { ...someAnswers, ...answers },
      clock,
      limits: resolveLimits(limits),
      fill: (bytes) => bytes.map(() => Math.floor(chance() * 256)),
      random,
      host,
      listen: (place, handlers) => network.listen(place, handlers),
      dial: (place) => network.dial(place),
      linked: (link) => void this.linked.push(link),
      changed: (other, way) => void this.ways.push(`${other} ${wayText(way)}`),
    })
  }

  online(): void {
    this.#isOnline = true
    this.meetings.online({ name: this.name })
  }

  /** The connection to the server is lost. */
  offline(): void {
    this.#isOnline = false
    this.isListening = false
    this.meetings.offline()
  }

  /** Calls the server, as `call` of a client does. */
  async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    this.asked.push(method)
    await this.#up.pass()
    const answer = this.#carryOut(method, params)
    await this.#down.pass()
    if (answer instanceof SealwireError) throw answer
    return answer
  }

  hear<E extends EventName>(event: E, data: EventData<E>): void {
    void this.#down.pass().then(() => {
      if (this.#isOnline) this.meetings.event({ event, data } as ParsedEvent)
    })
  }

  /** Links with somebody that are open. */
  open(name: string): readonly PeerLink[] {
    return this.meetings.links(name).filter(({ open }) => open)
  }

  #carryOut(method: Method, params: unknown): object {
    const code = this.refuses.get(method)
    if (code !== undefined) return new SealwireError(code, 'as the test says')
    if (!this.#isOnline) return new SealwireError('connection_lost', 'the server is away')
    try {
      return this.#square.answer(this, method, params)
    } catch (reason) {
      return SealwireError.from(reason)
    }
  }
}

/** What goes one way takes its time, and stays in its order. */
class Line {
  readonly #clock: Clock
  readonly #delay: () => number
  #until = 0

  constructor(clock: Clock, delay: () => number) {
    this.#clock = clock
    this.#delay = delay
  }

  async pass(): Promise<void> {
    const now = this.#clock.monotonic()
    this.#until = Math.max(this.#until, now + this.#delay())
    if (this.#until > now) await new Promise<void>((resolve) => void this.#clock.after(this.#until - now, resolve))
  }
}

export function wayText(way: Way): string {
  return way.way === 'direct' ? 'direct' : way.why
}

// What somebody does next, by chance, and about what there is to do it: mostly what is allowed, and sometimes not.

import { newMessageId } from '../../src/client/outbox/message-id.ts'
import type { Chance } from './chance.ts'
import type { Deed, Kind, What } from './deeds.ts'
import type { Device } from './device.ts'
import { MachineClock } from './machine-clock.ts'
import type { People } from './people.ts'
import type { Schedule } from './schedule.ts'

export interface LoadParts {
  readonly schedule: Schedule
  readonly chance: Chance
  readonly people: People
  /** Those that take part. */
  readonly devices: readonly Device[]
  /** Told of a deed before it is asked for. */
  readonly begins: (deed: Deed) => void
}

/** How often what is done, in a hundred. */
const weights: readonly (readonly [Kind, number])[] = [
  ['say', 34],
  ['edit', 5],
  ['delete', 4],
  ['react', 2],
  ['read', 3],
  ['pay', 16],
  ['hold', 7],
  ['capture', 5],
  ['void', 3],
  ['refund', 7],
  ['split', 3],
  ['ask', 3],
  ['settle', 1],
  ['block', 3],
  ['unblock', 2],
  ['request', 1],
  ['accept', 1],
  ['revoke', 1.5],
]
const weightSum = weights.reduce((sum, [, weight]) => sum + weight, 0)

type Paying = 'pay' | 'hold' | 'split' | 'capture' | 'void' | 'refund' | 'ask' | 'settle'
type Place = { readonly conversation: number; readonly seq: number }

export class Load {
  readonly #parts: LoadParts
  /** Every deed of the world, in the order in which they were meant. */
  readonly deeds: Deed[] = []
  #isRevoked = false

  constructor(parts: LoadParts) {
    this.#parts = parts
  }

  /** One more deed of somebody, now and then several words at once, or an old one asked again though it was answered. */
  step(): void {
    const { chance, devices } = this.#parts
    const device = chance.pick(devices.filter(({ isUp }) => isUp))
    if (device === undefined) return
    if (chance.happens(0.06)) return this.#again(device)
    const what = this.#what(this.#kind(), device)
    if (what === undefined) return
    this.#begin(device, what)
    if (what.kind === 'say') while (chance.happens(0.25)) this.#begin(device, this.#words(what.to))
  }

  #begin(device: Device, what: What): void {
    const { schedule, chance } = this.#parts
    const id = newMessageId(new MachineClock(schedule, device.wall, '').now(), chance.fill)
    const more = { state: 'open', code: undefined, result: undefined, asks: 0, isUnderWay: false } as const
    const deed: Deed = { number: this.deeds.length, by: device.name, id, what, at: schedule.now, ...more }
    schedule.note(`${device.name} deed ${deed.number} ${what.kind}`)
    this.deeds.push(deed)
    this.#parts.begins(deed)
    device.begin(deed)
  }

  #again(device: Device): void {
    const deed = this.#parts.chance.pick(device.deeds.filter(({ state, what }) => state === 'done' && isRepeatable(what.kind)))
    if (deed !== undefined) device.ask(deed)
  }

  #kind(): Kind {
    let left = this.#parts.chance.number() * weightSum
    for (const [kind, weight] of weights) if ((left -= weight) < 0) return kind
    return 'say'
  }

  #what(kind: Kind, device: Device): What | undefined {
    switch (kind) {
      case 'say':
        return this.#say(device)
      case 'edit':
      case 'delete':
      case 'react':
      case 'read':
        return this.#change(kind, device)
      case 'block':
      case 'unblock':
      case 'request':
      case 'accept':
      case 'decline':
        return this.#consent(kind, device)
      case 'revoke':
        return this.#revoke(device)
      case 'pay':
      case 'hold':
      case 'split':
      case 'capture':
      case 'void':
      case 'refund':
      case 'ask':
      case 'settle':
        return this.#money(kind, device)
    }
  }

  #say(device: Device): What {
    const { chance, people } = this.#parts
    const to = chance.happens(0.4) ? people.room : this.#other(device)
    return this.#words(to)
  }

  #words(to: string | number): Extract<What, { readonly kind: 'say' }> {
    const { chance } = this.#parts
    const size = chance.happens(0.05) ? chance.between(1_000, 20_000) : chance.between(0, 60)
    return { kind: 'say', to, text: `${this.deeds.length} ${'x'.repeat(size)}` }
  }

  #change(kind: 'edit' | 'delete' | 'react' | 'read', device: Device): What | undefined {
    const { chance } = this.#parts
    const said = this.#done('say').filter((deed) => kind === 'react' || kind === 'read' || accountOf(deed) === device.of.person.name)
    const place = chance.pick(said)?.result as Place | undefined
    if (place === undefined) return undefined
    const { conversation, seq } = place
    if (kind === 'read') return { kind, conversation, seq }
    if (kind === 'edit') return { kind, conversation, target: seq, text: `edited ${this.deeds.length}` }
    return kind === 'delete' ? { kind, conversation, target: seq } : { kind, conversation, target: seq, on: chance.happens(0.7) }
  }

  #money(kind: Paying, device: Device): What | undefined {
    const { chance } = this.#parts
    const me = device.of.person.name
    const to = this.#other(device)
    if (kind === 'pay' || kind === 'ask') return { kind, to, amount: this.#amount(), ...(kind === 'pay' ? this.#request(me) : {}) }
    if (kind === 'hold') return { kind, to, amount: this.#amount(), livesMs: chance.pick([1_500, 4_000, 3_600_000]) ?? 0 }
    if (kind === 'split') return { kind, shares: this.#shares(device) }
    if (kind === 'settle') return this.#about('ask', kind, (deed) => accountOf(deed) === me)
    return this.#aboutTransfer(kind, me)
  }

  /** About a hold or a payment to this account; what was paid back already is asked for again most of all. */
  #aboutTransfer(kind: 'capture' | 'void' | 'refund', me: string): What | undefined {
    const { chance } = this.#parts
    const originals = this.#done(kind === 'refund' ? 'pay' : 'hold').filter(({ what }) => 'to' in what && what.to === me)
    const isRefunded = ({ id }: Deed): boolean => this.deeds.some(({ what }) => what.kind === 'refund' && what.of === id)
    const again = kind === 'refund' && chance.happens(0.6) ? chance.pick(originals.filter(isRefunded)) : undefined
    const original = again ?? chance.pick(originals)
    if (original === undefined) return undefined
    const of = { payer: accountOf(original), of: original.id }
    if (kind === 'void') return { kind, ...of }
    const whole = 'amount' in original.what ? original.what.amount : 0n
    return { kind, ...of, amount: chance.happens(0.5) ? whole : BigInt(chance.between(1, Number(whole) + 1)) }
  }

  /** Now and then the request of somebody is paid. */
  #request(me: string): { readonly to?: string; readonly request?: string } {
    const asked = this.#parts.chance.pick(this.#done('ask').filter(({ what }) => 'to' in what && what.to === me))
    if (asked === undefined || this.#parts.chance.happens(0.5)) return {}
    return { to: accountOf(asked), request: asked.id }
  }

  #shares({ of }: Device): { readonly name: string; readonly amount: bigint }[] {
    const others = this.#parts.people.persons.filter(({ name }) => name !== of.person.name)
    return others.slice(0, this.#parts.chance.between(2, 3)).map(({ name }) => ({ name, amount: this.#amount() }))
  }

  #about(about: Kind, kind: 'settle', fits: (deed: Deed) => boolean): What | undefined {
    const found = this.#parts.chance.pick(this.#done(about).filter(fits))
    return found && { kind, of: found.id }
  }

  /** One at a time for each account: what is said last has to be what holds. */
  #consent(kind: 'block' | 'unblock' | 'request' | 'accept' | 'decline', device: Device): What | undefined {
    const isBlocking = kind === 'block' || kind === 'unblock'
    const isBusy = this.deeds.some((deed) => deed.state === 'open' && accountOf(deed) === device.of.person.name && 'name' in deed.what)
    if (isBusy) return undefined
    if (isBlocking) return { kind, name: this.#other(device) }
    const stranger = { dave: 'erin', erin: 'dave' }[device.of.person.name]
    return stranger === undefined ? undefined : { kind, name: stranger }
  }

  /** Once in a world, and never the last device of an account. */
  #revoke(device: Device): What | undefined {
    const { devices, chance } = this.#parts
    const others = devices.filter((each) => each !== device && each.of.person === device.of.person)
    const other = chance.pick(others)
    if (other === undefined || this.#isRevoked) return undefined
    this.#isRevoked = true
    other.isOut = true
    return { kind: 'revoke', device: other.of.id }
  }

  /** Mostly small, sometimes all that somebody has, or more. */
  #amount(): bigint {
    const { chance } = this.#parts
    return BigInt(chance.happens(0.8) ? chance.between(1, 1_500) : chance.between(5_000, 12_000))
  }

  #other({ of }: Device): string {
    const others = this.#parts.people.persons.filter(({ name }) => name !== of.person.name)
    return this.#parts.chance.pick(others)?.name ?? ''
  }

  #done(kind: Kind): readonly Deed[] {
    return this.deeds.filter(({ state, what }) => state === 'done' && what.kind === kind)
  }
}

/** The account of a deed. */
export function accountOf({ by }: Pick<Deed, 'by'>): string {
  return by.slice(0, by.indexOf('/'))
}

/** The same again is answered the same, for ever. */
function isRepeatable(kind: Kind): boolean {
  return ['say', 'pay', 'hold', 'split', 'capture', 'void', 'refund', 'ask'].includes(kind)
}

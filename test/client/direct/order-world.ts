// Two people who talk on two devices each, a server, and links between the devices: everything that is on its way takes its turn
// by chance, and everything that can break breaks. The real Inbox, Outbox and DirectTalk are in it; only what is below them is not.

import { Acknowledgements } from '../../../src/client/inbox/acknowledgements.ts'
import { MemoryHeard } from '../../../src/client/direct/heard-store.ts'
import { DirectTalk } from '../../../src/client/direct/talk.ts'
import { Inbox, type InboxItem } from '../../../src/client/inbox.ts'
import { Outbox, type OutboxParts } from '../../../src/client/outbox.ts'
import { MemoryOutbox } from '../../../src/client/outbox/store.ts'
import type { LoggedIn } from '../../../src/client/uplink.ts'
import { stampUuid7 } from '../../../src/domain/uuid7.ts'
import type { ConversationInfo } from '../../../src/protocol/contract/index.ts'
import type { Limits } from '../../../src/protocol/index.ts'
import { below, type Random } from '../../faults/random.ts'
import { Disk, heardOn, outboxOn } from './order-disk.ts'
import { Channel, conversation, LinkEnd, lost, nothing, peers, Server, Session } from './order-wires.ts'

export type Person = keyof typeof peers

/** One run of the program on a device. */
export class Process {
  readonly world: World
  readonly device: Device
  readonly disk = new Disk()
  readonly timers = new Channel()
  readonly acknowledgements = new Acknowledgements()
  readonly talk: DirectTalk
  readonly outbox: Outbox
  readonly links = new Set<LinkEnd>()
  session: Session | undefined
  inbox: Inbox | undefined
  reader: Reader | undefined
  #readers = 0
  #waiting: PromiseWithResolvers<LoggedIn>[] = []

  constructor(device: Device) {
    const { world, person, name } = device
    this.world = world
    this.device = device
    this.talk = new DirectTalk({
      heard: heardOn(this),
      limits: world.limits,
      clock: world.clock,
      find: async () => (await this.#ask('conversation.find', {})) as ConversationInfo,
      inboxEnd: async () => ((await this.#ask('inbox.open', {})) as { lastSeq: number }).lastSeq,
      me: () => ({ name: person, device: name }),
      inbox: () => this.inbox,
    })
    const uplink = { state: 'online', ready: () => this.#ready() }
    const parts = {
      uplink,
      calls: { pause: () => this.pause() },
      store: outboxOn(this),
      limits: world.limits,
      clock: world.clock,
      tap: this.talk,
    }
    this.outbox = new Outbox(parts as unknown as OutboxParts)
  }

  get channels(): Channel[] {
    const ends = [...this.links].map(({ channel }) => channel)
    return [this.disk.channel, this.timers, ...ends, this.session?.up ?? nothing, this.session?.down ?? nothing]
  }

  connect(): void {
    const session = new Session(this.device)
    this.world.server.sessions.add(session)
    this.session = session
    const loggedIn = this.#loggedIn(session)
    this.acknowledgements.online(loggedIn)
    this.inbox?.open(loggedIn)
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(loggedIn)
  }

  cut(): void {
    const { session } = this
    if (session === undefined) return
    this.world.server.sessions.delete(session)
    this.session = undefined
    session.cut()
  }

  read(): void {
    const left = (): void => void (this.inbox === inbox && (this.inbox = undefined))
    const inbox = new Inbox({}, this.world.limits, this.acknowledgements, left, () => this.pause(), this.talk)
    this.inbox = inbox
    this.reader = new Reader(this, inbox, ++this.#readers)
    if (this.session !== undefined) inbox.join(this.#loggedIn(this.session))
  }

  stop(): void {
    this.inbox?.stop()
    this.reader = undefined
  }

  pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.timers.add(resolve)
    return promise
  }

  /** The program is gone, in the middle of whatever it does. */
  crash(): void {
    this.cut()
    for (const link of this.links) link.end()
    this.disk.channel.clear()
    this.timers.clear()
    this.device.process = undefined
  }

  #ready(): Promise<LoggedIn> {
    const waiting = Promise.withResolvers<LoggedIn>()
    if (this.session !== undefined) waiting.resolve(this.#loggedIn(this.session))
    else this.#waiting.push(waiting)
    return waiting.promise
  }

  #ask(method: string, params: object): Promise<unknown> {
    return this.session?.request(method, params) ?? Promise.reject(lost())
  }

  #loggedIn(session: Session): LoggedIn {
    const client = { request: (method: string, params: unknown) => session.request(method, params), close: () => {} }
    return { client, name: this.device.person, device: this.device.name } as unknown as LoggedIn
  }
}

/** Somebody who reads what comes, one after the other. */
export class Reader {
  readonly process: Process
  readonly run: number
  readonly inbox: Inbox
  item: InboxItem | undefined
  #isAsking = false

  constructor(process: Process, inbox: Inbox, run: number) {
    this.process = process
    this.inbox = inbox
    this.run = run
  }

  next(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    this.done(false)
    void this.inbox.next().then(({ value }) => {
      this.#isAsking = false
      if (value === undefined || this.process.device.process !== this.process) return
      this.item = value
      this.process.device.got(value, this)
    })
  }

  /** The program has done with what it has; asking for the next one says so, too. */
  done(says = true): void {
    const { item } = this
    if (item === undefined) return
    this.item = undefined
    this.process.device.finished(item, this)
    if (says) item.done()
  }
}

/** Something that the program was handed. */
export interface Got {
  readonly id: string
  readonly way: 'direct' | 'relayed'
  readonly position: number
  /** Of the device: which run, and which reader of it. */
  readonly run: number
  readonly reader: number
  isDone: boolean
  /** It was kept when the program was handed it. */
  readonly wasKept: boolean
  /** It had been done in this run when the program was handed it. */
  readonly wasDone: boolean
}

/** Something that was said. */
export interface Spoken {
  readonly id: string
  readonly device: string
  readonly lane: string
  /** What whoever said it had been handed, or had said. */
  readonly knowing: ReadonlySet<string>
}

export class Device {
  readonly world: World
  readonly person: Person
  readonly name: string
  readonly outbox = new MemoryOutbox()
  readonly heard = new MemoryHeard()
  readonly gotten: Got[] = []
  readonly #known = new Set<string>()
  process: Process | undefined
  runs = 0
  #spoken = 0

  constructor(world: World, person: Person, name: string) {
    this.world = world
    this.person = person
    this.name = name
  }

  start(): void {
    this.runs++
    this.process = new Process(this)
  }

  say(): void {
    const { process, world } = this
    if (process === undefined) return
    const message = { id: this.#newId(), body: Buffer.from(`${this.name} ${this.#spoken}`) }
    const id = Buffer.from(message.id).toString('hex')
    const isByName = below(world.random, 3) > 0
    world.spoken.set(id, { id, device: this.name, lane: isByName ? 'name' : 'number', knowing: new Set(this.#known) })
    this.#known.add(id)
    const to = isByName ? { to: peers[this.person] } : { conversation }
    process.outbox.send(textOf(id), { ...to, ...message }, {}).catch(() => {})
  }

  got(item: InboxItem, { run: reader }: Reader): void {
    const id = item.id.replaceAll('-', '')
    const wasKept =
      this.world.kept.has(`${this.name} ${id}`) || (item.position > 0 && item.position <= (this.world.server.acked.get(this.name) ?? 0))
    const wasDone = this.gotten.some((one) => one.id === id && one.run === this.runs && one.isDone)
    this.gotten.push({ id, way: item.way, position: item.position, run: this.runs, reader, isDone: false, wasKept, wasDone })
    this.#known.add(id)
  }

  finished(item: InboxItem, { run: reader }: Reader): void {
    const id = item.id.replaceAll('-', '')
    const got = this.gotten.findLast((one) => one.id === id && one.run === this.runs && one.reader === reader)
    if (got !== undefined) got.isDone = true
  }

  #newId(): Uint8Array {
    const bytes = new Uint8Array(16)
    bytes[15] = ++this.#spoken
    bytes[14] = this.name.charCodeAt(0)
    bytes[13] = this.name.charCodeAt(1)
    return stampUuid7(bytes, 1_000 + this.#spoken)
  }
}

export function textOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export class World {
  readonly random: Random
  readonly limits: Limits
  readonly server = new Server()
  readonly devices: readonly Device[]
  /** Everything that was said, by its id. */
  readonly spoken = new Map<string, Spoken>()
  /** What each device has told its author that it keeps: `device id`. */
  readonly kept = new Set<string>()
  readonly refusals = new Map<string, number>()
  diskFull = 0
  #time = 1_000_000

  constructor(random: Random, limits: Limits) {
    this.random = random
    this.limits = limits
    const [alice, bob] = ['alice', 'bob'] as const
    this.devices = [new Device(this, alice, 'a1'), new Device(this, alice, 'a2'), new Device(this, bob, 'b1'), new Device(this, bob, 'b2')]
  }

  get clock(): { now(): number; monotonic(): number; after(): never; every(): never } {
    const never = (): never => {
      throw new TypeError('no timers here')
    }
    return { now: () => ++this.#time, monotonic: () => (this.#time += 100), after: never, every: never }
  }

  refused(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
  }

  /** A link between a device of one and a device of the other; each notices in its time. */
  link(one: Process, other: Process): void {
    const [near, far] = [new LinkEnd(one, other.device), new LinkEnd(other, one.device)]
    ;[near.other, far.other] = [far, near]
    for (const end of [near, far]) {
      end.process.links.add(end)
      void end.closed.then(() => end.process.links.delete(end))
      end.process.timers.add(() => end.process.talk.linked(end))
    }
    const watch = (end: LinkEnd): void => void end.closed.then(() => end.other?.process.timers.add(() => end.other?.end()))
    watch(near)
    watch(far)
  }
}

// A device of a world: a program that uses the SDK as programs do, killed and started again on the same disk. What its application
// has stored, what it means to do and what became of that is on the disk; everything else is lost when it is killed.

import { crc32 } from 'node:zlib'
import { connect } from '../../src/client/client.ts'
import type { InboxItem } from '../../src/client/inbox.ts'
import type { OutboxEntry, OutboxStore } from '../../src/client/outbox/store.ts'
import { Sealwire } from '../../src/client/sealwire.ts'
import type { LoggedIn } from '../../src/client/uplink.ts'
import { Flusher } from '../../src/link/index.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import type { Chance } from './chance.ts'
import { carryOut, type Deed, isRefusal } from './deeds.ts'
import { MachineClock, type WallClock } from './machine-clock.ts'
import type { Network } from './network.ts'
import { type DeviceOf, simulatedLimits } from './people.ts'
import type { Schedule } from './schedule.ts'

/** What a device tells of itself. */
export interface DeviceUser {
  /** An item was stored. */
  stored(device: Device, item: InboxItem): void
  /** A deed is handed to the SDK. */
  handed(device: Device, deed: Deed): void
  /** The program was killed; `isKept`: whether its outbox has something with this id. */
  killed(device: Device, isKept: (id: string) => boolean): void
  /** A deed was done or refused. */
  settled(device: Device, deed: Deed): void
  /** The outbox let go of it. */
  forgotten(device: Device, deed: Deed): void
  /** What must not be. */
  failed(what: string): void
}

export interface DeviceParts {
  readonly of: DeviceOf
  readonly schedule: Schedule
  readonly chance: Chance
  readonly network: Network
  readonly user: DeviceUser
}

interface Run {
  readonly me: Sealwire
  readonly clock: MachineClock
  isDead: boolean
}

export class Device {
  readonly of: DeviceOf
  readonly wall: WallClock = { aheadMs: 0 }
  /** All that it means to do, or meant to. */
  readonly deeds: Deed[] = []
  /** Up to where it has stored its inbox. */
  position: number
  /** It was revoked and knows it, or will. */
  isOut = false
  readonly #parts: DeviceParts
  /** `call`: entries are loaded in the order in which they were added, however long each took. */
  readonly #outbox = new Map<string, OutboxEntry & { readonly call: number }>()
  #run: Run | undefined

  constructor(parts: DeviceParts) {
    this.#parts = parts
    this.of = parts.of
    this.position = parts.of.position
  }

  get name(): string {
    return this.of.name
  }

  get isUp(): boolean {
    return this.#run !== undefined
  }

  get isOnline(): boolean {
    return this.#run?.me.state === 'online'
  }

  start(): void {
    const { schedule, chance, network } = this.#parts
    const clock = new MachineClock(schedule, this.wall, this.name)
    const context = { limits: simulatedLimits, flusher: new Flusher(simulatedLimits, clock) }
    const isAlive = (): boolean => !run.isDead
    const open = async (signal: AbortSignal): Promise<LoggedIn> => {
      const dial = (options: { signal?: AbortSignal }) => network.dial(this.#dialler, context, options.signal, isAlive)
      return logIn(await connect({ signal }, { dial, clock, limits: simulatedLimits, checksum }), signal)
    }
    const sign = async (payload: Uint8Array, purpose: string): Promise<Uint8Array> => signCose(payload, purpose, this.of.ed25519)
    const common = { clock, limits: simulatedLimits, random: chance.number, fill: chance.fill }
    const me = new Sealwire({ ...common, open, sign, outbox: this.#outboxOf(isAlive), patient: true })
    const run: Run = { me, clock, isDead: false }
    this.#run = run
    void this.#readInbox(run)
    void this.#readFailures(run)
    for (const deed of this.deeds) if (deed.state === 'open') this.#askLater(deed)
  }

  /** Everything in its memory is lost. */
  kill(): void {
    const run = this.#run
    if (run === undefined) return
    run.isDead = true
    run.clock.stop()
    this.#run = undefined
    for (const deed of this.deeds) deed.isUnderWay = false
    this.#parts.network.killClient(this.#dialler)
    this.#parts.user.killed(this, (id) => this.#outbox.has(id))
  }

  /** Ends in order, as a program that has nothing more to do. */
  async close(): Promise<void> {
    await this.#run?.me.close()
    this.kill()
  }

  /** Means to do something, and begins. */
  begin(deed: Deed): void {
    this.deeds.push(deed)
    this.ask(deed)
  }

  /** Asks for it, if the program runs and does not wait for the answer already. */
  ask(deed: Deed): void {
    const run = this.#run
    if (run === undefined || deed.isUnderWay || deed.state === 'refused') return
    deed.isUnderWay = true
    deed.asks++
    this.#parts.user.handed(this, deed)
    const answered = (settle: () => void): void => {
      if (run.isDead) return
      deed.isUnderWay = false
      settle()
    }
    carryOut(run.me, deed).then(
      (result) => answered(() => this.#done(deed, result)),
      (reason: unknown) => answered(() => this.#rejected(deed, reason)),
    )
  }

  /** Asks for what was done or refused, as a program that knows nothing of that. */
  askAgain(deed: Deed): void {
    if (deed.state === 'refused') deed.state = 'open'
    this.ask(deed)
  }

  get #dialler() {
    return { name: this.name, x25519: this.of.x25519 }
  }

  #done(deed: Deed, result: unknown): void {
    if (deed.state === 'done' && !sameAnswer(deed.result, result)) {
      this.#parts.user.failed(`deed: ${deed.number} (${deed.what.kind} of ${this.name}) was answered twice, each time otherwise`)
    }
    deed.state = 'done'
    deed.result = result
    this.#parts.user.settled(this, deed)
  }

  #rejected(deed: Deed, reason: unknown): void {
    const error = SealwireError.from(reason)
    this.#parts.schedule.note(`${this.name} deed ${deed.number} ${error.code}`)
    if (!SealwireError.is(reason) || error.code === 'internal') {
      return this.#parts.user.failed(`deed: ${deed.number} failed: ${reason instanceof Error ? reason.stack : String(reason)}`)
    }
    if (!isRefusal(reason)) return this.#askLater(deed)
    if (deed.state === 'done') return this.#parts.user.failed(`refused: deed ${deed.number} was done, and refused later: ${error.code}`)
    deed.state = 'refused'
    deed.code = error.code
    this.#parts.user.settled(this, deed)
  }

  #askLater(deed: Deed): void {
    const { schedule, chance } = this.#parts
    if (this.isOut) return
    schedule.after(chance.between(50, 4_000), `${this.name}: asks again`, () => this.ask(deed))
  }

  /** What is stored has its place with it, so nothing comes twice and nothing is missed. */
  async #readInbox(run: Run): Promise<void> {
    const { schedule, chance, user } = this.#parts
    const lost = (position: number): void => user.failed(`lost: ${this.name} was told that it lost its inbox up to ${position}`)
    const rewound = (position: number): void => user.failed(`lost: ${this.name} was told that the server was set back to ${position}`)
    try {
      for await (const item of run.me.inbox({ after: this.position, lost, rewound })) {
        await schedule.pause(chance.delay(3, 500), `${this.name}: stores`)
        if (run.isDead) await new Promise(() => {})
        user.stored(this, item)
        this.position = item.position
      }
    } catch (reason) {
      if (!this.isOut) user.failed(`end: the inbox of ${this.name} ended: ${reason instanceof Error ? reason.stack : String(reason)}`)
    }
  }

  /** What an earlier run has said, and the server refuses. */
  async #readFailures(run: Run): Promise<void> {
    try {
      for await (const { id, reason } of run.me.failures()) {
        const deed = this.deeds.find((each) => each.id === id)
        if (!run.isDead && deed?.state === 'open') this.#rejected(deed, reason)
      }
    } catch (reason) {
      if (!this.isOut) this.#parts.user.failed(`end: the failures of ${this.name} ended: ${String(reason)}`)
    }
  }

  #outboxOf(isAlive: () => boolean): OutboxStore {
    const { schedule, chance, user } = this.#parts
    const entries = this.#outbox
    let calls = Math.max(0, ...entries.values().map(({ call }) => call))
    const written = async (write: () => void): Promise<void> => {
      // What a kill cuts off may be on the disk already.
      const isEarly = chance.happens(0.5)
      if (isEarly) write()
      await schedule.pause(chance.delay(3, 100), `${this.name}: outbox`)
      if (!isAlive()) await new Promise(() => {})
      if (!isEarly) write()
    }
    return {
      load: async () => [...entries.values()].toSorted((one, other) => one.call - other.call),
      add: (entry) => {
        const kept = { ...entry, call: ++calls }
        return written(() => void entries.set(entry.id, kept))
      },
      remove: async (id) => {
        const [entry, deed] = [entries.get(id), this.deeds.find((each) => each.id === id)]
        const asks = deed?.asks
        // What was added under its id since stays.
        await written(() => void (entries.get(id) === entry && entries.delete(id)))
        if (deed !== undefined && deed.asks === asks) user.forgotten(this, deed)
      },
      async [Symbol.asyncDispose]() {},
    }
  }
}

async function logIn(client: Awaited<ReturnType<typeof connect>>, signal: AbortSignal): Promise<LoggedIn> {
  try {
    const { name, device } = await client.request('device.login', {}, { signal })
    return { client, name, device }
  } catch (reason) {
    client.close()
    throw reason
  }
}

/** Who asks again is answered the same: the place of what was said, the posting of what was paid. */
function sameAnswer(one: unknown, other: unknown): boolean {
  return (['conversation', 'seq', 'at', 'posting'] as const).every((field) => valueOf(one, field) === valueOf(other, field))
}

function valueOf(result: unknown, field: string): unknown {
  return typeof result === 'object' && result !== null ? (result as Record<string, unknown>)[field] : undefined
}

const checksum = (bytes: Uint8Array, start: number, end: number): number => crc32(bytes.subarray(start, end))

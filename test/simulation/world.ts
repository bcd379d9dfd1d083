// A world: the product's server, the product's SDK on several devices, a network, disks and clocks, all of it in this process and under
// one schedule. What happens follows from the seed alone.

import type { Limits } from '../../src/protocol/index.ts'
import { verifyEd25519 } from '../../src/pki/ed25519.ts'
import { coseToBeSigned } from '../../src/protocol/contract/cose.ts'
import { proveLedger } from '../../src/server/money/ledger-proof.ts'
import type { Input, OperationName, Output } from '../../src/store/index.ts'
import type { Request } from '../../src/store/store.ts'
import { askRefusedAgain } from './asked-again.ts'
import { Books } from './books.ts'
import { Chance } from './chance.ts'
import { Checks } from './checks.ts'
import { Device } from './device.ts'
import { Faults } from './faults.ts'
import { checkEnd } from './final-checks.ts'
import { Load } from './load.ts'
import { Network } from './network.ts'
import { people, simulatedLimits } from './people.ts'
import { Schedule } from './schedule.ts'
import { ServerLife } from './server-life.ts'
import { ServerDisk } from './sim-store.ts'

/** What came of a world. */
export interface Outcome {
  readonly seed: number
  /** SHA-256 of everything that happened, in its order. */
  readonly hash: string
  readonly steps: number
  readonly deeds: number
  /** What was not as it must be; undefined where everything was. */
  readonly failure: string | undefined
  /** What happened last. */
  readonly lines: readonly string[]
}

/** So long it may take until everything is known and everybody has everything, once nothing breaks any more. */
const settleMsMax = 600_000
const leaveMsMax = 120_000
/** What is done last is done slowly. */
const lastMax = 4
const lastMs = 2_000

/** Runs the world of a seed. */
export async function simulate(seed: number): Promise<Outcome> {
  using world = new World(seed)
  await world.run()
  return world.outcome
}

class World implements Disposable {
  readonly #seed: number
  readonly #schedule = new Schedule()
  readonly #chance: Chance
  readonly #disk: ServerDisk
  readonly #books: Books
  readonly #checks: Checks
  readonly #life: ServerLife
  readonly #devices: readonly Device[]
  readonly #load: Load
  readonly #faults: Faults
  readonly #before: ReadonlySet<string>

  constructor(seed: number) {
    this.#seed = seed
    const schedule = this.#schedule
    const chance = new Chance(seed)
    this.#chance = chance
    const everybody = people()
    this.#disk = new ServerDisk(everybody.database, simulatedLimits)
    this.#books = new Books(this.#disk.path)
    this.#before = new Set(
      everybody.persons.flatMap(({ id }) => this.#books.entriesFor(id).map(({ conversation, seq }) => `${conversation}/${seq}`)),
    )
    const network = new Network(schedule, chance)
    this.#checks = new Checks({ schedule, network, people: everybody, books: this.#books, life: () => this.#life })
    const { committed, failed } = this.#checks
    const store = { made: 0, unmade: 0, refused: 0 }
    const wall = { aheadMs: 0 }
    this.#life = new ServerLife({ schedule, chance, network, disk: this.#disk, wall, faults: store, committed, failed })
    const names = everybody.persons.slice(0, chance.between(3, 5)).map(({ name }) => name)
    const taking = everybody.devices.filter(
      ({ person, name }) => names.includes(person.name) && (name.endsWith('1') || chance.happens(0.6)),
    )
    this.#devices = taking.map((of) => new Device({ of, schedule, chance, network, user: this.#checks }))
    this.#load = new Load({ schedule, chance, people: everybody, devices: this.#devices, begins: (deed) => this.#checks.begins(deed) })
    this.#life.start()
    for (const device of this.#devices) device.start()
    this.#faults = new Faults({ schedule, chance, network, life: this.#life, wall, devices: this.#devices, store })
  }

  get outcome(): Outcome {
    const { hash, steps, lines } = this.#schedule
    return { seed: this.#seed, hash, steps, lines, deeds: this.#load.deeds.length, failure: this.#checks.failure }
  }

  async run(): Promise<void> {
    await this.#live()
    if (this.#isBroken) return
    await this.#settle()
    if (this.#isBroken) return
    await askRefusedAgain({ ...this.#parts, until: (isOver, what) => this.#runUntil(isOver, settleMsMax, what) })
    await this.#settle()
    if (this.#isBroken) return
    checkEnd({ ...this.#parts, people: people() })
    await this.#leave()
    if (!this.#isBroken) await this.#prove()
  }

  [Symbol.dispose](): void {
    this.#life.kill()
    for (const device of this.#devices) device.kill()
    this.#books[Symbol.dispose]()
    this.#disk[Symbol.dispose]()
  }

  get #parts() {
    return { books: this.#books, devices: this.#devices, deeds: this.#load.deeds, checks: this.#checks, before: this.#before }
  }

  get #isBroken(): boolean {
    return this.#checks.failure !== undefined
  }

  /** People do what they do while everything breaks. */
  async #live(): Promise<void> {
    const count = this.#chance.between(27, 62)
    const everyMs = this.#chance.pick([60, 150, 400]) ?? 150
    let left = count
    const next = (): void => {
      const ms = left > lastMax ? this.#chance.delay(2 * everyMs, 6 * everyMs) : this.#chance.between(0, lastMs)
      this.#schedule.after(ms, 'load', () => {
        this.#load.step()
        if (--left > 0) next()
        if (left === lastMax) this.#faults.doubt()
      })
    }
    next()
    await this.#runUntil(() => left === 0, settleMsMax, 'the load came to no end')
    this.#faults.end()
  }

  async #settle(): Promise<void> {
    await this.#runUntil(() => this.#isSettled(), settleMsMax, 'not everything was known in the end')
  }

  #isSettled(): boolean {
    return this.#devices.every(
      (device) => device.isOut || (device.deeds.every(({ state }) => state !== 'open') && this.#missing(device) === 0),
    )
  }

  #missing({ of, position }: Device): number {
    return this.#books.missing(of.person.id, of.id, position)
  }

  /** Everybody leaves: nothing stays behind. */
  async #leave(): Promise<void> {
    let left = this.#devices.length
    for (const device of this.#devices) void device.close().then(() => left--)
    await this.#runUntil(() => left === 0, leaveMsMax, 'not everybody could leave')
    const { server } = this.#life
    const isEmpty = (): boolean => server !== undefined && Object.values(server.census).every((count) => count === 0)
    await this.#runUntil(isEmpty, leaveMsMax, 'somebody stayed')
    let isStopped = false
    void server?.stop().then(() => (isStopped = true))
    await this.#runUntil(() => isStopped, leaveMsMax, 'the server did not stop')
    if (!this.#isBroken && this.#life.timers > 0) this.#checks.failed(`leak: ${this.#life.timers} timers of a server that has stopped`)
  }

  /** The ledger, from its first posting to its last. */
  async #prove(): Promise<void> {
    const { serverId, ledger } = people()
    const run = async <N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> => {
      const [outcome] = this.#disk.engine.execute([{ name, input } as Request])
      if (outcome === undefined || 'error' in outcome) throw new Error(`${name} failed`, { cause: outcome?.error })
      return outcome.value as Output<N>
    }
    const { fault } = await proveLedger({
      ...{ store: { run }, clock: { now: () => 0 }, limits: simulatedLimits satisfies Limits, signatures: { verify }, serverId },
      publicKey: ledger.publicKey,
    })
    if (fault !== undefined) this.#checks.failed(`ledger: ${fault.row} ${fault.what}`)
  }

  async #runUntil(isOver: () => boolean, msMax: number, what: string): Promise<void> {
    if (this.#isBroken) return
    const isDone = await this.#schedule.run(() => this.#isBroken || isOver(), msMax, this.#checks.step)
    if (!isDone && !this.#isBroken) this.#checks.failed(`end: ${what}: ${this.#undone()}`)
  }

  #undone(): string {
    const isOut = (name: string): boolean => this.#devices.some((device) => device.name === name && device.isOut)
    const open = this.#load.deeds.filter(({ state, by }) => state === 'open' && !isOut(by))
    const deeds = open.map(({ number, by, what }) => `${number} ${by} ${what.kind}`)
    const inboxes = this.#devices.map((device) => `${device.name} ${device.isOnline ? 'online' : 'offline'} ${this.#missing(device)}`)
    return `${JSON.stringify(this.#life.server?.census)}, open deeds [${deeds.join(', ')}], missing [${inboxes.join(', ')}]`
  }
}

async function verify(
  { header, signer, payload, signature }: { header: Uint8Array; signer: Uint8Array; payload: Uint8Array; signature: Uint8Array },
  purpose: string,
): Promise<void> {
  if (!verifyEd25519(signer, coseToBeSigned(header, purpose, payload), signature)) throw new Error('a signature is wrong')
}

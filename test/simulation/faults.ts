// What goes wrong in a world. How often is chance too: some worlds are calm, in some everything breaks at once.

import type { Chance } from './chance.ts'
import type { Device } from './device.ts'
import type { WallClock } from './machine-clock.ts'
import type { Network } from './network.ts'
import type { Schedule } from './schedule.ts'
import type { ServerLife } from './server-life.ts'
import type { StoreFaults } from './sim-store.ts'

export interface FaultsParts {
  readonly schedule: Schedule
  readonly chance: Chance
  readonly network: Network
  readonly life: ServerLife
  readonly wall: WallClock
  readonly devices: readonly Device[]
  readonly store: StoreFaults
}

const doubtfulPart = 2_500

export class Faults {
  readonly #parts: FaultsParts
  readonly #everyMs: number
  readonly #acts: readonly (readonly [name: string, weight: number, act: () => void])[]
  #isOver = false

  constructor(parts: FaultsParts) {
    const { chance, store } = parts
    this.#parts = parts
    this.#everyMs = chance.pick([150, 400, 1_000, 3_000]) ?? 1_000
    const weight = (): number => chance.below(4)
    this.#acts = [
      ['cut', 1 + weight(), () => this.#cut()],
      ['hold', weight(), () => this.#hold()],
      ['kill a device', weight(), () => this.#killDevice()],
      ['kill the server', weight(), () => this.#killServer()],
      ['turn a clock', weight() / 2, () => this.#turnClock()],
    ]
    for (const kind of ['made', 'unmade', 'refused'] as const) store[kind] = chance.happens(0.5) ? chance.below(800) : 0
    this.#next()
  }

  /** From now on many commits come to nothing that anybody knows: nothing comes behind them that would show it. */
  doubt(): void {
    this.#parts.store.made = doubtfulPart
  }

  /** From now on nothing breaks, and what was broken is mended. */
  end(): void {
    const { network, life, devices, store } = this.#parts
    this.#isOver = true
    Object.assign(store, { made: 0, unmade: 0, refused: 0 })
    network.release()
    if (!life.isUp) life.start()
    for (const device of devices) if (!device.isUp) device.start()
  }

  #next(): void {
    const { schedule, chance } = this.#parts
    schedule.after(chance.between(0, 2 * this.#everyMs), 'fault', () => {
      if (this.#isOver) return
      this.#act()
      this.#next()
    })
  }

  #act(): void {
    const { chance, schedule } = this.#parts
    let left = chance.number() * this.#acts.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight, act] of this.#acts) {
      left -= weight
      if (left >= 0) continue
      schedule.note(name)
      return act()
    }
  }

  #cut(): void {
    const { chance, network } = this.#parts
    const connection = chance.pick(network.connections)
    if (connection !== undefined) network.cut(connection)
  }

  #hold(): void {
    const { chance, network, devices } = this.#parts
    const device = chance.pick(devices)
    if (device !== undefined) network.hold({ name: device.name, x25519: device.of.x25519 }, chance.delay(1_500, 20_000))
  }

  #killDevice(): void {
    const { chance, schedule, devices } = this.#parts
    const device = chance.pick(devices.filter(({ isUp }) => isUp))
    if (device === undefined) return
    device.kill()
    schedule.after(chance.delay(800, 6_000), `start ${device.name}`, () => {
      if (!this.#isOver && !device.isUp) device.start()
    })
  }

  #killServer(): void {
    const { chance, schedule, life } = this.#parts
    if (!life.isUp) return
    life.kill()
    schedule.after(chance.delay(500, 5_000), 'start the server', () => {
      if (!this.#isOver && !life.isUp) life.start()
    })
  }

  #turnClock(): void {
    const { chance, wall, devices } = this.#parts
    const clock = chance.happens(0.5) ? wall : chance.pick(devices)?.wall
    if (clock !== undefined) clock.aheadMs += chance.between(-1, 1) * chance.between(1, chance.happens(0.7) ? 20_000 : 30 * 3_600_000)
  }
}

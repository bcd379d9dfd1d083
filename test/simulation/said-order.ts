// What one device has said to somebody or in a room stands there in the order in which its program handed it to the outbox, through
// lost connections and restarts (docs/sdk.md, "What is sent"). That ends where the program is told that it was refused, and where it is
// killed before the outbox has kept it: then it is said anew.

import type { Books } from './books.ts'
import type { Deed } from './deeds.ts'
import type { DeviceOf } from './people.ts'

interface Said {
  readonly deed: Deed
  /** Its place, once it has one. */
  seq: number | undefined
}

/** What one device says to one receiver, in the order in which it was handed over. */
interface Lane {
  readonly device: DeviceOf
  said: Said[]
}

export class SaidOrder {
  readonly #books: Books
  readonly #lanes = new Map<string, Lane>()

  constructor(books: Books) {
    this.#books = books
  }

  /** What waits in the outbox already keeps the place that it has there. */
  handed(device: DeviceOf, deed: Deed): void {
    if (deed.what.kind !== 'say') return
    const key = `${device.name} ${deed.what.to}`
    const lane = this.#lanes.get(key) ?? { device, said: [] }
    this.#lanes.set(key, lane)
    if (!lane.said.some((said) => said.deed === deed)) lane.said.push({ deed, seq: undefined })
  }

  /** Its program is told: asked again, it comes behind what was said since. */
  refused(deed: Deed): void {
    for (const lane of this.#lanes.values()) lane.said = lane.said.filter((said) => said.deed !== deed)
  }

  /** The program was killed; `isKept`: whether its outbox has something with this id. */
  killed({ name }: DeviceOf, isKept: (id: string) => boolean): void {
    for (const lane of this.#lanes.values()) {
      if (lane.device.name !== name) continue
      this.#look(lane)
      lane.said = lane.said.filter(({ deed, seq }) => seq !== undefined || isKept(deed.id))
    }
  }

  /** What stands before something that was said earlier; undefined when nothing does. */
  fault(): string | undefined {
    for (const lane of this.#lanes.values()) {
      this.#look(lane)
      const placed = lane.said.filter(({ seq }) => seq !== undefined)
      const wrong = placed.findIndex(({ seq = 0 }, at) => seq <= (placed[at - 1]?.seq ?? 0))
      const [one, other] = [placed[wrong - 1], placed[wrong]]
      if (one !== undefined && other !== undefined) {
        return `${lane.device.name} said deed ${one.deed.number} before deed ${other.deed.number}, and they stand at ${one.seq} and ${other.seq}`
      }
    }
    return undefined
  }

  #look({ device, said }: Lane): void {
    for (const each of said) each.seq ??= this.#books.placeOf(each.deed, device.person.id)?.seq
  }
}

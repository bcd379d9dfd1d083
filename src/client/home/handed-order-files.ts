// Ids of orders that somebody else may have, in the home: one file each, because every program of the home may be asked what became
// of an order. It is there before the order is handed over, and until the order has expired.
//
//   <home>/orders-handed/<account>/<id>      the moment of the expiry, in ms since 1970, in decimal
//
// What is there and says nothing, or cannot be read, counts: to say that nothing was paid takes more than a damaged file.

import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, makeFolder, unusable, writeDurably } from '../../pki/durable-file.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { HandedStore } from '../direct/order-store.ts'
import { accountKey, isLeftWrite } from './account-files.ts'
import type { Home } from './home.ts'

export interface HandedFilesOptions {
  /** Whose they are: those of another account of the same home are left alone. */
  readonly name: string
  readonly limits: Pick<Limits, 'ordersHandedMax'>
  readonly clock: Pick<Clock, 'now'>
}

/** What was handed over, in the files of a home. */
export class HandedFiles implements HandedStore {
  readonly #home: Home
  readonly #folder: string
  readonly #max: number
  readonly #clock: Pick<Clock, 'now'>

  constructor(home: Home, { name, limits, clock }: HandedFilesOptions) {
    this.#home = home
    this.#folder = join(home.pathOf('orders-handed'), accountKey(name))
    this.#max = limits.ordersHandedMax
    this.#clock = clock
  }

  has(id: string): boolean {
    return !this.#isOver(this.#expiry(id))
  }

  async add(id: string, expiresAt: number): Promise<void> {
    const known = this.#expiry(id)
    // The same id may stand for an order that lives longer: whoever has that one may bring it.
    if (known !== undefined && known >= expiresAt) return
    this.#home.make()
    makeFolder(this.#folder)
    if (known === undefined) this.#requireRoom()
    writeDurably(join(this.#folder, id), `${expiresAt}\n`, 0o600)
  }

  #requireRoom(): void {
    if (this.#names().length < this.#max) return
    this.#sweep()
    if (this.#names().length >= this.#max) throw new SealwireError('busy', 'too many orders were handed over and have not expired')
  }

  /** `undefined` where there is none. */
  #expiry(id: string): number | undefined {
    try {
      const path = join(this.#folder, id)
      const words = statSync(path).size > bytesMax ? undefined : isMoment.exec(readFileSync(path, 'utf8'))
      return words === null || words === undefined ? Number.POSITIVE_INFINITY : Number(words[1])
    } catch (reason) {
      return isNowhere.has(errorCode(reason) ?? '') ? undefined : Number.POSITIVE_INFINITY
    }
  }

  /** By the server's clock it expires, which may be another one. */
  #isOver(expiresAt: number | undefined): boolean {
    return expiresAt === undefined || expiresAt + clocksMs < this.#clock.now()
  }

  #names(): readonly string[] {
    return this.#entries().filter((name) => isId.test(name))
  }

  #entries(): readonly string[] {
    try {
      return readdirSync(this.#folder)
    } catch (reason) {
      throw unusable(`cannot read ${this.#folder}`, reason)
    }
  }

  /** What has expired, and what a crash has left of a write. */
  #sweep(): void {
    for (const name of this.#entries()) {
      const isOld = isId.test(name)
        ? this.#isOver(this.#expiry(name))
        : temporaryName.test(name) && isLeftWrite(join(this.#folder, name), this.#clock.now())
      if (isOld) rmSync(join(this.#folder, name), { force: true })
    }
  }
}

const bytesMax = limitTable.orderFileBytesMax.value
const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const temporaryName = /^\.[0-9a-f-]{36}\..*\.tmp$/
const isMoment = /^(\d{1,20})\n$/
const isNowhere: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])
/** How far the clocks of the two may be apart. */
const clocksMs = 3_600_000

// Ids of orders that somebody else may have, in the home: one file each, because every program of the home may be asked what became
// of an order. It is there before the order is handed over, and until the order has expired.
//
//   <home>/orders-handed/<account>/<id>      the moment of the expiry, in ms since 1970, in decimal
//
// What is there and says nothing, or cannot be read, counts: to say that nothing was paid takes more than a damaged file.

import { readFileSync, rmSync, statSync } from 'node:fs'
import type { Clock } from '../../domain/clock.ts'
import { errorCode } from '../../pki/durable-file.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { HandedStore } from '../direct/order-store.ts'
import { AccountFiles } from './account-files.ts'
import type { Home } from './home.ts'

export interface HandedFilesOptions {
  /** Whose they are: those of another account of the same home are left alone. */
  readonly name: string
  readonly limits: Pick<Limits, 'ordersHandedMax'>
  readonly clock: Pick<Clock, 'now'>
}

/** What was handed over, in the files of a home. */
export class HandedFiles implements HandedStore {
  readonly #files: AccountFiles
  readonly #max: number
  readonly #clock: Pick<Clock, 'now'>

  constructor(home: Home, { name, limits, clock }: HandedFilesOptions) {
    this.#files = new AccountFiles(home, 'orders-handed', { owner: name, isName: isId })
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
    this.#files.make()
    if (known === undefined) this.#requireRoom()
    this.#files.write(id, `${expiresAt}\n`)
  }

  #requireRoom(): void {
    if (this.#files.names().length < this.#max) return
    this.#sweep()
    if (this.#files.names().length >= this.#max) throw new SealwireError('busy', 'too many orders were handed over and have not expired')
  }

  /** `undefined` where there is none. */
  #expiry(id: string): number | undefined {
    try {
      const path = this.#files.pathOf(id)
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

  /** What has expired, and what a crash has left of a write. */
  #sweep(): void {
    this.#files.sweep(this.#clock.now())
    for (const id of this.#files.names()) if (!this.has(id)) rmSync(this.#files.pathOf(id), { force: true })
  }
}

const bytesMax = limitTable.orderFileBytesMax.value
const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const isMoment = /^(\d{1,20})\n$/
const isNowhere: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])
/** How far the clocks of the two may be apart. */
const clocksMs = 3_600_000

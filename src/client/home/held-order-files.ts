// Orders that were handed over and are not settled, in the home: one file each, because every program of the home brings what is
// there, and each of them may be the one that removes it.
//
//   <home>/orders-held/<account>/<payer>-<id>      CBOR [name of the payer, order, memo or null]

import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, makeFolder, removeDurably, unusable, writeDurably } from '../../pki/durable-file.ts'
import { decodeCbor, encodeCbor } from '../../protocol/contract/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { KeptOrder, OrderStore } from '../direct/order-store.ts'
import { accountKey, isLeftWrite } from './account-files.ts'
import type { Home } from './home.ts'

export interface OrderFilesOptions {
  /** Whose they are: those of another account of the same home are left alone. */
  readonly name: string
  readonly limits: Pick<Limits, 'ordersHeldMax'>
  readonly clock: Pick<Clock, 'now'>
}

/** Orders in the files of a home. */
export class OrderFiles implements OrderStore {
  readonly #home: Home
  readonly #folder: string
  readonly #max: number
  readonly #clock: Pick<Clock, 'now'>

  constructor(home: Home, { name, limits, clock }: OrderFilesOptions) {
    this.#home = home
    this.#folder = join(home.pathOf('orders-held'), accountKey(name))
    this.#max = limits.ordersHeldMax
    this.#clock = clock
  }

  async load(): Promise<readonly KeptOrder[]> {
    const found = this.#names()
      .flatMap((name) => this.#read(name) ?? [])
      .sort((one, other) => one.at - other.at)
    this.#sweep()
    return found.slice(0, this.#max).map(({ order }) => order)
  }

  async add(key: string, { from, signed, memo }: KeptOrder): Promise<void> {
    this.#home.make()
    makeFolder(this.#folder)
    if (this.#names().length >= this.#max) throw new SealwireError('busy', 'too many orders wait here to be settled')
    writeDurably(join(this.#folder, key), encodeCbor([from, signed, memo ?? null]), 0o600)
  }

  async remove(key: string): Promise<void> {
    removeDurably(join(this.#folder, key))
  }

  #names(): readonly string[] {
    return this.#entries().filter((name) => orderName.test(name))
  }

  #entries(): readonly string[] {
    try {
      return readdirSync(this.#folder)
    } catch (reason) {
      if (errorCode(reason) === 'ENOENT') return []
      throw unusable(`cannot read ${this.#folder}`, reason)
    }
  }

  /** `undefined` for what was removed meanwhile, and for what is no order: it stays where it is. */
  #read(name: string): { readonly order: KeptOrder; readonly at: number } | undefined {
    try {
      const path = join(this.#folder, name)
      const { size, mtimeMs: at } = statSync(path)
      if (size > bytesMax) return undefined
      const order = orderOf(decodeCbor(new Uint8Array(readFileSync(path))))
      return order && { order, at }
    } catch {
      return undefined
    }
  }

  /** What a crash has left of a write; another program may be in the middle of one. */
  #sweep(): void {
    for (const name of this.#entries().filter((each) => temporaryName.test(each))) {
      const path = join(this.#folder, name)
      try {
        if (isLeftWrite(path, this.#clock.now())) rmSync(path, { force: true })
      } catch {
        // Somebody else has removed it.
      }
    }
  }
}

function orderOf(value: unknown): KeptOrder | undefined {
  const [from, signed, memo, ...others] = Array.isArray(value) ? (value as readonly unknown[]) : []
  const isOrder = typeof from === 'string' && signed instanceof Uint8Array && others.length === 0
  if (!isOrder || (memo !== null && typeof memo !== 'string')) return undefined
  return { from, signed, ...(memo === null ? {} : { memo }) }
}

const bytesMax = limitTable.orderFileBytesMax.value
const orderName = /^[0-9]+-[0-9a-f]{32}$/
const temporaryName = /^\.[0-9]+-[0-9a-f]{32}\..*\.tmp$/

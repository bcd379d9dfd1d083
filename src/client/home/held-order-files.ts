// Orders that were handed over and are not settled, in the home: one file each, because every program of the home brings what is
// there, and each of them may be the one that removes it.
//
//   <home>/orders-held/<account>/<payer>-<id>      CBOR [name of the payer, order, memo or null]

import { readFileSync, statSync } from 'node:fs'
import type { Clock } from '../../domain/clock.ts'
import { removeDurably } from '../../pki/durable-file.ts'
import { decodeCbor, encodeCbor } from '../../protocol/contract/index.ts'
import { type Limits, limitTable, SealwireError } from '../../protocol/index.ts'
import type { KeptOrder, OrderStore } from '../direct/order-store.ts'
import { AccountFiles } from './account-files.ts'
import type { Home } from './home.ts'

export interface OrderFilesOptions {
  /** Whose they are: those of another account of the same home are left alone. */
  readonly name: string
  readonly limits: Pick<Limits, 'ordersHeldMax'>
  readonly clock: Pick<Clock, 'now'>
}

/** Orders in the files of a home. */
export class OrderFiles implements OrderStore {
  readonly #files: AccountFiles
  readonly #max: number
  readonly #clock: Pick<Clock, 'now'>

  constructor(home: Home, { name, limits, clock }: OrderFilesOptions) {
    this.#files = new AccountFiles(home, 'orders-held', { owner: name, isName: orderName })
    this.#max = limits.ordersHeldMax
    this.#clock = clock
  }

  async load(): Promise<readonly KeptOrder[]> {
    const found = this.#files
      .names()
      .flatMap((name) => this.#read(name) ?? [])
      .sort((one, other) => one.at - other.at)
    this.#files.sweep(this.#clock.now())
    return found.slice(0, this.#max).map(({ order }) => order)
  }

  async add(key: string, { from, signed, memo }: KeptOrder): Promise<void> {
    this.#files.make()
    if (this.#files.names().length >= this.#max) throw new SealwireError('busy', 'too many orders wait here to be settled')
    this.#files.write(key, encodeCbor([from, signed, memo ?? null]))
  }

  async remove(key: string): Promise<void> {
    removeDurably(this.#files.pathOf(key))
  }

  /** `undefined` for what was removed meanwhile, and for what is no order: it stays where it is. */
  #read(name: string): { readonly order: KeptOrder; readonly at: number } | undefined {
    try {
      const path = this.#files.pathOf(name)
      const { size, mtimeMs: at } = statSync(path)
      if (size > bytesMax) return undefined
      const order = orderOf(decodeCbor(new Uint8Array(readFileSync(path))))
      return order && { order, at }
    } catch {
      return undefined
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

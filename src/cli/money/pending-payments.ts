// Payments that somebody has said yes to and of which nobody knows yet what became: a small file each in the home, there before the
// order leaves and removed when its outcome is known. What a crash leaves behind is therefore told, and paying the same again goes
// under the id of before, so that it is paid once.
//
//   <home>/payment-<id>.json      {"version":1,"account":"alice","name":"bob","amount":"5.00","unit":"credits","memo":"lunch"}

import { readdirSync } from 'node:fs'
import * as v from 'valibot'
import { parseMessageId } from '../../client/outbox/message-id.ts'
import { momentAfter } from '../../client/payments/orders.ts'
import { damaged, type Home, parseJson } from '../../client/home/home.ts'
import { nameKey } from '../../domain/case-fold.ts'
import { removeDurably, unusable } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Due } from './words.ts'

/** A payment that was asked for. */
export interface PendingPayment extends Due {
  /** Of its order. */
  readonly id: string
  /** Of the request to pay that it pays. */
  readonly request?: string | undefined
}

export class PendingPayments {
  readonly #home: Home
  readonly #account: string

  /** Those of an account; a home may have had another one before. */
  constructor(home: Home, account: string) {
    this.#home = home
    this.#account = account
  }

  /** The oldest first. @throws {SealwireError} `data_unusable`, `config_invalid`, `key_unsafe`. */
  list(): readonly PendingPayment[] {
    return this.#ids().flatMap((id) => this.#read(id) ?? [])
  }

  /** One that would pay the same. */
  find({ name, amount, unit, memo = '', request }: Omit<PendingPayment, 'id'>): PendingPayment | undefined {
    return this.list().find(
      (one) =>
        nameKey(one.name) === nameKey(name) &&
        one.amount === amount &&
        one.unit === unit &&
        (one.memo ?? '') === memo &&
        one.request === request,
    )
  }

  /** Resolves nothing, and is on the disk when it returns. @throws {SealwireError} `busy` when there are too many; `storage_full`, `data_unusable`. */
  add({ id, name, amount, unit, memo, request }: PendingPayment): void {
    const ids = this.#ids()
    if (ids.length >= limitTable.pendingPaymentsMax.value && !ids.includes(id)) {
      throw new SealwireError('busy', 'too many payments have no answer yet', { hint: 'sealwire statement tells which of them were paid' })
    }
    this.#home.write(fileOf(id), `${JSON.stringify({ version: 1, account: this.#account, name, amount, unit, memo, request })}\n`)
  }

  /** Its outcome is known. @throws {SealwireError} `data_unusable`. */
  remove(id: string): void {
    removeDurably(this.#home.pathOf(fileOf(id)))
  }

  /** Ids of version 7 are in the order in which they were made. */
  #ids(): readonly string[] {
    try {
      return readdirSync(this.#home.path)
        .flatMap((file) => pattern.exec(file)?.[1] ?? [])
        .toSorted()
    } catch (cause) {
      throw unusable(`cannot read ${this.#home.path}`, cause)
    }
  }

  #read(id: string): PendingPayment | undefined {
    const text = this.#home.read(fileOf(id), limitTable.profileBytesMax.value)
    // Another chat of this home has removed it meanwhile.
    if (text === undefined) return undefined
    const path = this.#home.pathOf(fileOf(id))
    const { output, success } = v.safeParse(schema, parseJson(path, text, hint))
    if (!success) throw damaged(path, 'is not a payment', hint)
    if (output.account !== this.#account) return undefined
    const { name, amount, unit, memo, request } = output
    return { id, name, amount, unit, memo, request }
  }
}

/** Whether an order of this id can still be carried out, with an hour for clocks that differ. */
export function isOver(id: string, now: number): boolean {
  return now > momentAfter(parseMessageId(id), 25 * 60 * 60 * 1000)
}

function fileOf(id: string): string {
  return `payment-${id}.json`
}

const hint = 'move it away; sealwire statement has what was paid'
const pattern = /^payment-([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.json$/

const schema = v.strictObject({
  version: v.literal(1),
  account: v.string(),
  name: v.string(),
  amount: v.string(),
  unit: v.string(),
  memo: v.optional(v.string()),
  request: v.optional(v.string()),
})

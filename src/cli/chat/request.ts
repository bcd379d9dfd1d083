// A request to pay that a chat tells may be old: paid meanwhile, taken back, turned down, or over. What became of it is looked up, so that
// nobody is asked for what is done.

import type { ReadEntry } from '../../client/index.ts'
import { readPayment } from '../../client/payments/message.ts'
import type { Payments } from '../../client/payments.ts'
import type { RequestsOptions } from '../../client/payments/pages.ts'
import type { PaymentRequest } from '../../client/payments/results.ts'
import { limitTable } from '../../protocol/limits.ts'
import type { Talker } from './talker.ts'

/** What became of a request. */
export type RequestNow = Pick<PaymentRequest, 'status' | 'paid'>

/** What became of it, where this message asks us to pay. `undefined` for every other one, and where it is not known. */
export async function requestNow(me: Pick<Talker, 'name' | 'payments'>, entry: ReadEntry): Promise<RequestNow | undefined> {
  const said = readPayment(entry)
  if (said?.kind !== 'request' || said.from !== me.name) return undefined
  try {
    const found = await newestRequest(me, { all: true }, ({ id }) => id === said.id)
    return found && { status: found.status, paid: found.paid }
  } catch {
    // It is told all the same, as it was then.
    return undefined
  }
}

/** The newest request that is meant, among the `chatRequestsLookedMax` newest. */
export async function newestRequest(
  { payments }: { readonly payments: Pick<Payments, 'requests'> },
  options: RequestsOptions,
  isMeant: (request: PaymentRequest) => boolean,
): Promise<PaymentRequest | undefined> {
  let looked = 0
  for await (const request of payments.requests(options)) {
    if (isMeant(request)) return request
    if (++looked >= lookedMax) break
  }
  return undefined
}

const lookedMax = limitTable.chatRequestsLookedMax.value

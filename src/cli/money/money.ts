// What the commands about money have in common: somebody who has joined, whose device signs, and who tries again under the same
// id when no answer comes.

import { createHash } from 'node:crypto'
import { Payments } from '../../client/payments.ts'
import type { PaymentUnit } from '../../client/payments/results.ts'
import type { Client } from '../../client/node.ts'
import { refuseForked } from '../../client/home/checkpoints.ts'
import type { Home } from '../../client/home/home.ts'
import { deviceRequired, readOrderKey } from '../../client/home/order-signer.ts'
import { systemClock } from '../../domain/clock.ts'
import { signCose } from '../../pki/cose-sign1.ts'
import type { Result } from '../../protocol/contract/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { type Advice, advised } from '../advice.ts'
import { freshId } from '../options/id.ts'
import { openMember } from '../member/member.ts'
import type { Ordering } from './ordering.ts'
import { tryUntil, usualTryMs } from '../member/passing.ts'

/** What commands about money work with. */
export interface Purse {
  readonly client: Pick<Client, 'request'>
  readonly payments: Payments
}

/**
 * Opens a member whose device signs, lets `use` do its work, and ends in order. Without an answer everything is done again for
 * up to 15 s: orders are the same bytes each time. `ordering`: what `use` orders, if it does; `own`: what its command says to do next.
 * @throws {SealwireError} `unknown_outcome` when it may have been done, with how to find out; `ledger_forked` after an audit found
 * two histories; `device_required` where this home is no device; what the server refuses.
 */
export async function withPurse<T>(home: Home, use: (purse: Purse) => Promise<T>, ordering?: Ordering, own?: Advice): Promise<T> {
  refuseForked(home)
  const tries = { clock: systemClock, until: systemClock.monotonic() + usualTryMs, advice: { ...advice, ...own } }
  try {
    return await tryUntil(tries, () => useOnce(home, use, ordering))
  } catch (reason) {
    throw ordering === undefined ? reason : ordering.ended(reason)
  }
}

/** The unit that was named, or the standard one. @throws {SealwireError} `not_found`, with what to do next. */
export async function unitOf({ payments }: Pick<Purse, 'payments'>, code: string | undefined): Promise<PaymentUnit> {
  try {
    return await payments.unit(code)
  } catch (reason) {
    throw SealwireError.is(reason) && reason.code === 'not_found' && code !== undefined ? advised(reason, unitAdvice) : reason
  }
}

/** Of a unit that is not there. Which ones somebody has, `balance` tells; the others are the operator's business. */
export const unitAdvice: Advice = { not_found: 'leave --unit out for the standard one; sealwire balance lists the units that you have' }

async function useOnce<T>(home: Home, use: (purse: Purse) => Promise<T>, ordering: Ordering | undefined): Promise<T> {
  await using member = await openMember(home, { clock: systemClock, isForMoney: true })
  const { client } = member
  const { server } = client.welcome
  const key = readOrderKey(home)
  if (server === undefined) throw deviceRequired()
  const payments = new Payments({
    call: (method, params) => client.request(method, params),
    order(params) {
      const sending = (): Promise<Result<'payment.order'>> => client.request('payment.order', params)
      return ordering === undefined ? sending() : ordering.send(sending)
    },
    server: async () => server,
    newId: freshId,
    sign: async (payload, purpose) => signCose(payload, purpose, key),
    hash: async (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
  })
  const result = await use({ client, payments })
  ordering?.told()
  return result
}

const advice: Advice = {
  insufficient_funds: 'sealwire balance tells what there is',
  limit_exceeded: 'wait until tomorrow, or ask the operator',
  frozen: 'ask the operator',
  quota_exceeded: 'order it when they have read what waits for them',
  amount_invalid: 'write an amount such as 5 or 12.50',
  expired: 'order it again under a fresh id; if that expires at once too, look at the clock of this machine',
  not_found: 'check the name or the id',
  conflict:
    'the id stands for another order, or for this one from another device: look at sealwire statement first; what is not there needs another --id',
  unknown_outcome: 'it may have been done: repeat the command with the same --id',
}
